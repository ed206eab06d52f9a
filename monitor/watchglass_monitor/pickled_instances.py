"""Instances of the session's own classes, where pickle's way would run user code or fail."""

import collections
from collections.abc import Callable

from watchglass_monitor.builtin_items import builtin_items
from watchglass_monitor.origin import Origin
from watchglass_monitor.pickled_functions import Reducer, Reduction

_NEW = ("__new__", "__getnewargs__", "__getnewargs_ex__")
_REDUCE = ("__reduce__", "__reduce_ex__")
_ATTRIBUTES = ("__getattr__", "__getattribute__", "__setattr__", "__delattr__")
_CONTENTS: dict[type, Callable[..., None]] = {
    list: list.extend,
    dict: dict.update,
    set: set.update,
    bytearray: bytearray.extend,
    collections.OrderedDict: collections.OrderedDict.update,
    collections.deque: collections.deque.extend,
    collections.defaultdict: dict.update,
    collections.Counter: dict.update,
}
# Types whose value is fixed when the object is made.
_FIXED = (bool, int, float, complex, str, bytes, tuple, frozenset)


def instance_reducer(cls: type, origin: Origin) -> Reducer | None:
    """How to store instances of `cls`; None where pickle's own way is right."""
    if origin.own_hooks(cls, *_REDUCE):
        return reduce_by_own_rule
    outside = _outside_parent(cls, origin)
    if issubclass(cls, BaseException):
        return reduce_exception
    if outside in _CONTENTS or outside in _FIXED:
        return reduce_raw
    if outside is not object:
        return None
    if _has_new(cls, origin) or origin.own_hooks(cls, *_ATTRIBUTES):
        return reduce_raw
    return None


def _has_new(cls: type, origin: Origin) -> bool:
    return origin.own_hooks(cls, "__new__") and not origin.own_hooks(cls, *_NEW[1:])


def _outside_parent(cls: type, origin: Origin) -> type:
    """The first parent that is not of this session and holds something."""
    for parent in cls.__mro__:
        if not origin.defined_here(parent) and (parent in _CONTENTS or parent in _FIXED):
            return parent
    for parent in cls.__mro__:
        if not origin.defined_here(parent) and not _is_empty_mixin(parent):
            return parent
    return object


def _is_empty_mixin(parent: type) -> bool:
    """Generic, Protocol, ABC, collections.abc.…: nothing in the instance comes from them."""
    if parent.__module__ not in ("typing", "_typing", "abc", "collections.abc"):
        return False
    return "__init__" not in parent.__dict__ or parent.__name__ in ("Generic", "Protocol")


def reduce_by_own_rule(value: object, origin: Origin) -> Reduction:
    reduced = value.__reduce_ex__(5)
    if isinstance(reduced, str):
        # "The global of that name": but that is the very object to be stored.
        return reduce_raw(value, origin)
    return reduced


def reduce_raw(value: object, origin: Origin) -> Reduction:
    """Without the class's own __new__, __init__, __setattr__ and __setitem__."""
    cls = type(value)
    state = _state(value)
    outside = _outside_parent(cls, origin)
    if outside in _FIXED:
        made = (cls, outside, _fixed_value(value, outside))
        return make_raw, made, (state, None), None, None, set_raw_state
    if outside not in _CONTENTS:
        return make_raw, (cls, object), (state, None), None, None, set_raw_state
    contents = _contents(value)
    return make_raw, (cls, outside), (state, contents), None, None, set_raw_state


def _state(value: object) -> object:
    cls = type(value)
    getstate = getattr(cls, "__getstate__", object.__getstate__)
    return getstate(value)


def _fixed_value(value: object, outside: type) -> object:
    """The plain value inside an instance of a subclass."""
    if issubclass(outside, tuple | frozenset):
        return outside(builtin_items(value))
    arguments: Callable[[object], tuple[object]] = vars(outside)["__getnewargs__"]
    return arguments(value)[0]


def _contents(value: object) -> tuple[object, ...]:
    if isinstance(value, dict):
        items = dict(dict.items(value))
        if isinstance(value, collections.defaultdict):
            return items, value.default_factory
        return (items,)
    if isinstance(value, collections.deque):
        return list(builtin_items(value)), value.maxlen
    if isinstance(value, bytearray):
        return (bytes(value),)
    return (list(builtin_items(value)),)


def make_raw(cls: type, outside: type, *arguments: object) -> object:
    return outside.__new__(cls, *arguments)


def set_raw_state(value: object, parts: tuple[object, object]) -> None:
    state, contents = parts
    # State first: a user's __hash__ or __eq__ reads it when the contents go in.
    if state is not None:
        _set_state(value, state)
    if isinstance(contents, tuple):
        _fill(value, *contents)


def _set_state(value: object, state: object) -> None:
    setstate = getattr(type(value), "__setstate__", None)
    if setstate is not None:
        setstate(value, state)
        return
    attributes, slots = state if isinstance(state, tuple) and len(state) == 2 else (state, None)
    if isinstance(attributes, dict) and attributes:
        instance_dict = object.__getattribute__(value, "__dict__")
        instance_dict.update(attributes)
    if isinstance(slots, dict):
        for name, held in slots.items():
            object.__setattr__(value, name, held)


def _fill(value: object, items: object, extra: object = None) -> None:
    if isinstance(value, collections.defaultdict):
        value.default_factory = extra  # type: ignore[assignment]
    if isinstance(value, collections.deque):
        start: Callable[..., None] = collections.deque.__init__
        start(value, items, extra)
        return
    for parent in type(value).__mro__:
        if parent in _CONTENTS:
            _CONTENTS[parent](value, items)
            return


def reduce_exception(problem: BaseException, origin: Origin) -> Reduction:
    outside = _outside_parent(type(problem), origin)
    chain = (problem.__cause__, problem.__context__, problem.__suppress_context__)
    state = (dict(vars(problem)), chain)
    made = (type(problem), outside, problem.args)
    return make_exception, made, state, None, None, set_exception_state


def make_exception(
    cls: type[BaseException], outside: type[BaseException], arguments: tuple[object, ...]
) -> BaseException:
    problem = outside.__new__(cls, *arguments)
    # The builtin __init__, not the user's: it fills in errno, value, code and the like.
    outside.__init__(problem, *arguments)
    return problem


def set_exception_state(
    problem: BaseException,
    state: tuple[dict[str, object], tuple[BaseException | None, BaseException | None, bool]],
) -> None:
    attributes, (cause, context, suppress) = state
    vars(problem).update(attributes)
    problem.__cause__ = cause
    problem.__context__ = context
    problem.__suppress_context__ = suppress


MAKERS = (make_raw, set_raw_state, make_exception, set_exception_state)
