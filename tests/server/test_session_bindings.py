"""The rules of bindings: one for each variable, a bounded number, kept with the session."""

from __future__ import annotations

import pytest

from tests.support.session_script import Script
from watchglass_server import session_inputs as i
from watchglass_server.pictures import Binding
from watchglass_server.refusals import Refused
from watchglass_server.session_bindings import MAX_BINDINGS
from watchglass_server.session_view import session_state


def binding(name: str, key: int = 3) -> Binding:
    follows = f"arena/unit[{key}].hp"
    return Binding(name=name, table="arena/unit", key=key, column="hp", follows=follows)


def test_a_binding_is_recorded_shown_to_joiners_and_replaced_by_name() -> None:
    session = Script().started()
    session.apply(i.Bind(binding("hp")))
    session.apply(i.Bind(binding("hp", 4)))
    session.apply(i.Bind(binding("mana")))
    assert [len(each["bindings"]) for each in session.events("bindings.changed")] == [1, 1, 2]
    state = session_state(session.session.fold)
    assert [(each.name, each.key) for each in state.bindings] == [("hp", 4), ("mana", 3)]


def test_the_same_again_is_no_news_and_what_is_not_bound_cannot_be_ended() -> None:
    session = Script().started()
    session.apply(i.Bind(binding("hp")))
    seq = session.session.fold.seq
    session.apply(i.Bind(binding("hp")))
    assert session.session.fold.seq == seq
    with pytest.raises(Refused) as caught:
        session.apply(i.Unbind("mana"))
    assert caught.value.error.hint == "Those that do: 'hp'."
    session.apply(i.Unbind("hp"))
    assert session_state(session.session.fold).bindings == []


def test_there_are_at_most_a_hundred() -> None:
    session = Script().started()
    for number in range(MAX_BINDINGS):
        session.apply(i.Bind(binding(f"v{number}")))
    with pytest.raises(Refused, match="limit_exceeded"):
        session.apply(i.Bind(binding("one_more")))
    session.apply(i.Bind(binding("v1", 7)))


def test_a_restart_leaves_bindings() -> None:
    session = Script().started()
    session.apply(i.Bind(binding("hp")))
    session.apply(i.Restart())
    assert list(session.session.fold.bindings) == ["hp"]


def test_a_notice_stands_with_the_last_execution() -> None:
    session = Script().started()
    session.apply(i.Notice("hp: no\n"))
    session.execute()
    session.apply(i.Notice("hp: again no\n"))
    told = session.events("stream")
    assert [(each["execution"], each["name"]) for each in told] == [
        (None, "stderr"),
        ("e1", "stderr"),
    ]
