"""inspect_at: signature, docstring and type of what stands at the cursor."""

import inspect

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.namespaces import Namespace, ran
from watchglass_monitor.inspection import Inspection, help_request, inspect_at

CODE = """
import math
class Unit:
    "a unit"
    def __init__(self, hp: int, name: str = 'x', *, boss=None): ...
    def hit(self, target, amount=3):
        "Hit it."
    @property
    def power(self): raise SystemExit('a property was read')
    def __repr__(self): raise SystemExit('a repr was called')
    def __getattr__(self, name): raise SystemExit(name)
def hit(target: Unit, amount=3, *, crit: 'bool' = False, by=Unit(1), key=len) -> int:
    "Hit it."
def broken(): ...
broken.__signature__ = 5
class Strange:
    @property
    def __doc__(self): raise SystemExit('a docstring was read')
u, x, strange = Unit(1), 5, Strange()
"""


@pytest.fixture(scope="module")
def namespace() -> Namespace:
    return ran(CODE)


def at_end(code: str, namespace: Namespace) -> Inspection:
    return inspect_at(code, len(code), namespace)


SIGNATURE = "hit(target: Unit, amount=3, *, crit: bool = False, by=<Unit>, key=len) -> int"


@pytest.mark.parametrize(
    "code", ["hit", "hit(", "hit(u, ", "print(hit(u, ", "hit(u, amount=x", "hit?", "?hit", "hit??"]
)
def test_the_function_or_the_call_around_the_cursor_is_described(
    code: str, namespace: Namespace
) -> None:
    assert at_end(code, namespace) == Inspection(True, SIGNATURE, "Hit it.", "function")


def test_a_cursor_inside_a_name_means_the_whole_name(namespace: Namespace) -> None:
    assert inspect_at("x = hit(u)", 5, namespace).docstring == "Hit it."


def test_a_callable_in_an_argument_is_described_itself(namespace: Namespace) -> None:
    assert at_end("hit(len", namespace).signature == "len(obj, /)"


@pytest.mark.parametrize(
    ("code", "signature", "kind"),
    [
        ("Unit", "Unit(hp: int, name: str = 'x', *, boss=None)", "type"),
        ("u.hit", "hit(target, amount=3)", "method"),
        ("u", None, "Unit"),
        ("u.power", None, "property"),
        ("math", None, "module"),
        ("x", None, "int"),
        ("'abc'.upper", "upper(self, /)", "method_descriptor"),
        ("Unit(1)", None, "Unit"),
        ("broken", None, "function"),
    ],
)
def test_signature_and_type_come_without_running_code_of_the_users(
    code: str, signature: str | None, kind: str, namespace: Namespace
) -> None:
    found = at_end(code, namespace)
    assert (found.found, found.signature, found.type) == (True, signature, kind)


def test_an_instance_has_the_docstring_of_its_class(namespace: Namespace) -> None:
    assert at_end("u", namespace).docstring == "a unit"
    assert at_end("x", namespace).docstring == inspect.cleandoc(int.__doc__ or "")


def test_a_docstring_that_is_code_is_not_run(namespace: Namespace) -> None:
    assert at_end("strange", namespace).docstring is None


@pytest.mark.parametrize("code", ["nothing", "", "u.nothing", "'hit", "# hit", "foo().bar", "1 +"])
def test_what_is_not_known_is_not_found(code: str, namespace: Namespace) -> None:
    assert at_end(code, namespace) == Inspection(False)


def test_the_answer_is_plain_data_for_the_wire(namespace: Namespace) -> None:
    assert at_end("nothing", namespace).as_dict() == {
        "found": False,
        "signature": None,
        "docstring": None,
        "type": None,
    }


@pytest.mark.parametrize(
    ("code", "name"),
    [("a?", "a"), ("a.b??", "a.b"), ("?a", "a"), (" ?? a ", "a"), ("a", None), ("a ? b", None)],
)
def test_a_question_is_told_from_code(code: str, name: str | None) -> None:
    assert help_request(code) == name


@given(st.text(alphabet="hitu(.,)'\"[ ]#?=\n", max_size=30), st.integers(-2, 35))
def test_no_text_makes_it_fail(code: str, cursor: int) -> None:
    inspect_at(code, cursor, ran("def hit(t): ...\nu = [hit]"))
