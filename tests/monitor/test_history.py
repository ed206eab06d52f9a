"""Tests of history.py."""

from watchglass_monitor.history import MAX_RESULTS, History


def installed() -> tuple[History, dict[str, object]]:
    namespace: dict[str, object] = {}
    history = History(namespace)
    history.install()
    return history, namespace


def test_results_go_through_the_three_underscores() -> None:
    history, names = installed()
    for number, value in enumerate("abcd", 1):
        history.keep(number, value)
    assert [names["_"], names["__"], names["___"]] == ["d", "c", "b"]
    assert names["Out"] == {1: "a", 2: "b", 3: "c", 4: "d"}


def test_an_underscore_of_the_user_is_left_alone() -> None:
    history, names = installed()
    history.keep(1, "a")
    names["_"] = "theirs"
    history.keep(2, "b")
    assert (names["_"], names["__"]) == ("theirs", None)
    assert names["Out"] == {1: "a", 2: "b"}


def test_out_never_holds_itself() -> None:
    history, names = installed()
    history.keep(1, names["Out"])
    assert names["Out"] == {}


def test_in_has_an_empty_text_for_numbers_that_were_left_out() -> None:
    history, names = installed()
    history.remember(1, "a")
    history.remember(4, "d")
    assert names["In"] == ["", "a", "", "", "d"]


def test_only_the_newest_results_are_kept() -> None:
    history, _ = installed()
    for number in range(MAX_RESULTS + 5):
        history.keep(number, object())
    assert len(history.results) == MAX_RESULTS
    assert min(history.results) == 5


def test_underscores_go_on_after_a_restore() -> None:
    history, names = installed()
    names.update({"_": 41, "__": 40})
    history.restore({2: "b", 1: "a"})
    history.keep(3, 42)
    assert history.codes == ["", "a", "b"]
    assert [names["_"], names["__"], names["___"]] == [42, 41, 40]
