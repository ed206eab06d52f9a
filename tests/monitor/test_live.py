"""Tests of live.py and frames.py: what those who look are shown while code runs."""

import asyncio
import sys
from collections.abc import Iterator
from types import FrameType
from typing import Any

import pytest

from tests.support.kernel_host import HandHost
from watchglass_monitor.feed import Feed
from watchglass_monitor.frames import MAX_FRAMES, frames, running_line, running_stack
from watchglass_monitor.kernel import Kernel
from watchglass_monitor.live import DUTY, LIVE_MS, MAX_CHANGES, PACE_MS, Live
from watchglass_monitor.variables import VariableMonitor

ALL: dict[str, Any] = {"on": True, "windows": []}


class Scene:
    """A monitor on a real namespace, and what is sent of it."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []
        self.paces: list[float] = []
        self.namespace: dict[str, Any] = {}
        self.monitor = VariableMonitor(self.namespace)
        self.monitor.start()
        self.live = Live(self.monitor, self.sent.append, lambda: None, self.paces.append)
        self.feed = Feed(self.monitor, self.sent.append, self.live)
        self.now = 1000.0

    def look(self, ms: float = LIVE_MS) -> list[dict[str, Any]]:
        """Come by after so long; what was sent."""
        self.now += ms / 1000
        self.sent.clear()
        self.feed.show(1, running=True)
        return self.sent

    def window(self, *path: object, offset: int = 0, limit: int = 100) -> None:
        each = {"window": 1, "path": list(path), "offset": offset, "limit": limit}
        self.live.look(on=True, windows=[each])


@pytest.fixture
def scene(monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    scene = Scene()
    for module in ("live", "feed"):
        monkeypatch.setattr(f"watchglass_monitor.{module}.monotonic", lambda: scene.now)
    scene.namespace["before"] = 0
    assert len(scene.look()) == 1
    yield scene
    scene.monitor.stop()


def test_nobody_looks_nothing_is_live(scene: Scene) -> None:
    scene.namespace["x"] = 1
    assert scene.look() == []
    assert [message["type"] for message in scene.look(250)] == ["variables"]


def test_changes_come_at_the_pace_of_live_and_the_record_at_its_own(scene: Scene) -> None:
    scene.live.look(**ALL)
    assert scene.paces == [PACE_MS]
    seen: list[str] = []
    for number in range(20):
        scene.namespace["x"] = number
        seen += [message["type"] for message in scene.look()]
    assert seen.count("live") >= 17
    assert seen.count("variables") == 2


def test_the_record_tells_what_was_shown_live_too(scene: Scene) -> None:
    scene.live.look(**ALL)
    scene.namespace["x"] = 41
    (shown,) = scene.look()
    assert [change["variable"]["preview"] for change in shown["changes"]] == ["41"]
    (recorded,) = scene.look(250)
    assert recorded["type"] == "variables"
    assert recorded["changes"] == shown["changes"]
    assert scene.look() == [], "and nobody is told a third time"


def test_looking_takes_its_share_of_the_time_and_no_more(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.live.look(**ALL)
    assert scene.live.is_due(scene.now, stored=False)
    began = scene.now
    scene.now += 0.01  # what finding changes took
    scene.live.show(began)
    assert not scene.live.is_due(scene.now + 0.01 * DUTY - 0.001, stored=True)
    assert scene.live.is_due(scene.now + 0.01 * DUTY + 0.001, stored=False)


def test_a_store_after_a_quiet_time_is_shown_at_once(scene: Scene) -> None:
    scene.live.look(**ALL)
    assert scene.look() == []
    assert not scene.live.is_due(scene.now + 0.001, stored=False)
    assert scene.live.is_due(scene.now + 0.001, stored=True)


def test_very_many_changes_come_in_parts(scene: Scene) -> None:
    scene.live.look(**ALL)
    for number in range(MAX_CHANGES + 1):
        scene.live.note({"name": f"v{number}"})
    (first, second) = scene.look()
    assert [len(part["changes"]) for part in (first, second)] == [MAX_CHANGES, 1]


def test_an_open_window_is_shown_at_once_and_when_its_variable_changes(scene: Scene) -> None:
    scene.namespace["units"] = [10, 20, 30]
    scene.look(250)
    scene.window("units", offset=1, limit=2)
    (message,) = scene.look()
    (window,) = message["windows"]
    assert (window["window"], window["total"]) == (1, 3)
    assert [child["preview"] for child in window["children"]] == ["20", "30"]
    scene.namespace["other"] = 1
    assert [message["windows"] for message in scene.look()] == [[]]
    scene.namespace["units"][2] = 31
    shown = [message for _ in range(5) for message in list(scene.look()) if message["windows"]]
    assert [child["preview"] for child in shown[0]["windows"][0]["children"]] == ["20", "31"]


def test_a_window_into_what_is_gone_says_so(scene: Scene) -> None:
    scene.namespace["d"] = {"a": [1]}
    scene.look(250)
    scene.window("d", {"key": "a"})
    scene.look()
    del scene.namespace["d"]["a"]
    scene.namespace["d"]["b"] = [1]
    shown = [message for _ in range(5) for message in list(scene.look()) if message["windows"]]
    assert shown[0]["windows"] == [{"window": 1, "total": None, "version": 0, "children": []}]


def test_who_stops_looking_is_shown_nothing_more(scene: Scene) -> None:
    scene.live.look(**ALL)
    scene.live.look(on=False, windows=[])
    scene.namespace["x"] = 1
    assert (scene.look(), scene.paces) == ([], [PACE_MS, 0])


CALLS = """\
def inner(count):
    text = "here"
    return probe()

class Holder:
    def method(self):
        return [inner(n) for n in (7,)][0]

def outer():
    return Holder().method()

found = outer()
"""


def stack_in(code: str, number: int = 3) -> list[FrameType]:
    """The user's frames where `code` calls `probe`."""
    seen: list[list[FrameType]] = []
    namespace: dict[str, Any] = {"probe": lambda: seen.append(running_stack([], None)[1:])}
    exec(compile(code, f"<In[{number}]>", "exec"), namespace)
    return seen[0]


def test_the_running_line_is_the_innermost_of_the_users() -> None:
    stack = stack_in(CALLS)
    assert running_line(stack, 3) == {"number": 3, "line": 3, "function": "inner", "calls": 12}
    assert running_line(stack, 4) == {"number": 3, "line": 3, "function": "inner"}


def test_frames_come_with_their_locals_and_run_no_user_code() -> None:
    loud = "class Loud:\n  def __repr__(self): 1/0\n"
    code = loud + CALLS.replace('"here"', "Loud()").replace("return probe()", "return [probe()]")
    shown = frames(stack_in(code))["frames"]
    names = [frame["name"] for frame in shown]
    assert (names[0], names[1], names[-1]) == ("<module>", "outer", "inner")
    assert shown[0]["locals"] == [], "those of a module are its globals"
    previews = {each["name"]: each["preview"] for each in shown[-1]["locals"]}
    assert (previews["count"], previews["text"][:5]) == ("7", "<Loud")


def test_of_a_deep_recursion_the_ends_are_shown() -> None:
    code = "def down(n):\n  return probe() if n == 0 else down(n - 1)\nfound = down(500)"
    shown = frames(stack_in(code))
    assert len(shown["frames"]) == MAX_FRAMES
    assert shown["omitted"] == 502 - MAX_FRAMES
    assert shown["frames"][0]["name"] == "<module>"


def test_the_body_of_a_class_in_a_mapping_with_code_of_its_own_is_not_read() -> None:
    code = """\
class Loud(dict):
    def items(self): 1/0
class Meta(type):
    @classmethod
    def __prepare__(cls, name, bases): return Loud()
class Built(metaclass=Meta):
    probe()
"""
    shown = frames(stack_in(code))["frames"]
    assert [(frame["name"], frame["locals"]) for frame in shown[-1:]] == [("Built", [])]


def test_a_suspended_coroutine_is_where_it_awaits() -> None:
    namespace: dict[str, Any] = {}
    code = (
        "import asyncio\nasync def inner(t):\n  await asyncio.sleep(t)\n"
        "async def outer():\n  await inner(60)"
    )
    exec(compile(code, "<In[5]>", "exec"), namespace)

    async def look() -> None:
        coroutine = namespace["outer"]()
        task = asyncio.get_running_loop().create_task(coroutine)
        await asyncio.sleep(0)
        stack = running_stack([], coroutine)
        assert running_line(stack, 5) == {"number": 5, "line": 3, "function": "inner", "calls": 5}
        task.cancel()

    asyncio.run(look())


@pytest.fixture
def event_loop_of_its_own() -> Iterator[asyncio.AbstractEventLoop]:
    loop = asyncio.new_event_loop()
    yield loop
    loop.close()


def test_the_server_asks_by_queries(event_loop_of_its_own: asyncio.AbstractEventLoop) -> None:
    host = HandHost()
    kernel = Kernel(host, event_loop_of_its_own, {"units": [1]})
    host.ask(
        "view", 1, on=True, windows=[{"window": 4, "path": ["units"], "offset": 0, "limit": 9}]
    )
    host.ask("frames", 2)
    kernel.queries.serve()
    assert host.reply(1)["ok"]
    assert host.reply(2)["result"] == {"frames": [], "omitted": 0}
    kernel.feed.show(0, running=False)
    (shown,) = host.of("live")
    assert shown["windows"][0]["window"] == 4
    assert host.paces == [PACE_MS]


def test_code_that_has_not_begun_is_at_its_first_line() -> None:
    seen: list[tuple[int, int | None]] = []

    def trace(frame: FrameType, event: str, arg: object) -> None:
        del event, arg
        if frame.f_code.co_filename == "<In[1]>":
            seen.append((frame.f_lineno, frames([frame])["frames"][0]["line"]))

    code = compile("x = 1", "<In[1]>", "exec")
    before = sys.gettrace()
    sys.settrace(trace)
    try:
        exec(code, {})
    finally:
        sys.settrace(before)
    assert seen == [(0, 1)]
