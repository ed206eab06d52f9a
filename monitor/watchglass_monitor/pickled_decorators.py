"""What decorators leave in the place of a function -> how to make it again."""

import functools
import gc
from collections.abc import Callable

from watchglass_monitor.origin import Origin
from watchglass_monitor.pickled_functions import Reducer, Reduction


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


def reduce_lru_cache(cached: "functools._lru_cache_wrapper[object]", origin: Origin) -> Reduction:
    module, qualified = cached.__module__, cached.__qualname__
    if origin.importable(cached, module, qualified):
        return None
    parameters = cached.cache_parameters()
    made = (cached.__wrapped__, parameters["maxsize"], parameters["typed"])
    return make_lru_cache, made, vars(cached), None, None, set_attributes


def make_cached_property(function: object) -> "functools.cached_property[object]":
    return functools.cached_property(function)  # type: ignore[arg-type]


def reduce_cached_property(value: "functools.cached_property[object]", origin: Origin) -> Reduction:
    # Up to 3.11 it holds a lock, which cannot be stored and need not be.
    state = {name: held for name, held in vars(value).items() if name != "lock"}
    return make_cached_property, (value.func,), state, None, None, set_attributes


def reduce_partial_method(method: "functools.partialmethod[object]", origin: Origin) -> Reduction:
    # pickle's own way fails since 3.14: making one needs its arguments at once.
    made = (method.func, method.args, method.keywords)
    return make_partial_method, made, dict(vars(method)), None, None, set_attributes


def make_partial_method(
    function: Callable[..., object], arguments: tuple[object, ...], keywords: dict[str, object]
) -> "functools.partialmethod[object]":
    return functools.partialmethod(function, *arguments, **keywords)


def reduce_key_wrapper(key: object, origin: Origin) -> Reduction:
    """What functools.cmp_to_key made."""
    compare = next(each for each in gc.get_referents(key) if each is not type(key))
    return functools.cmp_to_key, (compare,)


REDUCERS: dict[type, Reducer] = {
    staticmethod: reduce_decorator,
    classmethod: reduce_decorator,
    property: reduce_property,
    functools._lru_cache_wrapper: reduce_lru_cache,
    functools.cached_property: reduce_cached_property,
    functools.partialmethod: reduce_partial_method,
    type(functools.cmp_to_key(lambda one, other: 0)): reduce_key_wrapper,
}
MAKERS = (
    *(set_attributes, set_property_state, make_lru_cache, make_cached_property),
    make_partial_method,
)
