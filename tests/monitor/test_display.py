"""mime_bundle and display: what is shown, and what broken reprs and large ones give."""

import base64
import json
import time
from collections.abc import Iterator

import pytest

from watchglass_monitor import display as display_module
from watchglass_monitor.display import (
    MAX_BUNDLE_BYTES,
    DisplayHandle,
    Publication,
    display,
    mime_bundle,
    set_publisher,
    update_display,
)


@pytest.fixture
def shown() -> Iterator[list[Publication]]:
    published: list[Publication] = []
    before = display_module._publish
    set_publisher(published.append)
    yield published
    set_publisher(before)


class Rich:
    def __repr__(self) -> str:
        return "plain"

    def _repr_html_(self) -> str:
        return "<b>"

    def _repr_png_(self) -> bytes:
        return b"\x89PNG"

    def _repr_json_(self) -> object:
        return {"a": [1]}


def test_all_representations_are_in_the_bundle() -> None:
    assert mime_bundle(Rich()) == {
        "text/plain": "plain",
        "text/html": "<b>",
        "image/png": base64.b64encode(b"\x89PNG").decode(),
        "application/json": {"a": [1]},
    }


def test_an_own_bundle_wins_and_may_carry_metadata() -> None:
    class Own:
        def _repr_html_(self) -> str:
            return "one"

        def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> object:
            return {"text/html": "two", "text/x-own": "mine"}, {"width": 3}

    bundle = mime_bundle(Own())
    assert (bundle["text/html"], bundle["text/x-own"]) == ("two", "mine")


def test_broken_representations_are_told_in_the_bundle() -> None:
    class Broken:
        def __repr__(self) -> str:
            raise ValueError("no")

        def _repr_html_(self) -> str:
            raise SystemExit(3)

        def _repr_svg_(self) -> object:
            return 5

        def _repr_json_(self) -> object:
            return float("nan")

    with pytest.raises(ValueError, match="not JSON compliant") as refused:
        json.dumps(float("nan"), allow_nan=False)  # in the words of the Python that runs this
    bundle = mime_bundle(Broken())
    assert set(bundle) == {"text/plain"}
    assert bundle["text/plain"] == (
        "<Broken object: its repr raised ValueError: no>\n"
        "[_repr_html_ raised SystemExit: 3]\n"
        "[image/svg+xml must be a str or bytes, not int]\n"
        f"[application/json cannot be written as JSON: ValueError: {refused.value}]"
    )


def test_an_error_whose_own_text_is_broken_is_told_too() -> None:
    class Worse(Exception):
        def __str__(self) -> str:
            raise self

    class Broken:
        def __repr__(self) -> str:
            raise Worse

    assert "Worse: (its __str__ raises too)" in str(mime_bundle(Broken())["text/plain"])


def test_an_interrupt_goes_through() -> None:
    class Slow:
        def __repr__(self) -> str:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        mime_bundle(Slow())


def test_a_class_is_not_asked_for_what_its_instances_have() -> None:
    assert set(mime_bundle(Rich)) == {"text/plain"}


def test_an_instance_that_answers_to_any_name_is_plain() -> None:
    class Any:
        def __getattr__(self, name: str) -> object:
            return lambda *args, **options: name

    assert set(mime_bundle(Any())) == {"text/plain"}


def test_what_is_too_large_is_left_out_and_said() -> None:
    class Large:
        def __repr__(self) -> str:
            return "large"

        def _repr_html_(self) -> str:
            return "x" * (MAX_BUNDLE_BYTES + 1)

        def _repr_latex_(self) -> str:
            return "small"

    assert mime_bundle(Large()) == {
        "text/plain": "large\n[text/html is left out: 4.0 MiB, "
        "and one result may have 4 MiB in all]",
        "text/latex": "small",
    }


def test_a_very_long_repr_is_cut_in_the_middle() -> None:
    started = time.monotonic()
    text = str(mime_bundle("a" * 10_000_000)["text/plain"])
    assert len(text) < 1_100_000
    assert "characters are left out here" in text
    assert (text[0], text[-1]) == ("'", "'")
    assert time.monotonic() - started < 2


def test_display_shows_each_value(shown: list[Publication]) -> None:
    assert display(1, Rich(), include=["text/html"]) is None
    assert [p.bundle for p in shown] == [
        {"text/plain": "1"},
        {"text/plain": "plain", "text/html": "<b>"},
    ]
    assert {p.display_id for p in shown} == {None}


def test_a_handle_changes_what_it_showed(shown: list[Publication]) -> None:
    handle = display("a", display_id=True)
    assert isinstance(handle, DisplayHandle)
    handle.update("b")
    update_display("c", display_id=handle.display_id)
    handle.display("d")
    assert [(p.bundle["text/plain"], p.update) for p in shown] == [
        *(("'a'", False), ("'b'", True), ("'c'", True), ("'d'", False))
    ]
    assert {p.display_id for p in shown} == {handle.display_id}


def test_a_name_for_a_display_is_kept(shown: list[Publication]) -> None:
    handle = display("a", display_id="mine")
    assert handle is not None
    assert shown[0].display_id == "mine"
    assert repr(handle) == "<DisplayHandle display_id=mine>"


def test_a_raw_bundle_is_shown_as_it_is(shown: list[Publication]) -> None:
    display({"text/html": "<i>", "text/plain": "i"}, raw=True)
    assert shown[0].bundle == {"text/plain": "i", "text/html": "<i>"}


def test_a_raw_value_that_is_no_bundle_is_refused(shown: list[Publication]) -> None:
    with pytest.raises(TypeError, match="leave raw out"):
        display(3, raw=True)
    assert shown == []


def test_without_a_publisher_it_prints(capsys: pytest.CaptureFixture[str]) -> None:
    display([1])
    assert capsys.readouterr().out == "[1]\n"


class Deep:
    def __init__(self, levels: int) -> None:
        self.levels = levels

    def _repr_json_(self) -> object:
        nested: object = {"end": 1}
        for _ in range(self.levels - 1):
            nested = [nested]
        return nested


def test_json_that_nests_deeper_than_the_wire_is_left_out() -> None:
    assert "application/json" in mime_bundle(Deep(150))
    assert "nests more than 150 levels" in str(mime_bundle(Deep(151))["text/plain"])
    assert "application/json" not in mime_bundle(Deep(900))


def test_more_mime_types_than_the_wire_takes_are_left_out(shown: list[Publication]) -> None:
    display({f"a/{number}": "x" for number in range(100)} | {"b" * 201: "y"}, raw=True)
    (publication,) = shown
    assert len(publication.bundle) == 50
    assert "50 MIME types" in str(publication.bundle["text/plain"])


def test_a_display_id_that_the_wire_does_not_take_is_refused(shown: list[Publication]) -> None:
    with pytest.raises(ValueError, match="1000 are allowed"):
        display(1, display_id="d" * 1001)
    with pytest.raises(TypeError, match="must be a str, not int"):
        update_display(1, display_id=5)  # type: ignore[arg-type]
    assert shown == []
