"""Tests of escape_probes.py and its decoys: the host's side of an attempt to get out."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.node_host import node_config
from tests.support.probing import starting
from watchglass_server.child import Launcher
from watchglass_server.errors import ProcessStartError
from watchglass_server.escape_decoys import Decoys
from watchglass_server.escape_probes import Probe, find_escape_probes, run_probes
from watchglass_server.exit_info import describe_exit
from watchglass_server.process import PyodideProcess


def probe(source: str) -> Probe:
    return Probe("made", "files", "Does what a test asks for.", source)


async def test_a_decoy_that_nobody_touched_is_no_evidence() -> None:
    named = {"VICTIM_PID", "TCP_PORT", "UDP_PORT", "LISTEN_PORT", "SECRET_FILE", "WRITABLE"}
    async with Decoys(named) as decoys:
        assert named <= decoys.given.keys()
        assert decoys.evidence("nothing of the host") is None


async def test_a_probe_gets_only_what_it_names() -> None:
    async with Decoys({"SECRET_FILE"}) as decoys:
        assert decoys.assignments() == f"SECRET_FILE = {decoys.given['SECRET_FILE']!r}"
        assert "VICTIM_PID" not in decoys.given


async def test_a_secret_is_evidence_wherever_it_was_read() -> None:
    async with Decoys({"SECRET_FILE"}) as decoys:
        secret = await asyncio.to_thread(Path(str(decoys.given["SECRET_FILE"])).read_text)
        assert decoys.evidence(f"… {secret} …") == "it printed a secret of the host"


async def test_what_a_probe_leaves_behind_is_evidence_and_is_removed(tmp_path: Path) -> None:
    async with Decoys(set(), [tmp_path]) as decoys:
        marked = tmp_path / str(decoys.given["MARK"])
        marked.write_text("left behind")
        assert decoys.evidence("") == f"it wrote a file into {tmp_path}"
    assert not marked.exists()


async def test_a_changed_file_is_evidence() -> None:
    changes: list[Callable[[str], None]] = [
        lambda path: os.chmod(path, 0o777),
        lambda path: os.utime(path, (1, 1)),
    ]
    for change in changes:
        async with Decoys(set()) as decoys:
            change(str(decoys.given["SECRET_FILE"]))
            assert decoys.evidence("") == "it changed a file of the host"


async def test_a_connection_and_a_datagram_are_evidence() -> None:
    async with Decoys({"TCP_PORT"}) as decoys:
        port = int(str(decoys.given["TCP_PORT"]))
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.sleep(0.05)
        assert decoys.evidence("") == "it reached a TCP port"
        writer.close()
    async with Decoys({"UDP_PORT"}) as decoys:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(b"x", ("127.0.0.1", decoys.given["UDP_PORT"]))
        await asyncio.sleep(0.05)
        assert decoys.evidence("") == "it reached a UDP port"


async def test_a_listener_is_evidence() -> None:
    async with Decoys({"LISTEN_PORT"}) as decoys:
        with socket.create_server(("127.0.0.1", int(str(decoys.given["LISTEN_PORT"])))):
            assert decoys.evidence("") == "it listens on a port of the host"


async def test_a_victim_that_ended_is_evidence() -> None:
    async with Decoys({"VICTIM_PID"}) as decoys:
        os.kill(int(str(decoys.given["VICTIM_PID"])), 9)
        await asyncio.sleep(0.2)
        assert decoys.evidence("") == "it ended another process"


@pytest.mark.slow
async def test_a_process_that_a_probe_ended_or_blocked_is_replaced(
    cache_dir: Path, launcher: Launcher
) -> None:
    start = starting(await node_config(cache_dir, launcher))
    sources = ("import os\nos._exit(3)", "left = 1", "print('left' in globals())", "1 + 1")
    results = await run_probes(start, [probe(source) for source in sources], lanes=1)
    assert [result.evidence for result in results] == [None] * 4
    assert "True" in results[2].said
    assert "'2'" in results[3].said


async def test_a_process_that_cannot_be_started_is_told_as_it_is() -> None:
    async def start() -> PyodideProcess:
        ended = describe_exit(1, said=None, decided=None, output="no Node", near_memory_limit=False)
        raise ProcessStartError(ended)

    with pytest.raises(ProcessStartError, match="no Node"):
        await run_probes(start, [probe("1 + 1"), probe("2 + 2")])


def test_every_probe_has_a_name_of_its_own_and_a_sentence() -> None:
    kinds = ("files", "network", "processes", "sessions", "bombs", "frames", "markup", "terminal")
    probes = find_escape_probes(kinds)
    assert len(probes) > 180
    for each in probes:
        assert each.attempt.endswith("."), each.name
        assert each.attempt != each.name
    assert len({(each.kind, each.name) for each in probes}) == len(probes)
