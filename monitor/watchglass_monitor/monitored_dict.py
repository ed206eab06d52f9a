"""MonitoredDict: a dict that tells of every set and delete, for interpreters without watchers."""

from collections.abc import Callable, Iterable
from typing import Any, Literal, TypeVar

K = TypeVar("K")
V = TypeVar("V")

Operation = Literal["set", "delete"]
_MISSING: Any = object()


class MonitoredDict(dict[K, V]):
    """A dict that calls its listeners, `listener(operation, key)`, after every set and delete.

    Stores that bypass a dict's methods are not seen: `dict.__setitem__(d, …)`, and functions that
    store globals when the dict is used as a namespace. A listener must not change the dict.
    """

    __slots__ = ("_listeners",)

    _listeners: list[Callable[[Operation, K], None]]

    def __new__(cls, *args: Any, **kwargs: Any) -> "MonitoredDict[K, V]":
        self = super().__new__(cls)
        self._listeners = []
        return self

    def listen(self, listener: Callable[[Operation, K], None]) -> Callable[[], None]:
        """Adds a listener, and returns what removes it again."""
        self._listeners.append(listener)

        def remove() -> None:
            self._listeners[:] = [other for other in self._listeners if other is not listener]

        return remove

    def _tell(self, operation: Operation, key: K) -> None:
        for listener in tuple(self._listeners):
            listener(operation, key)

    def __setitem__(self, key: K, value: V) -> None:
        super().__setitem__(key, value)
        self._tell("set", key)

    def __delitem__(self, key: K) -> None:
        super().__delitem__(key)
        self._tell("delete", key)

    def setdefault(self, key: K, default: Any = None) -> Any:
        if key not in self:
            self[key] = default
        return self[key]

    def pop(self, key: K, default: Any = _MISSING) -> Any:
        if key not in self:
            if default is _MISSING:
                raise KeyError(key)
            return default
        value = super().pop(key)
        self._tell("delete", key)
        return value

    def popitem(self) -> tuple[K, V]:
        key, value = super().popitem()
        self._tell("delete", key)
        return key, value

    def clear(self) -> None:
        keys = list(self)
        super().clear()
        for key in keys:
            self._tell("delete", key)

    def update(self, *args: Any, **kwargs: Any) -> None:
        if len(args) > 1:
            raise TypeError(f"update expected at most 1 argument, got {len(args)}")
        for source in (*args, kwargs):
            pairs: Any = source
            if hasattr(source, "keys"):  # what makes it a mapping for `dict.update`, too
                pairs = [(key, source[key]) for key in source.keys()]  # noqa: SIM118
            for key, value in pairs:
                self[key] = value

    def __ior__(self, other: Any) -> "MonitoredDict[K, V]":  # type: ignore[override,misc]
        self.update(other)
        return self

    def copy(self) -> "MonitoredDict[K, V]":
        """A MonitoredDict with the same items and no listeners."""
        return type(self)(self)

    __copy__ = copy

    def __reduce__(self) -> tuple[Any, ...]:
        # Listeners belong to the process; the items come back through `__setitem__`.
        return type(self), (), None, None, iter(self.items())

    @classmethod
    def fromkeys(cls, keys: Iterable[K], value: Any = None) -> "MonitoredDict[K, Any]":  # type: ignore[override]
        made: MonitoredDict[K, Any] = cls()
        made.update(dict.fromkeys(keys, value))
        return made


__all__ = ["MonitoredDict", "Operation"]
