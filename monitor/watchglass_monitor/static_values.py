"""An expression -> what it stands for, found without running any code of the user's."""

import ast
import builtins
import inspect
import types
from dataclasses import dataclass

_MISSING = object()
_MAX_CHARS = 2000
_DISPLAYS: dict[type[ast.expr], type] = {
    ast.List: list,
    ast.ListComp: list,
    ast.Dict: dict,
    ast.DictComp: dict,
    ast.Set: set,
    ast.SetComp: set,
    ast.Tuple: tuple,
    ast.JoinedStr: str,
}


@dataclass(frozen=True, slots=True)
class Known:
    """A value, or only the class of a value that does not exist yet."""

    value: object = _MISSING
    instance_of: type | None = None

    @property
    def has_value(self) -> bool:
        return self.value is not _MISSING

    @property
    def cls(self) -> type:
        return self.instance_of or type(self.value)


def known_value(source: str, namespace: dict[str, object]) -> Known | None:
    """What `source` stands for now."""
    if len(source) > _MAX_CHARS:
        return None
    try:
        tree = ast.parse(source.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    return _known(tree.body, namespace)


def _known(node: ast.expr, namespace: dict[str, object]) -> Known | None:
    match node:
        case ast.Constant(value=constant):
            return Known(constant)
        case ast.Name(id=name):
            value = namespace.get(name, vars(builtins).get(name, _MISSING))
            return None if value is _MISSING else Known(value)
        case ast.Attribute(value=inner, attr=name):
            owner = _known(inner, namespace)
            return None if owner is None else attribute(owner, name)
        case ast.Subscript(value=inner, slice=index):
            return _item(_known(inner, namespace), _known(index, namespace))
        case ast.Call(func=inner):
            return _called(_known(inner, namespace))
        case _ if type(node) in _DISPLAYS:
            return Known(instance_of=_DISPLAYS[type(node)])
    return None


def _item(owner: Known | None, index: Known | None) -> Known | None:
    if owner is None or index is None or not (owner.has_value and index.has_value):
        return None
    container, key = owner.value, index.value
    if type(key) not in (str, int, bool, float, bytes, type(None)):
        return None
    if isinstance(container, dict):
        held = dict.get(container, key, _MISSING)
    elif isinstance(container, list) and isinstance(key, int):
        held = (
            list.__getitem__(container, key)
            if _is_inside(list.__len__(container), key)
            else _MISSING
        )
    elif isinstance(container, tuple) and isinstance(key, int):
        held = (
            tuple.__getitem__(container, key)
            if _is_inside(tuple.__len__(container), key)
            else _MISSING
        )
    else:
        return None
    return None if held is _MISSING else Known(held)


def _is_inside(length: int, index: int) -> bool:
    return -length <= index < length


def _called(function: Known | None) -> Known | None:
    """A call of a class gives an instance of it; other calls nobody can know."""
    if function is None or not function.has_value:
        return None
    value = function.value
    if value is type or not isinstance(value, type):
        return None
    return Known(instance_of=value)


def attribute(owner: Known, name: str) -> Known | None:
    """`owner.name` without its descriptors' code."""
    found = attributes(owner).get(name, _MISSING)
    if found is _MISSING:
        return None
    if isinstance(found, staticmethod):
        return Known(found.__func__)
    if isinstance(found, classmethod):
        bound_to = owner.value if isinstance(owner.value, type) else owner.cls
        return Known(types.MethodType(found.__func__, bound_to))
    if isinstance(found, types.FunctionType) and _binds(owner, name):
        # Bound, so that its signature is the one to call it with.
        return Known(types.MethodType(found, owner.value if owner.has_value else object()))
    if isinstance(found, types.MemberDescriptorType | types.GetSetDescriptorType) and (
        owner.has_value
    ):
        # Written in C: reading it runs nothing of the user's.
        try:
            return Known(_read(found, owner))
        except Exception:
            return None
    return Known(found)


def _read(slot: types.MemberDescriptorType | types.GetSetDescriptorType, owner: Known) -> object:
    return slot.__get__(owner.value, owner.cls)


def _binds(owner: Known, name: str) -> bool:
    """Is `name` a method of the owner's class, rather than the owner's own?"""
    if not owner.has_value:
        return True
    if isinstance(owner.value, types.ModuleType):
        return False
    if isinstance(owner.value, type):
        return not any(name in cls.__dict__ for cls in owner.value.__mro__)
    return name not in instance_dict(owner.value)


def attributes(owner: Known) -> dict[str, object]:
    """All names after the dot, with what their dicts hold for them."""
    found: dict[str, object] = {}
    for cls in reversed(type.mro(type) if owner.cls is type else owner.cls.__mro__):
        found.update(cls.__dict__)
    if not owner.has_value:
        return _named(found)
    value = owner.value
    if isinstance(value, type):
        for cls in reversed(value.__mro__):
            found.update(cls.__dict__)
    elif _is_javascript(value):
        found.update((name, None) for name in dir(value))
    else:
        found.update(instance_dict(value))
    return _named(found)


def _named(found: dict[str, object]) -> dict[str, object]:
    return {name: held for name, held in found.items() if isinstance(name, str)}


def instance_dict(value: object) -> dict[str, object]:
    """The instance's own attributes, past any `__getattribute__`."""
    try:
        held = object.__getattribute__(value, "__dict__")
    except (AttributeError, TypeError):
        return {}
    # A copy: the session may be in the middle of changing it.
    return dict(held) if type(held) is dict else {}


def _is_javascript(value: object) -> bool:
    return type(value).__module__.startswith("pyodide") and "Js" in type(value).__name__


def type_of(held: object) -> str:
    """What kind of thing a name stands for, as the page shows it."""
    if isinstance(held, types.ModuleType):
        return "module"
    if isinstance(held, type):
        return "class"
    if isinstance(held, property):
        return "property"
    if isinstance(held, types.MemberDescriptorType | types.GetSetDescriptorType):
        return "property"
    if isinstance(held, staticmethod | classmethod) or inspect.isroutine(held):
        return "function"
    return "instance"
