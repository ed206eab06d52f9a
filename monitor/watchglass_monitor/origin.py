"""Which objects another interpreter can import by name, and which exist only in this session."""

import builtins
import sys
from types import ModuleType

_MUTABLE_HEAP = 1 << 9
_IMMUTABLE = 1 << 8


class ModuleDict:
    """Stands for the dict of an imported module where a function's globals are stored."""

    __slots__ = ("module",)

    def __init__(self, module: str) -> None:
        self.module = module


class Origin:
    """Answers for one namespace; caches for the length of one dump."""

    def __init__(self, namespace: dict[str, object]) -> None:
        name = namespace.get("__name__")
        self.namespace = namespace
        self._own_names = {"__main__", "__mp_main__", name if isinstance(name, str) else None}
        self._module_dicts: dict[str, ModuleDict] = {}
        self._defined_here: dict[type, bool] = {}

    def importable(self, value: object, module: object, qualified: object) -> bool:
        """Is `value` what `from module import qualified` gives?"""
        if not isinstance(module, str) or not isinstance(qualified, str):
            return False
        if module in self._own_names:
            return False
        found: object = sys.modules.get(module)
        if found is None:
            return False
        for part in qualified.split("."):
            try:
                found = getattr(found, part)
            except AttributeError:
                return False
        return found is value

    def defined_here(self, cls: type) -> bool:
        """Does `cls` have to be stored by value?"""
        known = self._defined_here.get(cls)
        if known is None:
            known = self._defined_here[cls] = self._is_stored_by_value(cls)
        return known

    def _is_stored_by_value(self, cls: type) -> bool:
        flags = cls.__flags__
        if not flags & _MUTABLE_HEAP or flags & _IMMUTABLE:
            return False
        return not self.importable(cls, type_module(cls), type_qualname(cls))

    def globals_of(self, names: dict[str, object]) -> object:
        """How a function's globals are written: as they are, or as a module's."""
        if names is self.namespace or names is builtins.__dict__:
            return names  # the pickler knows these two by identity
        name = names.get("__name__")
        module = sys.modules.get(name) if isinstance(name, str) else None
        if isinstance(name, str) and isinstance(module, ModuleType) and vars(module) is names:
            # One stand-in for each module, so that the memo writes it once.
            return self._module_dicts.setdefault(name, ModuleDict(name))
        return names

    def own_hooks(self, cls: type, *names: str) -> bool:
        """Does a class of this session among `cls` and its parents define one of `names`?"""
        return any(
            name in parent.__dict__
            for parent in cls.__mro__
            if self.defined_here(parent)
            for name in names
        )


def makes_itself(cls: type) -> bool:
    """Does `cls` need more than `object.__new__` to be made?"""
    # As objects: mypy takes the two for signatures that cannot be the same.
    own: object = cls.__new__
    return own is not vars(object)["__new__"]


def type_name(cls: type) -> str:
    """The class's name; a metaclass cannot hide it."""
    return str(type.__dict__["__name__"].__get__(cls))


def type_qualname(cls: type) -> str:
    """The class's qualified name; a metaclass cannot hide it."""
    return str(type.__dict__["__qualname__"].__get__(cls))


def type_module(cls: type) -> object:
    """The name of the module that defines the class, if it has one."""
    return cls.__dict__.get("__module__") or type.__dict__["__module__"].__get__(cls)
