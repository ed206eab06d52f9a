"""The slow unpickler: what fails is replaced and remembered, and reading goes on."""

import gc
import pickle
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any, BinaryIO, ClassVar

from watchglass_monitor.dump import TimeLimit
from watchglass_monitor.flattening import set_contents
from watchglass_monitor.pickling import VOCABULARY
from watchglass_monitor.plain_text import describe

_SETTERS = [each for name, each in VOCABULARY.items() if name.startswith("set_")]


class Lost:
    """Stands where an object could not be made."""

    def __init__(self, why: str) -> None:
        self.why = why


class Failures:
    """What failed in one load, and which values it ended up in."""

    def __init__(self, time_limit: TimeLimit, namespace: dict[str, object]) -> None:
        self.time_limit = time_limit
        self._namespace = namespace
        self._broken: dict[int, tuple[object, str]] = {}
        self._sound: set[int] = set()

    def mark(self, value: object, why: str) -> None:
        """`value` exists but is only half made."""
        self._broken.setdefault(id(value), (value, why))

    def of(self, value: object) -> str | None:
        """Why this very object cannot be used."""
        if type(value) is Lost:
            return value.why
        known = self._broken.get(id(value))
        return None if known is None else known[1]

    def inside(self, value: object) -> str | None:
        """Why `value` cannot be used, if anything that it refers to failed."""
        seen = {id(self._namespace), id(VOCABULARY)}
        waiting = [value]
        while waiting:
            current = waiting.pop()
            if id(current) in seen or id(current) in self._sound:
                continue
            seen.add(id(current))
            if (why := self.of(current)) is not None:
                return why
            if not _leads_outside(current):
                waiting.extend(gc.get_referents(current))
        self._sound |= seen
        return None


def _leads_outside(value: object) -> bool:
    """A module or its dict leads to everything and holds nothing of a dump."""
    if isinstance(value, ModuleType):
        return True
    if isinstance(value, type):
        return not value.__flags__ & (1 << 9)
    return type(value) is dict and "__name__" in value and "__spec__" in value


class CarefulUnpickler(pickle._Unpickler):
    """pickle's own unpickler in Python; each step that runs foreign code is guarded."""

    dispatch: ClassVar[dict[int, Any]] = dict(pickle._Unpickler.dispatch)
    stack: list[Any]
    append: Callable[[object], None]
    pop_mark: Callable[[], list[Any]]

    def __init__(self, file: BinaryIO, known: list[object], failures: Failures) -> None:
        super().__init__(file)
        self._known = known
        self._failures = failures

    def persistent_load(self, pid: int) -> object:
        return self._known[pid]

    def _guarded(self, make: Callable[[], object], needed: Sequence[object], what: str) -> object:
        """What `make` returns, or a stand-in with the reason."""
        for each in needed:
            if (why := self._failures.of(each)) is not None:
                return Lost(why)
        try:
            with self._failures.time_limit():
                return make()
        except BaseException as problem:
            return Lost(f"{what}{describe(problem)}")

    def _change(self, make: Callable[[], object], needed: Sequence[object]) -> None:
        """Do something to the object on top; if it fails, that object is broken."""
        target = self.stack[-1]
        if type(target) is not Lost:
            what = f"making an object of type {type(target).__name__} again raised "
            done = self._guarded(make, needed, what)
            if type(done) is Lost:
                self._failures.mark(target, done.why)

    def find_class(self, module: str, name: str) -> object:
        find = super().find_class
        return self._guarded(lambda: find(module, name), (), "")

    def load_reduce(self) -> None:
        arguments = self.stack.pop()
        function = self.stack[-1]
        if function in _SETTERS:
            self._set(function, arguments)
            return
        what = _calling(function)
        needed = (function, arguments, *(arguments if isinstance(arguments, tuple) else ()))
        self.stack[-1] = self._guarded(lambda: function(*arguments), needed, what)

    def _set(self, function: Callable[..., None], arguments: tuple[object, object]) -> None:
        """A step of ours that fills an object in, which is not on top of the stack."""
        target, state = arguments
        what = f"making an object of type {type(target).__name__} again raised "
        done = self._guarded(lambda: function(target, state), arguments, what)
        if type(done) is Lost:
            shells = target if isinstance(target, list) and function is set_contents else [target]
            for each in shells:
                self._failures.mark(each, done.why)
        self.stack[-1] = None

    def load_newobj(self) -> None:
        arguments = self.stack.pop()
        cls = self.stack.pop()
        what = _calling(cls)
        self.append(self._guarded(lambda: cls.__new__(cls, *arguments), (cls, *arguments), what))

    def load_newobj_ex(self) -> None:
        options = self.stack.pop()
        arguments = self.stack.pop()
        cls = self.stack.pop()
        needed = (cls, *arguments, *options.values())
        make = lambda: cls.__new__(cls, *arguments, **options)  # noqa: E731
        self.append(self._guarded(make, needed, _calling(cls)))

    def load_build(self) -> None:
        state = self.stack.pop()
        target = self.stack[-1]

        def build() -> None:
            self.stack.append(state)
            pickle._Unpickler.load_build(self)  # type: ignore[attr-defined]

        height = len(self.stack)
        self._change(build, (target, state))
        del self.stack[height:]

    def load_setitems(self) -> None:
        items = self.pop_mark()
        target = self.stack[-1]

        def fill() -> None:
            for index in range(0, len(items), 2):
                target[items[index]] = items[index + 1]

        self._change(fill, ())

    def load_setitem(self) -> None:
        value = self.stack.pop()
        key = self.stack.pop()
        target = self.stack[-1]
        self._change(lambda: target.__setitem__(key, value), ())

    def load_appends(self) -> None:
        items = self.pop_mark()
        target = self.stack[-1]
        extend = target.extend if hasattr(target, "extend") else None
        self._change(lambda: extend(items) if extend else _append_all(target, items), ())

    def load_append(self) -> None:
        value = self.stack.pop()
        target = self.stack[-1]
        self._change(lambda: target.append(value), ())

    def load_additems(self) -> None:
        items = self.pop_mark()
        target = self.stack[-1]
        self._change(lambda: _add_all(target, items), ())

    def load_frozenset(self) -> None:
        items = self.pop_mark()
        self.append(self._guarded(lambda: frozenset(items), (), "making a frozenset raised "))

    def load_stack_global(self) -> None:
        name = self.stack.pop()
        module = self.stack.pop()
        self.append(self.find_class(module, name))


for _opcode, _step in {
    pickle.REDUCE: CarefulUnpickler.load_reduce,
    pickle.NEWOBJ: CarefulUnpickler.load_newobj,
    pickle.NEWOBJ_EX: CarefulUnpickler.load_newobj_ex,
    pickle.BUILD: CarefulUnpickler.load_build,
    pickle.SETITEMS: CarefulUnpickler.load_setitems,
    pickle.SETITEM: CarefulUnpickler.load_setitem,
    pickle.APPENDS: CarefulUnpickler.load_appends,
    pickle.APPEND: CarefulUnpickler.load_append,
    pickle.ADDITEMS: CarefulUnpickler.load_additems,
    pickle.FROZENSET: CarefulUnpickler.load_frozenset,
    pickle.STACK_GLOBAL: CarefulUnpickler.load_stack_global,
}.items():
    CarefulUnpickler.dispatch[_opcode[0]] = _step


def _append_all(target: Any, items: list[Any]) -> None:
    for item in items:
        target.append(item)


def _add_all(target: Any, items: list[Any]) -> None:
    for item in items:
        target.add(item)


def _calling(function: object) -> str:
    """How the message begins; our own makers already say what is wrong."""
    if isinstance(function, type):
        return f"making an object of type {function.__name__} again raised "
    return ""
