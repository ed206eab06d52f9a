"""Runs inside the interpreter under test: the walk in WebAssembly beside the one in Python."""

import array
import collections
import contextlib
import copy
import dataclasses
import datetime
import decimal
import enum
import functools
import gc
import io
import json
import random
import types
import weakref
from collections.abc import Callable
from time import perf_counter
from typing import Any

from watchglass_monitor.fingerprint import fingerprint
from watchglass_monitor.native_fingerprint import (
    COMPLETE,
    NativeFingerprints,
    NativeWalk,
    self_test,
    status_of,
)

# What the walks say of the values: None where only Python can walk.
Seen = list[int | None]


class _Main:
    __module__ = "__main__"


class Unit(_Main):
    __module__ = "__main__"
    kind = "unit"

    def __init__(self, hp: int) -> None:
        self.hp = hp
        self.bag: list[Any] = []


class Slotted:
    __module__ = "__main__"
    __slots__ = ("a", "b")

    def __init__(self) -> None:
        self.a: Any = [1]


class Further(Slotted):
    __module__ = "__main__"
    __slots__ = ("__dict__", "__weakref__", "c")


class Listed(list[Any]):
    __module__ = "__main__"


class Mapped(dict[Any, Any]):
    __module__ = "__main__"
    __slots__ = ("extra",)


class Queued(collections.deque[Any]):
    __module__ = "__main__"


class Number(int):
    __module__ = "__main__"


class Text(str):
    __module__ = "__main__"


class Fault(Exception):
    __module__ = "__main__"


class Colour(enum.Enum):
    RED = [1]  # noqa: RUF012


@dataclasses.dataclass
class Point:
    x: float = 0.0
    tags: list[Any] = dataclasses.field(default_factory=list)


Point.__module__ = Colour.__module__ = "__main__"
Pair = collections.namedtuple("Pair", "left right")
Pair.__module__ = "__main__"


class Named(Pair):
    __module__ = "__main__"


def _closure() -> Any:
    count: Any = [0]

    def more(step: Any = [1], *, by: Any = {"a": 1}) -> Any:  # noqa: B006
        nonlocal count
        count = [count, step, by]

    return more


def _class() -> Any:
    space = {"__module__": "__main__", "size": 1, "items": [1], "area": property(lambda self: 1)}
    return type("Made", (Unit,), space)


def _noted() -> Any:
    fault = Fault([1])
    fault.add_note("n")
    return fault


MAKERS: tuple[Callable[[], Any], ...] = (
    lambda: [1, 2.5, "three", None, True, 4j, b"five"],
    lambda: [[n, [n, {n: [n]}]] for n in range(5)],
    lambda: list(range(3000)),
    lambda: ["x" * 3000, "é" * 40, "✓" * 40, "😀" * 40, "a\ud800\0b"],
    lambda: [2**n for n in (1, 29, 30, 31, 60, 61, 1000)],
    lambda: {"a": 1, 2: [2], (3, "b"): {"c": {}}},
    lambda: {n: {str(n): n} for n in range(40)},
    lambda: {1, "a", (2, 3), frozenset({4})},
    lambda: [frozenset({1, 2}), frozenset()],
    lambda: ([1], {"a": 2}, {3}, bytearray(b"4")),
    lambda: collections.deque([1, [2]]),
    lambda: Queued([1, [2]], maxlen=9),
    lambda: collections.defaultdict(list, a=[1]),
    lambda: collections.Counter("abb"),
    lambda: collections.OrderedDict(a=1, b=[2]),
    lambda: collections.ChainMap({}, {"a": 1}),
    lambda: collections.UserList([1]),
    lambda: Unit(10),
    lambda: [Unit(n) for n in range(20)],
    Slotted,
    Further,
    lambda: Listed([1, [2]]),
    lambda: Mapped(a=1),
    lambda: [Number(5), Text("héllo"), Named(1, [2]), Pair([1], {})],
    lambda: Point(1.5, [1]),
    lambda: [Point(n) for n in range(9)],
    lambda: bytearray(range(200)),
    lambda: array.array("d", [1.0] * 50),
    lambda: memoryview(bytearray(64)),
    lambda: memoryview(bytearray(64)).cast("I"),
    lambda: iter([1, 2, 3]),
    lambda: iter({1: 2, 3: 4}.items()),
    lambda: zip([1, 2, 3], "abc", strict=True),
    lambda: enumerate([[1], [2]]),
    lambda: (n for n in range(9)),
    _closure,
    _class,
    lambda: types.SimpleNamespace(a=1, b=[2]),
    lambda: functools.partial(int, base=10),
    _noted,
    lambda: Unit(3).bag.append,
    lambda: [datetime.datetime(2026, 1, 2), datetime.date(2026, 1, 2), datetime.timedelta(3)],
    lambda: [decimal.Decimal("1.5"), decimal.Decimal("-inf"), decimal.Decimal(10**90), [1]],
    lambda: io.StringIO("abc"),
    lambda: random.Random(1),
    lambda: [Colour.RED],
    lambda: types.MappingProxyType({"a": [1]}),
    lambda: [datetime.datetime(2026, 1, 2, tzinfo=datetime.UTC), datetime.time(1)],
)

FRESH: tuple[Callable[[int], Any], ...] = (
    int, float, str, lambda n: -n, lambda n: n % 2 == 0, lambda n: None, lambda n: [n],
    lambda n: {n: n}, lambda n: (n, [n]), lambda n: Unit(n), lambda n: 2 ** (n * 7),
    lambda n: "é" * n, lambda n: {n}, lambda n: bytes([n]), lambda n: complex(n, 1),
    lambda n: Point(n), lambda n: Unit,
    lambda n: float("nan"), lambda n: Slotted(), lambda n: frozenset([n]), lambda n: 0.0 * -n,
    lambda n: collections.deque([n]), lambda n: bytearray([n]),
    lambda n: datetime.datetime(2026, 1, 1 + n % 28), lambda n: decimal.Decimal(n) / 7,
)  # fmt: skip


def _list_steps(chance: random.Random, value: Any, fresh: Any) -> None:
    at = chance.randrange(len(value)) if value else None
    step = chance.randrange(7)
    if step == 0 or at is None:
        value.append(fresh)
    elif step == 1:
        value[at] = fresh
    elif step == 2:
        del value[at]
    elif step == 3:
        value.reverse()
    elif step == 4:
        value.insert(at, fresh)
    elif step == 5:
        value[at], value[-1] = value[-1], value[at]
    else:
        value.extend([fresh, fresh])


def _dict_steps(chance: random.Random, value: Any, fresh: Any) -> None:
    keys = list(dict.keys(value))
    step = chance.randrange(5)
    if step == 0 or not keys:
        value[f"k{chance.randrange(20)}"] = fresh
    elif step == 1:
        value[chance.choice(keys)] = fresh
    elif step == 2:
        del value[chance.choice(keys)]
    elif step == 3:
        key = chance.choice(keys)
        value[key] = value.pop(key)
    else:
        value[(chance.randrange(9), "key")] = fresh


def _attribute_steps(chance: random.Random, value: Any, fresh: Any) -> None:
    names = ["hp", "bag", "a", "b", "c", "x", "tags", "extra", "kind", "fresh", "more"]
    name = chance.choice(names)
    step = chance.randrange(4)
    if step == 0 and hasattr(value, name):
        delattr(value, name)
    elif step == 1:
        other = chance.choice(names)
        setattr(value, name, getattr(value, other, fresh))
    else:
        setattr(value, name, fresh)


def _other_steps(chance: random.Random, value: Any, fresh: Any) -> None:
    if isinstance(value, (set, collections.deque)):
        add = (
            value.add if isinstance(value, set) else chance.choice([value.append, value.appendleft])
        )
        if chance.random() < 0.6 or not value:
            add(chance.randrange(99) if isinstance(value, set) else fresh)
        else:
            value.pop()
    elif isinstance(value, (bytearray, memoryview, array.array)):
        value[chance.randrange(len(value))] = chance.randrange(200)
    elif isinstance(value, types.FunctionType):
        steps: list[Any] = [value, lambda: setattr(value, "note", fresh)]
        chance.choice([*steps, lambda: _defaults(value, fresh)])()
    elif isinstance(value, io.StringIO):
        value.write("x")
    elif isinstance(value, random.Random):
        value.random()
    elif isinstance(value, functools.partial):
        value.keywords["base"] = chance.randrange(2, 30)
    elif hasattr(value, "__next__"):
        next(value, None)
    else:
        _attribute_steps(chance, value, fresh)


def _defaults(function: Any, fresh: Any) -> None:
    function.__defaults__ = ([fresh],)


def _inside(chance: random.Random, value: Any) -> Any:
    """Something that can be changed, at some depth of a value."""
    for _ in range(chance.randrange(4)):
        held = _held(value)
        if not held:
            break
        value = chance.choice(held)
    return value


def _held(value: Any) -> list[Any]:
    if isinstance(value, (list, tuple, collections.deque, collections.UserList)):
        found = list(value)
    elif isinstance(value, (dict, types.MappingProxyType)):
        found = list(value.values())
    elif isinstance(value, (Unit, Slotted, Point, types.SimpleNamespace, Fault)):
        found = [getattr(value, name, None) for name in ("bag", "a", "b", "tags", "fresh")]
    else:
        found = []
    plain = (int, float, str, bytes, complex, type(None), frozenset, datetime.date, decimal.Decimal)
    return [item for item in found if not isinstance(item, plain) and type(item) is not type]


def change(chance: random.Random, value: Any) -> None:
    """Changes something in a value, or fails to."""
    place, fresh = _inside(chance, value), chance.choice(FRESH)(chance.randrange(200))
    try:
        if isinstance(place, list) and chance.random() < 0.8:
            _list_steps(chance, place, fresh)
        elif isinstance(place, dict) and chance.random() < 0.8:
            _dict_steps(chance, place, fresh)
        else:
            _other_steps(chance, place, fresh)
    except (
        TypeError,
        AttributeError,
        ValueError,
        IndexError,
        KeyError,
        RuntimeError,
        OverflowError,
    ):
        pass


LOOKS: tuple[Callable[[Any], object], ...] = (
    repr, dir, copy.copy, lambda v: v == v, lambda v: [hash(i) for i in v], weakref.ref, vars,
    lambda v: [i.encode() for i in v], lambda v: [vars(i) for i in v], lambda v: gc.collect(0),
    lambda v: [weakref.ref(i) for i in v], lambda v: [dict(vars(i)) for i in v], lambda v: v.hp,
    lambda v: v.kind, lambda v: [i.hp for i in v], lambda v: list(dict.items(v)), hash,
    lambda v: json.dumps(vars(v)), lambda v: isinstance(v, Unit), lambda v: sorted(v),
    lambda v: v.__class__, lambda v: v.__doc__, lambda v: v.__name__, type,
)  # fmt: skip


def look(chance: random.Random, value: Any) -> None:
    """Looks at a value in a way that changes nothing, though it may fill a cache."""
    if hasattr(value, "__next__"):
        return
    with contextlib.suppress(TypeError, AttributeError, ValueError, KeyError):
        chance.choice(LOOKS)(_inside(chance, value))


def compare(native: NativeFingerprints, seed: str, wanted: int) -> dict[str, Any]:
    """Random changes and looks: what each walk says of all values after each of them."""
    chance = random.Random(seed)
    told = {"compared": 0, "changed": 0, "foreign": 0, "more": 0}
    while told["compared"] < wanted:
        values = [make() for make in MAKERS]
        before = (native_of(native, values), [fingerprint(value) for value in values])
        for step in range(150):
            at, is_look = chance.randrange(len(values)), chance.random() < 0.3
            (look if is_look else change)(chance, values[at])
            after = (native_of(native, values), [fingerprint(value) for value in values])
            problem = _disagreement(before, after, is_look, told)
            if problem is not None:
                value = values[problem]
                return {"wrong": f"{seed}, {step}, {is_look}: {type(value)} {value!r}"[:2000]}
            before = after
    return told


def _disagreement(
    before: tuple[Seen, list[Any]],
    after: tuple[Seen, list[Any]],
    is_look: bool,
    told: dict[str, int],
) -> int | None:
    """The place of a value whose change only Python has seen, or that was only looked at."""
    for at, (old, new) in enumerate(zip(before[0], after[0], strict=True)):
        is_changed = before[1][at] != after[1][at]
        told["compared"] += 1
        told["changed"] += is_changed
        told["foreign"] += new is None
        if old is None or new is None:
            if (old is None) != (new is None) and not is_changed:
                return at
            continue
        told["more"] += old != new and not is_changed
        if old != new if is_look else (is_changed and old == new):
            return at
    return None


def native_of(native: NativeFingerprints, values: list[Any]) -> Seen:
    """By the scan of many, and where one is large by a walk of its own."""
    reached = native.scan(values, 1000)
    assert reached == len(values)
    results = native.results.tolist()
    return [
        results[2 * at] if status_of(results[2 * at + 1])[0] == COMPLETE else whole(native, value)
        for at, value in enumerate(values)
    ]


def whole(native: NativeFingerprints, value: Any, slice_ms: float = 1000) -> int | None:
    """By a walk, in slices; None when it is foreign."""
    walk = begin(native)
    while not walk.step(value, perf_counter() + slice_ms / 1000):
        pass
    return None if walk.is_foreign else walk.fingerprint


def begin(native: NativeFingerprints) -> NativeWalk:
    walk = native.walk()
    assert walk is not None
    return walk


def answer(request: str, given: Any) -> str:
    """Called inside: JSON in, JSON out."""
    asked = json.loads(request)
    native = NativeFingerprints(given)
    self_test(native)
    if asked["do"] == "compare":
        return json.dumps(compare(native, asked["seed"], asked["wanted"]))
    names: dict[str, Any] = {**globals(), "native": native, "given": given, "__name__": "__main__"}
    exec(asked["code"], names)
    return json.dumps(names["result"])
