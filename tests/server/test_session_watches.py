"""The rules of watches: added once, told to each process, recorded when they change."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.session_script import Script, watch_value
from watchglass_server import host_messages as h
from watchglass_server import session_inputs as i
from watchglass_server.refusals import Refused
from watchglass_server.session_watches import unseen


def watching(*names: str, condition: str | None = None) -> Script:
    """A session with a process that runs `e1`, and watches of these names."""
    session = Script().started()
    for name in names:
        session.apply(i.AddWatch(f"w{name}", name, condition))
    session.execute()
    return session


def said(session: Script, *values: h.WatchValue, line: int | None = None) -> None:
    session.said(h.WatchesChanged(1, line, list(values)))


def last(session: Script, type: str = "watches.changed") -> dict[str, Any]:
    return session.events(type)[-1]


def test_a_watch_is_recorded_and_sent_to_the_process() -> None:
    session = watching("n", condition="value > 10")
    assert last(session)["watches"] == [
        {"watch": "wn", "expression": "n", "condition": "value > 10"}
    ]
    (sent,) = session.asked(i.SendWatches)
    assert [watch.expression for watch in sent.watches] == ["n"]


def test_the_same_expression_with_the_same_condition_is_one_watch() -> None:
    session = watching("n")
    seq = session.session.fold.seq
    session.apply(i.AddWatch("other", "n", None))
    assert session.session.fold.seq == seq
    session.apply(i.AddWatch("other", "n", "value"))
    assert len(session.session.fold.watches) == 2


def test_there_are_at_most_fifty() -> None:
    session = watching(*(f"n{number}" for number in range(h.MAX_WATCHES)))
    with pytest.raises(Refused, match="limit_exceeded"):
        session.apply(i.AddWatch("w", "one more", None))
    session.apply(i.RemoveWatch("wn7"))
    session.apply(i.AddWatch("w", "one more", None))
    assert len(session.asked(i.SendWatches)[-1].watches) == h.MAX_WATCHES


def test_a_change_tells_all_watches_and_names_those_that_changed() -> None:
    session = watching("a", "b")
    said(session, watch_value("a", 1), watch_value("b", 2))
    said(session, watch_value("b", 3), line=7)
    event = last(session)
    assert [watch["variable"]["value"] for watch in event["watches"]] == [1, 3]
    assert (event["changed"], event["execution"], event["line"]) == (["wb"], "e1", 7)
    assert [watch["version"] for watch in event["watches"]] == [1, 2]
    assert [watch["variable"]["version"] for watch in event["watches"]] == [1, 2]


def test_what_is_as_it_was_is_not_recorded_again() -> None:
    session = watching("a")
    said(session, watch_value("a", 1))
    seq = session.session.fold.seq
    said(session, watch_value("a", 1))
    said(session, watch_value("gone", 1))
    assert session.session.fold.seq == seq


def test_an_error_takes_the_place_of_the_value_and_the_version_goes_on() -> None:
    session = watching("a")
    said(session, watch_value("a", 1))
    said(session, watch_value("a", None))
    (watch,) = last(session)["watches"]
    assert (watch["error"], watch["version"], "variable" in watch) == ("NameError: a", 2, False)
    said(session, watch_value("a", 1))
    assert last(session)["watches"][0]["variable"]["version"] == 3


def test_a_large_value_is_left_to_its_preview() -> None:
    session = watching("a")
    said(session, watch_value("a", "x" * 2000))
    assert last(session)["watches"][0]["variable"]["value"] is None


def test_a_condition_that_turns_true_is_an_alert_each_time_and_only_then() -> None:
    session = watching("a", condition="value > 1")
    for value in (1, 2, 3, 0, 5):
        said(session, watch_value("a", value, value > 1), line=value + 1)
    alerts = session.events("watch.alert")
    assert [alert["variable"]["value"] for alert in alerts] == [2, 5]
    assert [(alert["execution"], alert["line"]) for alert in alerts] == [("e1", 3), ("e1", 6)]
    assert last(session)["watches"][0]["alert"]["line"] == 6
    assert session.types()[-2:] == ["watches.changed", "watch.alert"]


def test_a_process_cannot_raise_the_alert_of_a_watch_without_a_condition() -> None:
    session = watching("a")
    said(session, watch_value("a", 1, True))
    assert session.events("watch.alert") == []


def test_watches_are_sent_to_the_next_process_and_known_values_are_no_change() -> None:
    session = watching("a", condition="value")
    said(session, watch_value("a", 1, True))
    session.finish()
    session.apply(i.Sleep("idle"))
    session.apply(i.Wake())
    session.apply(i.Restored(session.session.generation, (), ()))
    assert last(session, "state.reset")["watches"][0]["variable"]["value"] == 1
    assert [watch.watch for watch in session.asked(i.SendWatches)[-1].watches] == ["wa"]
    seq = session.session.fold.seq
    session.said(h.WatchesChanged(0, None, [watch_value("a", 1, True)]))
    assert session.session.fold.seq == seq


def test_a_restart_forgets_the_values_and_keeps_the_watches() -> None:
    session = watching("a", condition="value")
    said(session, watch_value("a", 1, True))
    session.apply(i.Restart())
    assert last(session, "state.reset")["watches"] == [
        {"watch": "wa", "expression": "a", "condition": "value", "version": 1}
    ]
    session.ready()
    assert session.asked(i.SendWatches)[-1].generation == session.session.generation
    assert session.session.fold == session.refolded()


def test_what_a_process_ended_over_is_left_alone_until_it_is_added_again() -> None:
    session = watching("quick", "endless")
    said(session, watch_value("quick", 1))
    session.died("interrupt-ignored")
    seen = {watch.watch: watch for watch in session.session.fold.watches}
    assert (seen["wquick"].suspended, seen["wendless"].suspended) == (False, True)
    assert "add it again" in (seen["wendless"].error or "")
    session.apply(i.Execute("e2", "1", None))
    session.apply(i.Restored(session.session.generation, (), ()))
    assert [watch.watch for watch in session.asked(i.SendWatches)[-1].watches] == ["wquick"]
    session.apply(i.AddWatch("other", "endless", None))
    assert [watch.watch for watch in session.asked(i.SendWatches)[-1].watches] == [
        "wquick",
        "wendless",
    ]
    assert session.session.fold.watch("wendless") == unseen(seen["wendless"])
    assert session.session.fold == session.refolded()


def test_without_a_process_a_watch_can_be_removed() -> None:
    session = watching("a")
    session.died()
    sent = len(session.asked(i.SendWatches))
    session.apply(i.RemoveWatch("wa"))
    assert session.session.fold.watches == ()
    assert len(session.asked(i.SendWatches)) == sent
