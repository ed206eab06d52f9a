"""The order in which the server and its sessions get a processor."""

import os
from pathlib import Path

import pytest

from tests.support.node_host import node_config
from watchglass_server.priority import SESSION_STEPS, give_way
from watchglass_server.process import PyodideProcess


@pytest.mark.slow
async def test_every_thread_of_a_session_runs_after_the_server(cache_dir: Path) -> None:
    ours = os.getpriority(os.PRIO_PROCESS, 0)
    async with PyodideProcess(await node_config(cache_dir)) as process:
        threads = [int(name) for name in os.listdir(f"/proc/{process.pid}/task")]
        assert len(threads) > 1
        for thread in threads:
            assert os.getpriority(os.PRIO_PROCESS, thread) == min(19, ours + SESSION_STEPS)


def test_a_process_that_is_gone_is_no_error() -> None:
    give_way(2**22 + 1)
