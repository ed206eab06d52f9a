"""Builtin and library values that pickle refuses or takes apart -> how to make them again."""

import ast
import gc
import itertools
import typing
import weakref
from collections.abc import Callable
from types import MappingProxyType

from watchglass_monitor.origin import Origin
from watchglass_monitor.pickled_functions import Reducer, Reduction


def reduce_mapping_proxy(proxy: MappingProxyType[object, object], origin: Origin) -> Reduction:
    # The mapping behind it, not a copy: who holds both still sees the same one.
    return MappingProxyType, (gc.get_referents(proxy)[0],)


def reduce_memoryview(view: memoryview, origin: Origin) -> Reduction:
    whole = memoryview(view.obj)
    if (whole.nbytes, whole.format, whole.shape) == (view.nbytes, view.format, view.shape):
        return memoryview, (view.obj,)
    return make_memoryview, (view.tobytes(), view.format, view.shape)


def make_memoryview(data: bytes, kind: str, shape: tuple[int, ...]) -> memoryview:
    return memoryview(data).cast("B").cast(kind, shape)  # type: ignore[call-overload,no-any-return]


def reduce_dict_view(view: object, origin: Origin) -> Reduction:
    # view.mapping is only a proxy of the dict.
    return make_dict_view, (type(view).__name__, gc.get_referents(view)[0])


def make_dict_view(name: str, mapping: dict[object, object]) -> object:
    return _VIEWS[name](mapping)


_VIEWS: dict[str, Callable[[dict[object, object]], object]] = {
    "dict_keys": dict.keys,
    "dict_values": dict.values,
    "dict_items": dict.items,
}


def reduce_super(value: typing.Any, origin: Origin) -> Reduction:
    return super, (value.__thisclass__, value.__self__)


def reduce_weak_reference(reference: "weakref.ref[object]", origin: Origin) -> Reduction:
    return make_weak_reference, (reference(),)


def make_weak_reference(target: object) -> "weakref.ref[object]":
    if target is None:
        return weakref.ref(_Gone())
    return weakref.ref(target)


class _Gone:
    """What a dead weak reference pointed to."""


def reduce_weak_container(container: typing.Any, origin: Origin) -> Reduction:
    plain = list(container) if isinstance(container, weakref.WeakSet) else dict(container)
    return type(container), (plain,)


def reduce_count(count: object, origin: Origin) -> Reduction:
    """How programs number things; other iterators of itertools do not tell where they are."""
    try:
        arguments = ast.literal_eval(repr(count).removeprefix("count"))
    except ValueError:  # it counts something other than numbers
        return None
    return itertools.count, arguments if isinstance(arguments, tuple) else (arguments,)


def reduce_bound_to_loop(value: object, origin: Origin) -> Reduction:
    """asyncio's queues, locks and events: the next await binds them to the loop of then."""
    return make_empty, (type(value),), {**vars(value), "_loop": None}


def make_empty(cls: type) -> object:
    return object.__new__(cls)


REDUCERS: dict[type, Reducer] = {
    MappingProxyType: reduce_mapping_proxy,
    memoryview: reduce_memoryview,
    type({}.keys()): reduce_dict_view,
    type({}.values()): reduce_dict_view,
    type({}.items()): reduce_dict_view,
    super: reduce_super,
    itertools.count: reduce_count,
    weakref.ref: reduce_weak_reference,
    weakref.WeakSet: reduce_weak_container,
    weakref.WeakKeyDictionary: reduce_weak_container,
    weakref.WeakValueDictionary: reduce_weak_container,
}
MAKERS = (make_memoryview, make_dict_view, make_weak_reference, make_empty)
