"""Tests of watcher.py in an interpreter that has dict watchers: the session's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.node_host import Conversation, node_config
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
) -> None:
    async with PyodideProcess(await node_config(cache_dir)) as process:
        talk = Conversation(process)
        assert await talk.evaluate(DROPPED) == "True"
        assert await talk.evaluate("1 + 1") == "2"
        await talk.close()
