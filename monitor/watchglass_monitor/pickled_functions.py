"""Functions, their code, cells and globals -> how to make them again."""

import gc
import importlib
import marshal
from collections.abc import Callable, Iterator
from types import (
    CellType,
    CodeType,
    FunctionType,
    GetSetDescriptorType,
    MemberDescriptorType,
)
from typing import cast

from watchglass_monitor.origin import ModuleDict, Origin

Reduction = tuple[object, ...] | str | None
# Takes the object and its Origin; None leaves the object to pickle.
Reducer = Callable[..., Reduction]


def make_code(data: bytes) -> CodeType:
    code = marshal.loads(data)
    if not isinstance(code, CodeType):
        raise ValueError("the stored code of a function is damaged; run its definition again")
    return code


def make_cell() -> CellType:
    return CellType()


def set_cell(cell: CellType, state: tuple[object]) -> None:
    cell.cell_contents = state[0]


def module_dict(name: str) -> dict[str, object]:
    return vars(importlib.import_module(name))


def make_function(
    code: CodeType,
    names: dict[str, object],
    name: str,
    closure: tuple[CellType, ...] | None,
) -> FunctionType:
    return FunctionType(code, names, name, None, closure)


_PLAIN_FIELDS = ("__defaults__", "__kwdefaults__", "__doc__", "__module__", "__qualname__")


def set_function_state(function: FunctionType, state: dict[str, object]) -> None:
    attributes = state.pop("__dict__", None)
    if isinstance(attributes, dict):
        function.__dict__.update(attributes)
    for name, value in state.items():
        setattr(function, name, value)


def reduce_function(function: FunctionType, origin: Origin) -> Reduction:
    if origin.importable(function, function.__module__, function.__qualname__):
        return None
    names = origin.globals_of(function.__globals__)
    skeleton = (function.__code__, names, function.__name__, function.__closure__)
    state = {field: getattr(function, field) for field in _PLAIN_FIELDS}
    if function.__dict__:
        state["__dict__"] = function.__dict__
    if parameters := getattr(function, "__type_params__", ()):
        state["__type_params__"] = parameters
    state.update(_annotations(function))
    return make_function, skeleton, state, None, None, set_function_state


def _annotations(function: FunctionType) -> dict[str, object]:
    # Since 3.14 reading __annotations__ runs code of the user's: store what would be run.
    annotate = getattr(function, "__annotate__", None)
    if annotate is not None:
        return {"__annotate__": annotate}
    annotations = function.__annotations__
    return {"__annotations__": annotations} if annotations else {}


def reduce_code(code: CodeType, origin: Origin) -> Reduction:
    return make_code, (marshal.dumps(code),)


def reduce_cell(cell: CellType, origin: Origin) -> Reduction:
    try:
        contents = cell.cell_contents
    except ValueError:  # nothing assigned yet
        return make_cell, ()
    if type(contents) is dict and (owner := _owner_of_dict(contents)) is not None:
        return make_cell, (), owner, None, None, set_class_dict_cell
    return make_cell, (), (contents,), None, None, set_cell


def _owner_of_dict(names: dict[str, object]) -> type | None:
    """The class whose own dict this is: since 3.12 annotations of methods refer to it."""
    if "__module__" not in names or "__doc__" not in names:
        return None
    for held in names.values():
        owner = getattr(held, "__objclass__", None) if type(held) in _MEMBERS else None
        if owner is not None and class_dict(owner) is names:
            return cast(type, owner)
    return next((cls for cls in _all_classes() if class_dict(cls) is names), None)


_MEMBERS = (GetSetDescriptorType, MemberDescriptorType)


def _all_classes() -> Iterator[type]:
    seen: set[type] = {object}
    waiting: list[type] = [object]
    while waiting:
        cls = waiting.pop()
        yield cls
        fresh: set[type] = set(type.__subclasses__(cls)) - seen
        seen |= fresh
        waiting.extend(fresh)


def class_dict(cls: type) -> object:
    """The dict of a class itself, not the proxy that `__dict__` gives."""
    return gc.get_referents(cls.__dict__)[0]


def set_class_dict_cell(cell: CellType, cls: type) -> None:
    cell.cell_contents = class_dict(cls)


def reduce_module_dict(stand_in: ModuleDict, origin: Origin) -> Reduction:
    return module_dict, (stand_in.module,)


REDUCERS: dict[type, Reducer] = {
    FunctionType: reduce_function,
    CodeType: reduce_code,
    CellType: reduce_cell,
    ModuleDict: reduce_module_dict,
}
MAKERS = (
    *(make_function, set_function_state, make_code, module_dict),
    *(make_cell, set_cell, set_class_dict_cell),
)
