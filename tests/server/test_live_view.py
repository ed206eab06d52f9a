"""What a client is still to be shown: the latest of each thing, whole again from its patches."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watchglass_server.commands import Window
from watchglass_server.live_sender import INTERVAL_S, LiveSender
from watchglass_server.live_view import CHANGES_MOST, NOTHING, Content, LiveView, window_key
from watchglass_server.notifications import LiveMessage, VariableChange
from watchglass_server.pictures import Child, Variable

WINDOWS = [Window(path=["a"]), Window(path=["a"], offset=100), Window(path=["b"])]
NAMES = ["a", "b", "c"]


def variable(text: str, version: int = 0) -> Variable:
    return Variable(
        name="v",
        type="int",
        module="builtins",
        preview=text,
        length=None,
        size_bytes=None,
        shape=None,
        dtype=None,
        expandable=False,
        settable=True,
        version=version,
        value=None,
    )


def change(name: str, text: str) -> VariableChange:
    return VariableChange(op="set", name=name, variable=variable(text), execution=None, line=None)


def content(texts: list[str], version: int) -> Content:
    children = [Child(key=str(n), label=str(n), variable=variable(t)) for n, t in enumerate(texts)]
    return Content(len(texts), version, tuple(children))


class Screen:
    """A client that applies what it is shown."""

    def __init__(self) -> None:
        self.variables: dict[str, str] = {}
        self.windows: dict[Any, list[str] | None] = {}

    def apply(self, message: LiveMessage) -> None:
        for each in message.changes:
            assert each.variable is not None
            self.variables[each.name] = each.variable.preview
        for patch in message.patches:
            key = window_key(Window(path=patch.path, offset=patch.offset, limit=patch.limit))
            if patch.total is None:
                self.windows[key] = None
                continue
            rows = (self.windows.get(key) or [])[: patch.length]
            rows += [""] * (patch.length - len(rows))
            for one in patch.rows:
                assert one.child.variable.version == patch.version
                rows[one.row] = one.child.variable.preview
            self.windows[key] = rows


TEXTS = st.lists(st.sampled_from(["1", "2", "3"]), max_size=4)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("change"), st.sampled_from(NAMES), st.integers(0, 9).map(str)),
        st.tuples(st.just("window"), st.sampled_from(range(3)), TEXTS | st.none()),
        st.tuples(st.just("show"), st.just(0), st.just(0)),
    ),
    max_size=40,
)


@settings(max_examples=200, deadline=None)
@given(STEPS)
def test_however_seldom_it_is_shown_the_last_picture_is_right(steps: list[Any]) -> None:
    view, screen = LiveView("s", None), Screen()
    view.look(None, WINDOWS)
    variables: dict[str, str] = {}
    windows: dict[Any, list[str] | None] = {}
    for version, (what, which, data) in enumerate(steps):
        if what == "change":
            variables[which] = data
            view.take([change(which, data)], {}, None, version)
        elif what == "window":
            key = window_key(WINDOWS[which])
            windows[key] = data
            now = NOTHING if data is None else content(data, version)
            view.take([], {key: now}, None, version)
        elif view.is_due:
            screen.apply(view.message())
    while view.is_due:
        screen.apply(view.message())
    assert (screen.variables, screen.windows) == (variables, windows)


def test_only_the_names_in_view_are_shown() -> None:
    view = LiveView("s", frozenset())
    assert view.is_empty
    view.look(["a"], [])
    view.take([change("a", "1"), change("b", "2")], {}, None, 7)
    message = view.message()
    assert [each.name for each in message.changes] == ["a"]
    assert message.after_seq == 7
    assert not view.is_due


def test_names_without_end_wait_in_a_bounded_number_and_the_newest_stay() -> None:
    view = LiveView("s", None)
    for n in range(3 * CHANGES_MOST):
        view.take([change(f"n{n}", str(n))], {}, None, n)
    assert len(view.changes) == CHANGES_MOST
    assert f"n{3 * CHANGES_MOST - 1}" in view.changes


def test_only_rows_that_are_others_are_sent_again() -> None:
    view = LiveView("s", frozenset())
    view.look([], WINDOWS[:1])
    key = window_key(WINDOWS[0])
    view.take([], {key: content(["1", "2", "3"], 1)}, None, 1)
    assert [row.row for row in view.message().patches[0].rows] == [0, 1, 2]
    view.take([], {key: content(["1", "9", "3"], 2)}, None, 1)
    (patch,) = view.message().patches
    assert [(row.row, row.child.variable.preview) for row in patch.rows] == [(1, "9")]
    assert patch.version == 2


def test_a_picture_is_not_larger_than_a_message_may_be() -> None:
    view = LiveView("s", None)
    for number in range(2000):
        large = VariableChange(
            op="set", name=f"v{number}", variable=variable("x"), execution=None, line=None
        )
        view.take([large], {}, None, 1)
    sizes = []
    while view.is_due:
        sizes.append(len(view.message().changes))
    assert sum(sizes) == 2000
    assert len(sizes) > 0


class SlowClient:
    """Takes a picture when the test says so."""

    def __init__(self) -> None:
        self.shown: list[LiveMessage] = []
        self.take: Callable[[], None] = lambda: None
        self.sender = LiveSender(self.show)

    async def show(self, picture: LiveMessage, taken: Callable[[], None]) -> None:
        self.shown.append(picture)
        self.take = taken


@pytest.fixture
def client() -> SlowClient:
    return SlowClient()


async def test_one_picture_is_under_way_and_the_next_one_is_the_newest(client: SlowClient) -> None:
    view = client.sender.views["s"] = LiveView("s", None)
    for number in range(100):
        view.take([change("a", str(number))], {}, None, number)
        client.sender.wake()
        await asyncio.sleep(0)
    assert len(client.shown) == 1
    client.take()
    await asyncio.sleep(INTERVAL_S * 2)
    (_, second) = client.shown
    assert [each.variable and each.variable.preview for each in second.changes] == ["99"]


async def test_no_more_than_thirty_a_second_are_shown(client: SlowClient) -> None:
    view = client.sender.views["s"] = LiveView("s", None)
    loop = asyncio.get_running_loop()
    began = loop.time()
    while (elapsed := loop.time() - began) < 0.5:
        view.take([change("a", str(elapsed))], {}, None, 1)
        client.sender.wake()
        await asyncio.sleep(0.001)
        client.take()
    assert 2 <= len(client.shown) <= elapsed / INTERVAL_S + 2


async def test_sessions_take_turns(client: SlowClient) -> None:
    for session in ("s", "t"):
        client.sender.views[session] = LiveView(session, None)
    for number in range(4):
        for view in client.sender.views.values():
            view.take([change("a", str(number))], {}, None, 1)
        client.sender.wake()
        await asyncio.sleep(INTERVAL_S * 1.5)
        client.take()
        await asyncio.sleep(0)
    sessions = [picture.session for picture in client.shown]
    assert abs(sessions.count("s") - sessions.count("t")) <= 1


async def test_after_its_end_nothing_is_sent(client: SlowClient) -> None:
    view = client.sender.views["s"] = LiveView("s", None)
    view.take([change("a", "1")], {}, None, 1)
    client.sender.wake()
    await asyncio.sleep(0)
    view.take([change("a", "2")], {}, None, 1)
    client.sender.close()
    client.take()
    await asyncio.sleep(INTERVAL_S * 2)
    assert len(client.shown) == 1
