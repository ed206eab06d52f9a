"""Every attempt to get out of a session gets through where nothing holds it, and none in a jail."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.support.node_host import node_config
from tests.support.probing import OrdinaryUsersJail, open_config, starting
from watchglass_server.child import Launcher
from watchglass_server.escape_probes import ProbeResult, run_probes

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

LEAST_PROBES = 110


class Figure:
    """Says how many got out, also where output is captured."""

    def __init__(self, capture: pytest.CaptureFixture[str]) -> None:
        self._capture = capture

    def tell(self, where: str, results: Sequence[ProbeResult]) -> None:
        escaped = sum(result.escaped for result in results)
        with self._capture.disabled():
            print(f"\nescapes {where}: {escaped} of {len(results)}")


@pytest.fixture
def figure(capsys: pytest.CaptureFixture[str]) -> Figure:
    return Figure(capsys)


def escapes(results: Sequence[ProbeResult]) -> dict[str, str | None]:
    """Those that got through; most have to have come to their end, or nothing was tried."""
    assert sum("Finished(" in result.said for result in results) > 0.9 * len(results)
    return {result.probe.name: result.evidence for result in results if result.escaped}


async def test_without_isolation_every_attempt_gets_through(
    cache_dir: Path, figure: Figure
) -> None:
    results = await run_probes(starting(await open_config(cache_dir)))
    figure.tell("without isolation", results)
    assert len(results) >= LEAST_PROBES
    stopped = {result.probe.name: result.said[-2000:] for result in results if not result.escaped}
    if os.geteuid() != 0:  # only root may write into the root, where a process starts
        stopped.pop("write_working_directory")
    assert not stopped


async def test_the_jail_alone_lets_no_attempt_through(
    cache_dir: Path, launcher: Launcher, figure: Figure
) -> None:
    results = await run_probes(starting(await open_config(cache_dir, launcher)))
    figure.tell("from the jail", results)
    assert not escapes(results)


async def test_the_jail_of_an_ordinary_user_lets_no_attempt_through(
    cache_dir: Path, figure: Figure
) -> None:
    launcher = OrdinaryUsersJail()
    try:
        results = await run_probes(starting(await open_config(cache_dir, launcher)))
    finally:
        await launcher.close()
    figure.tell("from the jail of an ordinary user", results)
    assert not escapes(results)


async def test_a_session_as_it_is_started_lets_no_attempt_through(
    cache_dir: Path, launcher: Launcher, figure: Figure
) -> None:
    results = await run_probes(starting(await node_config(cache_dir, launcher)))
    figure.tell("from a session", results)
    assert not escapes(results)
