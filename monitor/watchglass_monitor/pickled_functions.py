"""Functions, their code, closures and decorations -> how to make them again."""

import functools
import importlib
import marshal
from types import CellType, CodeType, FunctionType, MethodType, ModuleType

from watchglass_monitor.origin import ModuleDict, Origin

Reduction = tuple[object, ...] | str | None


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
        state = (cell.cell_contents,)
    except ValueError:  # nothing assigned yet
        return make_cell, ()
    return make_cell, (), state, None, None, set_cell


def reduce_module_dict(stand_in: ModuleDict, origin: Origin) -> Reduction:
    return module_dict, (stand_in.module,)


def reduce_method(method: MethodType, origin: Origin) -> Reduction:
    # Not getattr(self, name), as pickle does it: that runs the user's code.
    return MethodType, (method.__func__, method.__self__)


def import_module(name: str) -> ModuleType:
    return importlib.import_module(name)


def make_module(name: str, doc: str | None) -> ModuleType:
    return ModuleType(name, doc)


def set_module_state(module: ModuleType, names: dict[str, object]) -> None:
    vars(module).update(names)


def reduce_decorator(
    decorator: "staticmethod[..., object] | classmethod[object, ..., object]", origin: Origin
) -> Reduction:
    state = dict(vars(decorator))
    for name in ("__wrapped__", *_COPIED):
        state.pop(name, None)
    made = type(decorator), (decorator.__func__,)
    return (*made, state, None, None, set_attributes) if state else made


# What staticmethod and classmethod copy from the function when they are made.
_COPIED = ("__module__", "__name__", "__qualname__", "__doc__", "__annotations__", "__annotate__")


def set_attributes(value: object, attributes: dict[str, object]) -> None:
    vars(value).update(attributes)


def reduce_property(value: property, origin: Origin) -> Reduction:
    made = type(value), (value.fget, value.fset, value.fdel, value.__doc__)
    state = dict(getattr(value, "__dict__", {}))
    if (name := _property_name(value)) is not None:
        state["__name__"] = name
    return (*made, state, None, None, set_property_state) if state else made


def _property_name(value: property) -> str | None:
    # Set on the property itself since 3.13; before, and if unset, it is the getter's.
    name = getattr(value, "__name__", None)
    getter = getattr(value.fget, "__name__", None)
    return name if isinstance(name, str) and name != getter else None


def set_property_state(value: property, state: dict[str, object]) -> None:
    name = state.pop("__name__", None)
    if name is not None:
        setattr(value, "__name__", name)  # noqa: B010  the stubs know it from 3.13 on
    if state:
        vars(value).update(state)


def make_lru_cache(function: object, maxsize: int | None, typed: bool) -> object:
    return functools.lru_cache(maxsize, typed)(function)  # type: ignore[arg-type]


def reduce_lru_cache(
    cached: "functools._lru_cache_wrapper[object]", origin: Origin
) -> Reduction:
    module, qualified = cached.__module__, cached.__qualname__
    if origin.importable(cached, module, qualified):
        return None
    parameters = cached.cache_parameters()
    made = (cached.__wrapped__, parameters["maxsize"], parameters["typed"])
    return make_lru_cache, made, vars(cached), None, None, set_attributes


def make_cached_property(function: object) -> "functools.cached_property[object]":
    return functools.cached_property(function)  # type: ignore[arg-type]


def reduce_cached_property(
    value: "functools.cached_property[object]", origin: Origin
) -> Reduction:
    # Up to 3.11 it holds a lock, which cannot be stored and need not be.
    state = {name: held for name, held in vars(value).items() if name != "lock"}
    return make_cached_property, (value.func,), state, None, None, set_attributes
