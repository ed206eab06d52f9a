"""Tests of watcher.py in an interpreter that has dict watchers: the session's own."""

from __future__ import annotations

from pathlib import Path
from sys import _getframe
from typing import Any

import pytest

from tests.support.node_host import Conversation, node_config
from watchglass_monitor.watcher import tell_lines_of, user_line
from watchglass_server.child import Launcher
from watchglass_server.process import PyodideProcess

pytestmark = pytest.mark.slow

DROPPED = """
import gc
from watchglass_monitor.watcher import CtypesWatcher

seen = []
for _ in range(20):
    namespace = {}
    watcher = CtypesWatcher(namespace)
    watcher.arm()
    namespace["x"] = 1
    seen.append(list(watcher.drain().names))
    del watcher
    gc.collect()
    namespace["x"] = 2
    del namespace
seen == [["x"]] * 20 or seen
"""


async def test_a_watcher_that_is_dropped_stops_watching_and_gives_its_place_back(
    cache_dir: Path,
    launcher: Launcher,
) -> None:
    async with PyodideProcess(await node_config(cache_dir, launcher)) as process:
        talk = Conversation(process)
        assert await talk.evaluate(DROPPED) == "True"
        assert await talk.evaluate("1 + 1") == "2"
        await talk.close()


def test_a_line_is_one_of_the_running_execution_even_in_a_function_of_an_earlier_one() -> None:
    found: list[int | None] = []
    namespace: dict[str, Any] = {"look": lambda: found.append(user_line(_getframe()))}
    exec(compile("def step():\n    look()", "<In[1]>", "exec"), namespace)
    call = compile("\n\nstep()\nlook()", "<In[2]>", "exec")
    tell_lines_of("<In[2]>")
    exec(call, namespace)
    tell_lines_of("<In[3]>")
    exec(call, namespace)
    tell_lines_of("")
    assert found == [3, 4, 3, 4]
    assert user_line(_getframe()) is None
