"""load: what comes back, what is lost and why, and what damaged bytes do."""

import gc
import random
import sys
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from types import FunctionType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.namespaces import brought_back, dumped, fresh, loaded, names_of, ran
from watchglass_monitor import dump_format
from watchglass_monitor.dump import _Writing, dump
from watchglass_monitor.load import Load, load

FAILING = """
class Bad:
    def __init__(self, x): self.x = x
    def __setstate__(self, state): raise ValueError('broken')
shared = ['shared']
bad = Bad(shared)
holder = {'bad': bad}
fine = [shared, Bad]
"""


def lost(found: Load) -> dict[str, str | None]:
    return {each.name: each.why for each in found.verdicts if each.verdict == "lost"}


def test_what_fails_is_lost_with_all_that_refers_to_it_and_nothing_else() -> None:
    again = fresh()
    found = load(dumped(ran(FAILING)).data, again)
    assert set(lost(found)) == {"bad", "holder"}
    assert lost(found)["bad"] == "making an object of type Bad again raised ValueError: broken"
    assert names_of(again) == ["Bad", "shared", "fine"]
    assert again["fine"] == [again["shared"], again["Bad"]]


def test_a_name_that_was_not_stored_is_lost_with_the_reason_of_then() -> None:
    found = load(dumped(ran("g = (x for x in [])\nx = 1")).data, fresh())
    assert lost(found) == {"g": "a generator cannot be stored"}


def test_a_verdict_is_plain_data_for_the_wire() -> None:
    found = load(dumped(ran("x = 1")).data, fresh())
    assert found.verdicts[0].as_dict() == {"name": "x", "verdict": "restored", "why": None}


def test_names_come_back_in_the_order_in_which_they_were_defined() -> None:
    again = brought_back(ran("z = 1\ndef y(): ...\nimport math\nx = 2"))
    assert names_of(again) == ["z", "y", "math", "x"]


def test_a_state_may_use_what_was_defined_beside_it() -> None:
    code = (
        "class A:\n    def __init__(self): self.x = 1\n"
        "    def __getstate__(self): return {'x': 1}\n"
        "    def __setstate__(self, s): self.y = math.floor(scale(1.5))\n"
        "a = A()\nimport math\ndef scale(x): return x * 2"
    )
    assert brought_back(ran(code))["a"].y == 3  # type: ignore[attr-defined]


def test_a_module_that_is_not_there_any_more_is_lost_by_name() -> None:
    namespace = ran("import types, sys\nm = types.ModuleType('gone_module')\nx = 1")
    sys.modules["gone_module"] = namespace["m"]  # type: ignore[assignment]
    try:
        data = dumped(namespace).data
    finally:
        del sys.modules["gone_module"]
    found = load(data, fresh())
    assert lost(found) == {"m": "ModuleNotFoundError: No module named 'gone_module'"}


def test_code_of_another_python_is_lost_and_values_are_not() -> None:
    made = dumped(ran("def f(): return 1\nclass A:\n    def m(self): ...\na, x = A(), [1]\nB = f"))
    header, body = dump_format.decode(made.data)
    assert body is not None
    other = dump_format.encode(replace(header, code_version="3.99 00"), body)
    again = fresh()
    found = load(other, again)
    assert set(lost(found)) == {"f", "A", "a", "B"}
    assert "stored by Python 3.99" in str(lost(found)["f"])
    assert "run its definition again" in str(lost(found)["f"])
    assert again["x"] == [1]


def test_a_word_that_this_version_does_not_know_costs_only_who_uses_it() -> None:
    made = dumped(ran("def f(): return 1\nx = [1]"))
    header, body = dump_format.decode(made.data)
    assert body is not None
    words = tuple("make_" if word == "make_function" else word for word in header.vocabulary)
    again = fresh()
    found = load(dump_format.encode(replace(header, vocabulary=words), body), again)
    assert set(lost(found)) == {"f"}
    assert "another version of Watchglass" in str(lost(found)["f"])
    assert again["x"] == [1]


def test_code_that_hangs_on_its_way_back_costs_its_own_variable_only() -> None:
    class TooLong(BaseException):
        pass

    @contextmanager
    def limit() -> Iterator[None]:
        deadline[0] = time.monotonic() + 0.05
        yield

    deadline = [0.0]
    namespace = ran(
        "class Slow:\n    def __init__(self): self.x = 1\n"
        "    def __setstate__(self, s):\n        while True: check()\n"
        "before, slow, after = [1], Slow(), [2]"
    )
    again = fresh()

    def check() -> None:
        if time.monotonic() > deadline[0]:
            raise TooLong("longer than 0.05 s")

    again["check"] = check
    found = load(dumped(namespace).data, again, time_limit=limit)
    assert set(lost(found)) == {"slow"}
    assert "TooLong: longer than 0.05 s" in str(lost(found)["slow"])
    assert (again["before"], again["after"]) == ([1], [2])


def test_what_is_lost_is_not_in_the_namespace_and_what_was_there_before_stays() -> None:
    again = fresh() | {"display": print, "fine": "old"}
    load(dumped(ran(FAILING)).data, again)
    assert "bad" not in again
    assert again["display"] is print
    assert again["fine"] != "old"


def test_results_go_into_the_dict_that_is_there() -> None:
    again = fresh()
    out: dict[int, object] = {}
    again["Out"] = out
    loaded(dumped(ran("Out = {1: 'a'}")).data, again)
    assert again["Out"] is out
    assert out == {1: "a"}


def test_a_restored_function_writes_into_the_live_namespace() -> None:
    again = brought_back(ran("n = 0\ndef up():\n    global n\n    n += 1"))
    up = again["up"]
    assert isinstance(up, FunctionType)
    up()
    assert again["n"] == 1
    assert up.__globals__ is again


def test_the_collector_is_on_again_after_a_load() -> None:
    assert gc.isenabled()
    load(dumped(ran(FAILING)).data, fresh())
    assert gc.isenabled()


@pytest.mark.parametrize("data", [b"", b"x", b"WGDUMP1\n", b"WGDUMP1\n" + b"\xff" * 12])
def test_bytes_that_are_no_dump_say_so(data: bytes) -> None:
    found = load(data, fresh())
    assert found.verdicts == []
    assert found.why in ("what was stored is not a dump of variables", "what was stored is damaged")


def test_a_damaged_body_loses_each_variable_by_name() -> None:
    data = bytearray(dumped(ran("x = 'some text'\ny = 2")).data)
    data[-3] ^= 1
    again = fresh()
    found = load(bytes(data), again)
    assert lost(found) == dict.fromkeys(["x", "y"], "what was stored is damaged")
    assert names_of(again) == []


RICH = (
    "class A:\n    def __init__(self, x): self.x = x\n    def m(self): return super()\n"
    "def f(x=[1]): return lambda: x\na = [A(1), {'k': (1, 2), 's': {3}}, f(), b'x' * 300]\n"
    "b = a\nimport math"
)


def test_no_damage_to_any_byte_goes_unnoticed() -> None:
    data = dumped(ran(RICH)).data
    for position in range(len(data)):
        broken = bytearray(data)
        broken[position] ^= 1 << (position % 8)
        again = fresh()
        found = load(bytes(broken), again)
        assert names_of(again) == [], position
        assert all(each.verdict == "lost" for each in found.verdicts)


def test_damage_with_the_right_checksum_neither_hangs_nor_crashes(soak: bool) -> None:
    header, body = dump_format.decode(dumped(ran(PLAIN)).data)
    assert body is not None
    chance = random.Random(7)
    for _ in range(20_000 if soak else 1_500):
        broken = bytearray(body)
        for _ in range(chance.choice((1, 1, 2, 5))):
            broken[chance.randrange(len(broken))] = chance.randrange(256)
        if _asks_for_gigabytes(broken):
            continue
        started = time.monotonic()
        found = load(dump_format.encode(header, bytes(broken)), fresh())
        assert {each.verdict for each in found.verdicts} <= {"restored", "lost"}
        assert time.monotonic() - started < 5


# No code objects: those are C's own format, and only the checksum guards them.
PLAIN = (
    "a = [1, {'k': (1, 2), 's': {3}}, 2.5, b'xyz', 'text', None, True]\nb = a\nc = {'a': a}\nd = 2"
)


def _asks_for_gigabytes(body: bytearray) -> bool:
    """LONG_BINPUT and the like with a huge number: the memory limit's affair, not load's."""
    return any(
        opcode in body for opcode in (b"r", b"p", b"\x8a", b"\x8b", b"B", b"\x8e", b"\x8d", b"\x96")
    )


def test_a_cut_dump_is_noticed() -> None:
    data = dumped(ran("x = 1")).data
    for length in range(len(data)):
        again = fresh()
        load(data[:length], again)
        assert names_of(again) == []


def test_the_checksum_is_that_of_the_body() -> None:
    data = dumped(ran("x = 1")).data
    _, body = dump_format.decode(data)
    assert body is not None
    assert zlib.crc32(body).to_bytes(4, "little") == data[16:20]


# Values with sharing: a pool of nodes that refer to each other by number, cycles included.
leaves = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(),
    st.binary(max_size=20),
    st.complex_numbers(),
    st.dates(),
    st.decimals(allow_nan=False),
    st.fractions(),
    st.uuids(),
)
references = st.integers(min_value=0, max_value=9)
nodes = st.lists(
    st.tuples(
        st.sampled_from(["list", "dict", "tuple", "set", "deque", "object"]),
        st.lists(st.one_of(references.map(lambda n: ("ref", n)), leaves), max_size=5),
    ),
    min_size=1,
    max_size=10,
)
Plan = list[tuple[str, list[object]]]

BUILD = """
from collections import deque
class Thing: pass
"""


def build(plan: Plan) -> dict[str, object]:
    """A namespace in which every node is a variable and may be anywhere in the others."""
    namespace = ran(BUILD)
    thing = namespace["Thing"]
    assert isinstance(thing, type)
    empty = {"list": list, "dict": dict, "deque": namespace["deque"], "object": thing, "set": set}
    made = [empty.get(kind, list)() for kind, _ in plan]  # type: ignore[operator]
    for target, (kind, contents) in zip(made, plan, strict=True):
        held = [made[each[1] % len(made)] if isinstance(each, tuple) else each for each in contents]
        fill(target, kind, held)
    tuples = {f"t{n}": tuple(made[: n + 1]) for n, (kind, _) in enumerate(plan) if kind == "tuple"}
    return namespace | {f"v{n}": each for n, each in enumerate(made)} | tuples


def fill(target: object, kind: str, held: list[object]) -> None:
    if isinstance(target, dict):
        target.update(enumerate(held))
    elif isinstance(target, set):
        target.update(each for each in held if type(each).__hash__ is not None)
    elif kind == "object":
        vars(target).update({f"a{n}": each for n, each in enumerate(held)})
    else:
        target.extend(held)  # type: ignore[attr-defined]


def shape(values: dict[str, object]) -> list[object]:
    """What is equal for two graphs exactly when they are built alike, sharing included."""
    numbers: dict[int, int] = {}
    found: list[object] = []
    waiting: list[object] = list(values.values())
    while waiting:
        value = waiting.pop()
        if id(value) in numbers:
            found.append(("seen", numbers[id(value)]))
            continue
        kind = type(value).__name__
        if isinstance(value, dict):
            inside: list[object] = [*value.keys(), *value.values()]
        elif isinstance(value, list | tuple) or kind == "deque":
            inside = list(value)  # type: ignore[call-overload]
        elif isinstance(value, set):
            found.append((kind, len(value), sorted(map(repr_of, value))))
            numbers[id(value)] = len(numbers)
            continue
        elif kind == "Thing":
            # Flat: pairs would be new objects, and their ids those of others a moment later.
            inside = [*vars(value), *vars(value).values()]
        else:
            found.append((kind, repr_of(value)))
            continue
        numbers[id(value)] = len(numbers)
        found.append((kind, len(inside)))
        waiting.extend(inside)
    return found


def repr_of(value: object) -> str:
    return "Thing" if type(value).__name__ == "Thing" else repr(value)


@settings(max_examples=150, deadline=None)
@given(nodes)
def test_nested_values_with_sharing_and_cycles_come_back_as_they_were(plan: Plan) -> None:
    namespace = build(plan)
    kept = [name for name in names_of(namespace) if name[0] in "vt"]
    made = dump(namespace, names_of(namespace), versions={})
    again = fresh()
    loaded(made.data, again)
    before = {name: namespace[name] for name in kept}
    after = {name: again[name] for name in kept}
    assert shape(after) == shape(before)


@settings(max_examples=60, deadline=None)
@given(nodes)
def test_the_way_for_deep_values_gives_the_same_as_the_direct_one(plan: Plan) -> None:
    namespace = build(plan)
    writing = _Writing(namespace, limit_nothing)
    kept = [name for name in names_of(namespace) if name[0] in "vt"]
    for name in kept:
        writing._dump_flat(name, namespace[name])
    plain = dump(namespace, kept, versions={})
    header, _ = dump_format.decode(plain.data)
    flat = dump_format.encode(replace(header, records=writing.records), writing.file.getvalue())
    again = fresh()
    loaded(flat, again)
    assert shape({name: again[name] for name in kept}) == shape(
        {name: namespace[name] for name in kept}
    )


@contextmanager
def limit_nothing() -> Iterator[None]:
    yield
