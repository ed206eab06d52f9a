"""dump: what is stored, what is not and why."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.support.namespaces import Namespace, brought_back, dumped, fresh, loaded, names_of, ran
from watchglass_monitor.deadline import DeadlineExceeded
from watchglass_monitor.dump import Dumper, Entry, dump, kind_of
from watchglass_monitor.load import Verdict, load


def entries(code: str) -> dict[str, Entry]:
    return {entry.name: entry for entry in dumped(ran(code)).entries}


def why(code: str, name: str) -> str | None:
    entry = entries(code)[name]
    assert not entry.stored
    return entry.why


def test_each_entry_says_what_kind_of_variable_it_is() -> None:
    found = entries("import math\ndef f(): ...\nclass C: ...\nx = 1\ng = lambda: 1")
    kinds = {name: entry.kind for name, entry in found.items()}
    assert kinds == {
        "math": "module",
        "x": "value",
        "f": "definition",
        "C": "definition",
        "g": "definition",
    }
    assert kind_of(len) == "definition"


def test_an_entry_is_plain_data_for_the_wire() -> None:
    assert entries("x = 1")["x"].as_dict() == {
        "name": "x",
        "stored": True,
        "why": None,
        "kind": "value",
        "resource": False,
    }


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("v = (x for x in [])", "a generator cannot be stored"),
        ("async def f(): ...\nv = f()\nv.close()", "a coroutine cannot be stored"),
        ("import threading\nv = threading.Lock()", "a lock cannot be stored"),
        ("import re\nv = re.match('a', 'a')", "a match of a regular expression cannot be stored"),
        ("v = [1, {'k': (x for x in [])}]", "v[1]['k'] is a generator, which cannot be stored"),
        (
            "class U: ...\nu = U()\nu.log = (x for x in [])\nv = [u]",
            "v[0].log is a generator, which cannot be stored",
        ),
        (
            "def f():\n    g = (x for x in [])\n    return lambda: g\nv = f()",
            "g in v is a generator, which cannot be stored",
        ),
        (
            "g = (x for x in [])\ndef v(a=g): ...\n",
            "a default of v is a generator, which cannot be stored",
        ),
        (
            "import threading\nclass v:\n    lock = threading.Lock()",
            "v.lock is a lock, which cannot be stored",
        ),
        (
            "class C:\n    def __reduce__(self): raise ValueError('no')\nv = {'c': C()}",
            "storing v['c'] raised ValueError: no",
        ),
        (
            "class C:\n    def __getstate__(self): raise SystemExit(3)\nv = C()",
            "storing it raised SystemExit: 3",
        ),
    ],
)
def test_the_reason_names_the_place_and_the_type(code: str, expected: str) -> None:
    assert why(code, "v") == expected


def test_only_an_open_resource_is_called_one() -> None:
    code = (
        "import io, os, socket, sqlite3\nf = open(os.devnull)\ns = socket.socket()\n"
        "d = sqlite3.connect(':memory:')\nholder = {'f': f}\ng = (x for x in [])\n"
        "c = open(os.devnull)\nc.close()\nmemory = io.StringIO('a')"
    )
    namespace = ran(code)
    found = {entry.name: entry for entry in dumped(namespace).entries}
    for name in ("f", "s", "d"):
        namespace[name].close()  # type: ignore[attr-defined]
    resources = {name for name, entry in found.items() if entry.resource}
    assert resources == {"f", "s", "d", "holder"}
    assert found["f"].why == "an open file ('/dev/null') cannot be stored"
    assert found["c"].why == "a closed file ('/dev/null') cannot be stored"
    assert found["memory"].stored
    assert not found["g"].stored


def test_a_variable_that_fails_late_does_not_spoil_what_is_shared_with_it() -> None:
    # Beyond the size up to which the memo is copied before each variable.
    code = (
        "shared = [list(range(100)) for _ in range(2000)]\n"
        "bad = [shared, ['only here'], (x for x in [])]\nalso = bad[1]\nlast = [shared, also]"
    )
    namespace = ran(code)
    made = dumped(namespace)
    assert [entry.name for entry in made.entries if not entry.stored] == ["bad"]
    again = fresh()
    from_dump = {v.name: v.verdict for v in load_all(made.data, again)}
    assert from_dump == {
        "shared": "restored",
        "bad": "lost",
        "also": "restored",
        "last": "restored",
    }
    last = again["last"]
    assert isinstance(last, list)
    assert last[0] is again["shared"]
    assert last[1] is again["also"]
    assert again["also"] == ["only here"]


def load_all(data: bytes, namespace: dict[str, object]) -> list[Verdict]:
    return list(load(data, namespace).verdicts)


def test_a_dumper_tries_what_failed_before_again_and_last() -> None:
    dumper = Dumper()
    namespace = ran("bad = [(x for x in [])]\ngood = [1]")
    assert [entry.stored for entry in dumped(namespace, dumper).entries] == [False, True]
    assert [entry.stored for entry in dumped(namespace, dumper).entries] == [False, True]
    namespace["bad"] = 5
    made = dumped(namespace, dumper)
    assert [entry.stored for entry in made.entries] == [True, True]
    again = fresh()
    loaded(made.data, again)
    assert names_of(again) == ["bad", "good"]


SLOW = """
class Slow:
    tries = 0
    def __getstate__(self):
        Slow.tries += 1
        while True: check()
before, slow, after = [1], Slow(), [2]
"""


@pytest.fixture
def limited() -> tuple[Namespace, Dumper]:
    """A namespace with a value that hangs, and a dumper that waits 0.05 s for each."""
    deadline = [0.0]

    @contextmanager
    def limit() -> Iterator[None]:
        deadline[0] = time.monotonic() + 0.05
        yield

    def check() -> None:
        if time.monotonic() > deadline[0]:
            raise DeadlineExceeded

    namespace = ran(SLOW)
    namespace["check"] = check
    return namespace, Dumper(limit)


def test_code_that_hangs_while_it_is_stored_costs_its_own_variable_only(
    limited: tuple[Namespace, Dumper],
) -> None:
    namespace, dumper = limited
    names = ["before", "slow", "after", "Slow"]
    found = {entry.name: entry for entry in dumper.dump(namespace, names, versions={}).entries}
    assert [name for name in names if found[name].stored] == ["before", "after", "Slow"]
    assert found["slow"].why == "storing it takes too long"


def test_what_takes_too_long_is_tried_less_and_less_often(
    limited: tuple[Namespace, Dumper],
) -> None:
    namespace, dumper = limited
    tries = []
    for _ in range(8):
        entry = dumper.dump(namespace, ["slow"], versions={}).entries[0]
        assert entry.why == "storing it takes too long"
        tries.append(namespace["Slow"].tries)  # type: ignore[attr-defined]
    assert tries == [1, 1, 2, 2, 2, 3, 3, 3]
    namespace["slow"] = 5
    assert dumper.dump(namespace, ["slow"], versions={}).entries[0].stored


def test_endless_structures_made_while_storing_end_in_a_reason() -> None:
    code = "class E:\n    def __getstate__(self): return {'next': E()}\nv = E()\nw = 1"
    found = entries(code)
    assert found["v"].why == "it is nested too deeply to be stored"
    assert found["w"].stored


def test_a_chain_longer_than_the_recursion_limit_keeps_what_it_shares() -> None:
    code = (
        "class Node:\n    def __init__(self, after, tag): self.after, self.tag = after, tag\n"
        "tag, first = ['t'], None\nfor _ in range(5000): first = Node(first, tag)\n"
        "second = first.after\nring = Node(None, tag)\nring.after = ring"
    )
    again = brought_back(ran(code))
    first, second = again["first"], again["second"]
    assert first.after is second  # type: ignore[attr-defined]
    assert first.tag is again["tag"]  # type: ignore[attr-defined]
    assert again["ring"].after is again["ring"]  # type: ignore[attr-defined]


def test_a_nesting_of_tuples_that_is_too_deep_gets_a_reason() -> None:
    found = entries("v = ()\nfor _ in range(100000): v = (v,)\nw = 1")
    assert found["v"].why == "it is nested too deeply to be stored"
    assert found["w"].stored


def test_a_result_that_cannot_be_stored_does_not_cost_the_other_results() -> None:
    again = brought_back(ran("Out = {1: 'a', 2: (x for x in []), 3: [3]}\n_ = Out[3]"))
    assert again["Out"] == {1: "a", 3: [3]}
    out = again["Out"]
    assert isinstance(out, dict)
    assert again["_"] is out[3]


def test_versions_of_other_names_are_left_out() -> None:
    namespace = ran("x = 1")
    made = dump(namespace, ["x", "gone"], versions={"x": 4, "gone": 5})
    assert [entry.name for entry in made.entries] == ["x"]
    assert loaded(made.data, fresh()).versions == {"x": 4}


def test_storing_does_not_change_the_namespace() -> None:
    namespace = ran("import threading\nx = [1]\nlock = threading.Lock()\nclass A: ...\na = A()")
    before = dict(namespace)
    dumped(namespace)
    assert namespace == before
    assert list(namespace) == list(before)
    assert isinstance(namespace["lock"], type(threading.Lock()))


def test_a_dump_of_little_is_small() -> None:
    made = dumped(ran("a, b, c, d, e = 1, 'x', [1], {'a': 1}, 1.5"))
    assert len(made.data) < 1500
