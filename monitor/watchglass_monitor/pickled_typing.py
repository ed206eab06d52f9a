"""Type variables, aliases and new types of a session -> how to make them again."""

import typing
from collections.abc import Callable

from watchglass_monitor.origin import Origin
from watchglass_monitor.pickled_decorators import set_attributes
from watchglass_monitor.pickled_functions import Reducer, Reduction


def reduce_type_variable(variable: typing.Any, origin: Origin) -> Reduction:
    if origin.importable(variable, variable.__module__, variable.__name__):
        return None
    options: dict[str, object] = {"bound": variable.__bound__}
    for option in ("covariant", "contravariant", "infer_variance"):
        if getattr(variable, f"__{option}__", False):
            options[option] = True
    return _with_default(variable, variable.__constraints__, options)


def reduce_parameter_variable(variable: typing.Any, origin: Origin) -> Reduction:
    """ParamSpec and TypeVarTuple."""
    if origin.importable(variable, variable.__module__, variable.__name__):
        return None
    return _with_default(variable, (), {})


def _with_default(
    variable: typing.Any, constraints: tuple[object, ...], options: dict[str, object]
) -> Reduction:
    if getattr(variable, "has_default", bool)():
        options["default"] = variable.__default__
    made = (type(variable), variable.__name__, constraints, options, variable.__module__)
    return make_type_variable, made


def make_type_variable(
    kind: Callable[..., typing.Any],
    name: str,
    constraints: tuple[object, ...],
    options: dict[str, object],
    module: str,
) -> object:
    variable = kind(name, *constraints, **options)
    # Otherwise it is the module of this very function.
    variable.__module__ = module
    return variable


def reduce_type_alias(alias: typing.Any, origin: Origin) -> Reduction:
    if origin.importable(alias, alias.__module__, alias.__name__):
        return None
    return make_type_alias, (alias.__name__, alias.__value__, alias.__type_params__)


def make_type_alias(name: str, value: object, parameters: tuple[object, ...]) -> object:
    kind: Callable[..., object] = getattr(typing, "TypeAliasType")  # noqa: B009  since 3.12
    return kind(name, value, type_params=parameters)


def reduce_new_type(kind: typing.Any, origin: Origin) -> Reduction:
    if origin.importable(kind, kind.__module__, kind.__qualname__):
        return None
    made = (kind.__name__, kind.__supertype__)
    return typing.NewType, made, dict(vars(kind)), None, None, set_attributes


REDUCERS: dict[type, Reducer] = {
    typing.TypeVar: reduce_type_variable,
    typing.ParamSpec: reduce_parameter_variable,
    typing.TypeVarTuple: reduce_parameter_variable,
    typing.NewType: reduce_new_type,
}
if _alias := getattr(typing, "TypeAliasType", None):
    REDUCERS[_alias] = reduce_type_alias
MAKERS = (make_type_variable, make_type_alias)
