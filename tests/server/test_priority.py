"""The order in which the server and its sessions get a processor."""

import os
import subprocess
import sys
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


def test_threads_that_are_there_already_give_way_too() -> None:
    code = "import threading as t; t.Thread(target=input).start(); print('ready', flush=True)"
    program = [sys.executable, "-c", code]
    with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        give_way(process.pid)
        threads = [int(name) for name in os.listdir(f"/proc/{process.pid}/task")]
        found = [os.getpriority(os.PRIO_PROCESS, thread) for thread in threads]
        process.communicate(b"\n")
    ours = os.getpriority(os.PRIO_PROCESS, 0)
    assert found == [min(19, ours + SESSION_STEPS)] * 2
