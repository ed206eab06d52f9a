"""Every way of changing a variable is seen by a client of a real server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.client import Client, Json
from tests.support.serving import Serving

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

RESET = """
for _name in [_n for _n in globals() if not _n.startswith("_") and _n not in ("In", "Out")]:
    del globals()[_name]
"""


@dataclass(frozen=True)
class Case:
    """One way of changing variables, and the names that must be told; `-name` for a deletion."""

    name: str
    setup: str
    change: str
    expected: frozenset[str]
    later: bool


VECTORS = Path(__file__).parents[1] / "vectors"
DOCUMENT = Path(__file__).parents[2] / "docs/variables.md"


def cases(file: str = "detection.txt") -> list[Case]:
    text = (VECTORS / file).read_text()
    found = []
    for block in text.split("\n== ")[1:]:
        title, _, rest = block.partition("\n")
        name, _, names = title.partition(" => ")
        setup, _, change = f"\n{rest}".partition("\n--\n")
        expected = frozenset(names.split()) - {"later"}
        found.append(Case(name, setup, change, expected, "later" in names.split()))
    return found


@pytest.fixture
async def watched(tmp_path: Path, cache_dir: Path) -> AsyncIterator[tuple[Client, str]]:
    with Serving(tmp_path, "--pool-min-size", "1", cache_dir=cache_dir) as serving:
        async with Client(serving.url, serving.token) as client:
            yield client, await client.create()


async def test_every_way_of_changing_a_variable_is_seen(watched: tuple[Client, str]) -> None:
    client, session = watched
    missed = []
    for case in cases():
        await client.run(session, RESET)
        await client.run(session, case.setup)
        began = client.log(session).seq
        told = await told_of(client, session, case)
        if not case.expected <= told:  # on a busy machine looking into values takes longer
            await asyncio.sleep(1)
            told = names(client.log(session).events, began)
        if not case.expected <= told:
            missed.append(f"{case.name}: told {sorted(told)} instead of {sorted(case.expected)}")
    assert len(cases()) >= 81 + 20
    assert not missed, "\n".join(missed)


async def test_what_is_said_not_to_be_seen_is_not(watched: tuple[Client, str]) -> None:
    """A row of the page that is no longer true should go."""
    client, session = watched
    table = DOCUMENT.read_text().partition("## What cannot be seen")[2]
    seen = []
    for case in cases("unseen.txt"):
        assert f"| {case.name} |" in table
        await client.run(session, RESET)
        await client.run(session, case.setup)
        if case.expected & await told_of(client, session, case):
            seen.append(case.name)
    assert not seen
    assert table.count("\n| ") == 2 + len(cases("unseen.txt"))


async def told_of(client: Client, session: str, case: Case) -> set[str]:
    """The names that were told as changed, `-name` as deleted, by what the case does."""
    log = client.log(session)
    before = log.seq
    await client.run(session, case.change)
    if case.later:
        await log.until(lambda: case.expected <= names(log.events, before), case.name, 3)
    return names(log.events, before)


def names(events: dict[int, Json], after: int) -> set[str]:
    return {
        change["name"] if change["op"] == "set" else f"-{change['name']}"
        for seq, event in events.items()
        if seq > after and event["type"] == "variables.changed"
        for change in event["data"]["changes"]
    }
