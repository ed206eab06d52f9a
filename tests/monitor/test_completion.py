"""complete: what could be written at the cursor."""

import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.namespaces import Namespace, ran
from watchglass_monitor.completion import MAX_MATCHES, complete

CODE = """
import math, os
class Unit:
    kind = 3
    def __init__(self, hp, name='x', *, boss=None): self.hp = hp; self._secret = 1
    @property
    def power(self): raise SystemExit('a property was read')
    def __getattr__(self, name): raise SystemExit('__getattr__ was called')
    def __dir__(self): raise SystemExit('__dir__ was called')
    def hit(self, target, amount=3): ...
    @classmethod
    def make(cls, size): ...
class Slotted:
    __slots__ = ('left', 'right')
slotted = Slotted()
u, units = Unit(1), [Unit(2)]
table = {'gold': 1, 'go "x"': 2, "it's": 3, 3: 4}
class Lazy(dict):
    def __iter__(self): raise SystemExit
    def keys(self): raise SystemExit
lazy = Lazy(silver=1)
def hit(target, amount=3, *, crit=False): ...
def hidden(a, b=2): ...
hidden.__signature__ = 5
"""


@pytest.fixture(scope="module")
def namespace() -> Namespace:
    return ran(CODE)


def texts(code: str, namespace: Namespace) -> list[str]:
    return [match.text for match in complete(code, len(code), namespace).matches]


def types(code: str, namespace: Namespace) -> dict[str, str]:
    return {match.text: match.type for match in complete(code, len(code), namespace).matches}


def test_attributes_come_without_running_code_of_the_users(namespace: Namespace) -> None:
    assert types("u.", namespace) == {
        "hit": "function",
        "hp": "instance",
        "kind": "instance",
        "make": "function",
        "power": "property",
    }
    assert texts("slotted.l", namespace) == ["left"]


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("math.sq", "sqrt"),
        ("os.path.jo", "join"),
        ("units[0].h", "hp"),
        ("table['gold'].bit_l", "bit_length"),
        ("'abc'.spl", "split"),
        ("[].app", "append"),
        ("{}.ite", "items"),
        ("Unit(3).ki", "kind"),
        ("Unit.ma", "make"),
        ("u . k", "kind"),
        ("f'{u.h", "hp"),
        ("x = (u.k", "kind"),
        ("import coll", "collections"),
        ("import os, collec", "collections"),
        ("import collections.a", "abc"),
        ("from coll", "collections"),
        ("from math import co", "cos"),
        ("from math import sin, co", "cos"),
        ("from xml.dom import mini", "minidom"),
        ("from antigravity import web", "webbrowser"),
        ("whi", "while"),
        ("Tru", "True"),
        ("prin", "print"),
        ("uni", "units"),
        ("UNI", "units"),
        ("for index in units:\n    ind", "index"),
        ("def f(alpha, beta):\n    alp", "alpha"),
        ("été = 1\nét", "été"),
        ("hit(u, cr", "crit="),
        ("u.hit(am", "amount="),
        ("Unit(b", "boss="),
        ("open('/de", "dev/"),
    ],
)
def test_what_one_would_write_is_among_the_matches(
    code: str, expected: str, namespace: Namespace
) -> None:
    assert expected in texts(code, namespace)


@pytest.mark.parametrize(
    "code",
    ["# ma", "1.", "1.5", "foo().", "nothing.", "'", "12", "u.power.", "u.missing.x", "b'''"],
)
def test_where_nothing_is_known_nothing_is_offered(code: str, namespace: Namespace) -> None:
    assert texts(code, namespace) == []


def test_a_module_is_not_imported_for_its_names(namespace: Namespace) -> None:
    sys.modules.pop("antigravity", None)
    texts("from antigravity import ", namespace)
    assert "antigravity" not in sys.modules


def test_a_bound_method_offers_no_self(namespace: Namespace) -> None:
    offered = texts("u.hit(", namespace)
    assert offered[:2] == ["amount=", "target="]
    assert "self=" not in offered
    assert texts("Unit.make(", namespace)[0] == "size="


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("table['g", ["gold'", 'go "x"\'']),
        ('table["go', ['gold"', 'go \\"x\\""']),
        ("table['it", ["it\\'s'"]),
        ("lazy['", ["silver'"]),
        ("print(table['gol", ["gold'"]),
    ],
)
def test_keys_of_a_dict_are_offered_ready_to_use(
    code: str, expected: list[str], namespace: Namespace
) -> None:
    found = complete(code, len(code), namespace)
    assert [match.text for match in found.matches] == expected
    assert {match.type for match in found.matches} == {"key"}
    for match in found.matches:
        written = code[: found.start] + match.text + "]"
        compile(written + ")" * written.count("print("), "<t>", "exec")


def test_a_key_does_not_repeat_the_quote_that_is_there(namespace: Namespace) -> None:
    assert complete("table['gol']", 10, namespace).matches[0].text == "gold"


def test_keys_come_before_names_after_a_bracket(namespace: Namespace) -> None:
    assert texts("table[", namespace)[:4] == ["'gold'", "'go \"x\"'", '"it\'s"', "3"]


def test_the_range_is_counted_in_code_points(namespace: Namespace) -> None:
    found = complete("'😀é'; math.sq", 13, namespace)
    assert (found.start, found.end) == (11, 13)
    assert found.as_dict()["start"] == 11


def test_underscored_names_come_when_they_are_asked_for(namespace: Namespace) -> None:
    assert "_secret" not in texts("u.", namespace)
    assert texts("u._s", namespace) == ["_secret"]
    assert "__init__" in texts("u.__in", namespace)
    assert not any(text.startswith("__") for text in texts("u._", namespace))


def test_a_cursor_outside_the_code_counts_as_its_end(namespace: Namespace) -> None:
    assert complete("math.sq", 99, namespace).end == 7
    assert complete("math.sq", -3, namespace).end == 0


def test_a_broken_signature_offers_no_parameters(namespace: Namespace) -> None:
    assert "param" not in types("hidden(", namespace).values()


def test_large_namespaces_are_cut_and_quick(tmp_path: Path) -> None:
    namespace: Namespace = {f"name_{n}": n for n in range(100_000)}
    namespace["big"] = dict.fromkeys(range(1_000_000))
    started = time.monotonic()
    assert len(texts("name_", namespace)) == MAX_MATCHES
    assert len(texts("big[", namespace)) <= MAX_MATCHES
    assert time.monotonic() - started < 5


@given(st.text(alphabet="ua.([{'\"\\\n #fromimport,]})1é=:", max_size=40), st.integers(-2, 45))
def test_no_text_makes_it_fail(code: str, cursor: int) -> None:
    found = complete(code, cursor, ran("u = [1]\na = {'k': u}"))
    assert 0 <= found.start <= found.end <= len(code)
    assert len(found.matches) <= MAX_MATCHES
