"""Tests of the walk in WebAssembly, in the interpreter that it is made for."""

import os

import pytest

from tests.support.fingerprinting import compared, inside

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]

ROUND = 100_000


def test_both_walks_see_the_same_changes_and_a_look_is_none(soak: bool) -> None:
    seed = os.environ.get("SEED", "watchglass")
    total = {"compared": 0, "changed": 0, "foreign": 0}
    for round_ in range(20 if soak else 1):
        told = compared(f"{seed}-{round_}", ROUND)
        assert "wrong" not in told, told
        total = {key: total[key] + told[key] for key in total}
    assert total["compared"] >= ROUND
    assert total["changed"] > total["compared"] / 200
    assert total["foreign"] < total["compared"] / 5, "most of it is to be native"


def test_a_walk_in_slices_finds_what_a_walk_in_one_go_finds() -> None:
    assert (
        inside("""
values = [
    [[n, {n: (n, str(n))}, Unit(n)] for n in range(20_000)], bytearray(8 * 2**20),
    {n: [n] for n in range(50_000)}, {(n, (n,)) for n in range(50_000)},
    collections.deque([n] for n in range(10_000)), {(n, (n,)): [n] for n in range(20_000)},
    Listed([n, [n]] for n in range(20_000)), list(range(300_000)),
]
result = [whole(native, value, 0) == whole(native, value) for value in values]
""")
        == [True] * 8
    )


def test_a_slice_ends_when_its_time_is_over() -> None:
    longest = inside("""
def longest(value):
    walk, spent = begin(native), []
    done = False
    while not done:
        began = perf_counter()
        done = walk.step(value, began + 0.002)
        spent.append(perf_counter() - began)
    assert len(spent) > 2
    return sorted(spent)[len(spent) // 2]
result = [longest(v) for v in (bytearray(80 * 2**20), list(range(10**7)))]
""")
    assert all(0.001 < each < 0.006 for each in longest), longest


def test_an_object_that_is_gone_between_two_slices_is_not_looked_at() -> None:
    assert inside("""
chance = random.Random(1)
disturbed = 0
for turn in range(300):
    value = [[{n: [n, Unit(n)]}, (n, [n]), {n}] for n in range(3000)]
    walk = begin(native)
    is_complete = False
    for step in range(chance.randrange(1, 6)):
        is_complete = is_complete or walk.step(value, 0)
    part = chance.choice(value)
    chance.choice([
        value.clear, value.reverse, lambda: value.insert(0, 1), part.clear, part[0].clear,
        lambda: value.__setitem__(slice(None), [[n] for n in range(5000)]),
        lambda: value.extend([turn] * 10_000), lambda: part.__setitem__(0, None),
    ])()
    junk = [[n] * 5 for n in range(3000)]
    while not is_complete:
        is_complete = walk.step(value, 0)
    disturbed += walk.disturbed
    del walk
    assert whole(native, value) == whole(native, value)
result = disturbed > 30
""")


def test_limits_cut_off_and_say_so() -> None:
    assert inside("""
def truncated(value):
    walk = begin(native)
    walk.step(value, perf_counter() + 20)
    return walk.truncated
deep = shallow = [1]
for _ in range(100_000):
    deep = [deep]
for _ in range(150):
    shallow = [shallow]
diamond = []
for _ in range(190):
    diamond = [diamond, diamond]
ring = [1]
ring.append(ring)
result = [
    truncated(deep), truncated(shallow), truncated(diamond), truncated(ring),
    truncated(list(range(5_000_000))), truncated([[n] for n in range(300_000)]),
    truncated([[]] * 10_000_000), truncated([[] for n in range(4_100_000)]),
]
""") == [True, False, False, False, False, False, False, True]


HOSTILE = """
calls = []
def noted(name):
    def run(self, *args, **kwargs):
        calls.append(name)
        raise RuntimeError(name)
    return run
names = [
    "__hash__", "__eq__", "__len__", "__iter__", "__getattribute__", "__getattr__", "__repr__",
    "__buffer__", "__getitem__", "__bool__", "__index__", "__int__", "__float__", "__next__",
    "__length_hint__", "__sizeof__", "__dir__", "__reduce__",
]
class Meta(type):
    __module__ = "__main__"
    for each in ("__getattribute__", "__eq__", "__hash__", "__instancecheck__"):
        locals()[each] = noted("meta " + each)
def hostile(*bases):
    space = {name: noted(name) for name in names}
    space["__module__"] = "__main__"
    space["__class__"] = space["p"] = property(noted("property"))
    return types.new_class("Hostile", bases, {"metaclass": Meta}, lambda own: own.update(space))
class Held:
    __module__ = "__main__"
    def __init__(self): self.items = [1]
values = []
kinds = (object, list, dict, set, bytearray, tuple, int, str, collections.deque, array.array, Held)
for base in kinds:
    made = hostile(base)
    values.append(base.__new__(made, "b") if base is array.array else base.__new__(made))
list.append(values[1], 1)
dict.__setitem__(values[2], 1, values[1])
bytearray.extend(values[4], b"abc")
"""


def test_hostile_objects_run_none_of_their_code() -> None:
    """Nor does the walk in Python, for those that are foreign."""
    assert inside(
        HOSTILE
        + """
before = [whole(native, [value]) for value in values]
scanned = native_of(native, values)
in_python = [fingerprint(value) for value in values]
calls_of_looks = list(calls)
list.append(values[1], 2)
dict.__setitem__(values[2], 1, 3)
bytearray.extend(values[4], b"d")
after = [whole(native, [value]) for value in values]
changed = [number for number in range(11) if before[number] != after[number]]
result = [calls_of_looks, calls, before.count(None), changed]
"""
    ) == [[], [], 0, [1, 2, 4]]


def test_code_that_runs_while_it_is_looked_at_goes_on() -> None:
    assert inside("""
seen = []
def generator(depth):
    held = [depth]
    seen.append(whole(native, [space, held, {"g": held}]))
    yield depth
    if depth:
        yield from generator(depth - 1)
class Sorted:
    __module__ = "__main__"
    def __init__(self, n): self.n = n
    def __lt__(self, other):
        seen.append(whole(native, [row, space]))
        return self.n < other.n
    def __hash__(self):
        seen.append(whole(native, [table, space]))
        return self.n % 3
    def __eq__(self, other):
        table[f"x{len(table)}"] = 1
        seen.append(whole(native, [table, members]))
        return self is other
    def __del__(self): seen.append(whole(native, [table, row, space]))
space, row, table, members = {}, [Sorted(n % 7) for n in range(20)], {}, set()
space.update(row=row, table=table)
running = generator(50)
list(running)
row.sort()
for each in row:
    try: table[each] = each
    except RuntimeError: pass
    members.add(each)
del each
row.clear()
def deep(n): return deep(n - 1) if n else seen.append(whole(native, [space]))
deep(500)
result = len(seen) > 100
""")


def test_what_python_alone_can_walk_over_is_left_to_it() -> None:
    assert (
        inside("""
values = [
    (n for n in range(3)), collections.OrderedDict(a=1), io.StringIO(), io.BytesIO(b"x"),
    random.Random(1), memoryview(bytearray(9))[::2], decimal.Context(),
    weakref.WeakValueDictionary(), functools.lru_cache(repr), __import__("ctypes").c_int(1),
    __import__("pathlib").Path("x"), __import__("itertools").count(),
]
result = [whole(native, [1, [value]]) for value in values]
""")
        == [None] * 12
    )


def test_memory_of_other_c_types_is_seen() -> None:
    assert inside("""
import pickle
memory = bytearray(100)
value = pickle.PickleBuffer(memoryview(memory)[10:60])
def change(at):
    before = whole(native, value)
    memoryview(memory)[at] = 7
    return before != whole(native, value)
result = [change(10), change(59)]
""") == [True, True]


def test_many_walks_leave_no_reference_and_no_memory_behind() -> None:
    assert inside("""
import ctypes, sys
value = [[n, {n: Unit(n)}] for n in range(20_000)]
def turn():
    for _ in range(50):
        walk = begin(native)
        walk.step(value, 0)
        walk.step(value, perf_counter() + 5)
        paused = begin(native)
        paused.step(value, 0)
        native.scan([value, *value[:500]], 1000)
def state():
    held = (value, value[7], value[7][1], value[7][1][7], Unit, Unit.__init__)
    return [*map(sys.getrefcount, held), ctypes.pythonapi.sbrk(0), len(native._free)]
turn()
before = state()
for _ in range(4):
    turn()
result = before == state() and before[-1] == 4
""")


SCANNING = """
from watchglass_monitor.scanner import Scanner
space = {f"small{n}": [n, {"n": n}] for n in range(1000)}
space |= {f"large{n}": [[n] for n in range(5000)] for n in range(4)}
space |= {f"foreign{n}": [collections.OrderedDict(a=n), [n]] for n in range(4)}
space |= {"huge": [[n] for n in range(100_000)], "number": 1}
scanner = Scanner(native)
for name, value in space.items():
    scanner.bound(name, value)
longest = []
def found(seconds=30, wanted=()):
    told, end = set(), perf_counter() + seconds
    while perf_counter() < end and not (wanted and told >= set(wanted)):
        began = perf_counter()
        told |= {one.name for one in scanner.scan(space, began + 0.002) if one.certain}
        longest.append(perf_counter() - began)
    return sorted(told)
def settle():
    while any(each.fingerprint is None for each in scanner._scanned.values()):
        found(0.1)
settle()
"""


def test_the_scanner_finds_changes_in_small_large_and_foreign_variables() -> None:
    changed = ["foreign3", "huge", "large2", "small7", "small999"]
    assert inside(
        SCANNING
        + f"wanted = {changed}"
        + """
first = found(0.5)
space["small7"][1]["n"] = 0; space["small999"].append(1); space["large2"][4000].append(1)
space["foreign3"][0].move_to_end("a"); space["foreign3"][1].append(1)
space["huge"][70_000].append(1)
changed = found(wanted=wanted)
result = [first, changed, sorted(longest)[len(longest) * 9 // 10] < 0.004]
"""
    ) == [[], changed, True]


def test_what_was_begun_is_walked_to_its_end_and_then_nothing_is_looked_at() -> None:
    assert inside(
        SCANNING
        + """
scanner.wake()
found(0.1)
space["huge"][99_999].append(1)
scanner.wake()
scanner.rest()
changed = found(wanted=["huge"])
end = perf_counter() + 30
while (scanner.owes or scanner.unfinished) and perf_counter() < end:
    found(0.05)
space["small7"].append(1)
result = [changed, scanner.owes, found(0.3)]
"""
    ) == [["huge"], False, []]


def test_a_variable_that_holds_nothing_foreign_any_more_is_native_again() -> None:
    assert inside(
        SCANNING
        + """
before = scanner._scanned["foreign1"].fingerprint
space["foreign1"][0] = {}
changed = found(wanted=["foreign1"])
found(0.5)  # a walk that was cut by its slice tells at a glance, and once more at its end
after = scanner._scanned["foreign1"].fingerprint
result = [type(before).__name__, changed, type(after).__name__, found(0.2)]
"""
    ) == ["tuple", ["foreign1"], "int", []]


def test_names_that_are_bound_no_more_may_be_all_that_is_left_of_a_round() -> None:
    assert inside(
        SCANNING
        + """
space["large2"].append(1)
gone = [*space][:20]
for name in gone:
    del space[name]
    scanner.forget(name)
scanner._round = gone
scanner.scan(space, perf_counter() + 0.002)
result = found(wanted=["large2"])
"""
    ) == ["large2"]


def test_python_takes_over_when_the_native_walk_fails() -> None:
    assert inside(
        SCANNING
        + """
del space["huge"]  # in Python, it would take its two percent of half a minute
scanner.forget("huge")
native._scan = native._step = lambda *told: -1
found(0.1)
settle()
space["small7"].append(1)
space["large2"].append(1)
result = found(wanted=["large2", "small7"])
"""
    ) == ["large2", "small7"]
