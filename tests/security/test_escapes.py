"""Every probe gets through where nothing locks it in: they are real attempts."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.probing import open_config, starting
from watchglass_server.escape_probes import ProbeResult, find_escape_probes, run_probes

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

LEAST_PROBES = 100


def tell(results: list[ProbeResult], where: str) -> str:
    escaped = sum(result.escaped for result in results)
    line = f"escapes {where}: {escaped} of {len(results)}"
    print(line)
    return line


async def test_without_isolation_every_attempt_gets_through(cache_dir: Path) -> None:
    results = await run_probes(starting(await open_config(cache_dir)))
    assert len(results) >= LEAST_PROBES
    stopped = {result.probe.name: result.said[-2000:] for result in results if not result.escaped}
    assert not stopped, tell(results, "without isolation")
    tell(results, "without isolation")


def test_each_probe_says_what_it_attempts() -> None:
    for probe in find_escape_probes():
        assert probe.attempt.endswith("."), probe.name
        assert probe.attempt != probe.name
