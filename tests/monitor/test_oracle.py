"""Random programs: in and after each, what was told is what is there, in a real host."""

import asyncio
import os
import random
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.support.node_host import Conversation, node_config
from tests.support.random_programs import SETUP, program
from watchglass_server.child import Launcher
from watchglass_server.host_messages import (
    Finished,
    InputRequest,
    Live,
    SetChange,
    VariablesChanged,
)
from watchglass_server.host_protocol import HostEvent
from watchglass_server.process import PyodideProcess

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]

PROGRAMS_OF_A_PROCESS = 1000
LOOK = {"on": True, "windows": []}


async def test_what_is_told_is_what_is_there_after_every_random_program(
    cache_dir: Path, launcher: Launcher, soak: bool
) -> None:
    seed = os.environ.get("SEED", "watchglass")
    compared, wanted, round_ = 0, 2_000_000 if soak else 100_000, 0
    config = await node_config(cache_dir, launcher)
    while compared < wanted:
        async with PyodideProcess(config) as process:
            talk = Conversation(process)
            if round_ % 2 == 0:  # in every other one somebody looks, and is shown more
                await process.query("view", LOOK, timeout=10)
            compared += await programs_of(talk, random.Random(f"{seed}-{round_}"))
            await talk.close()
        round_ += 1


async def programs_of(talk: Conversation, chance: random.Random) -> int:
    """Runs programs in one process; how many variables were compared."""
    await talk.execute(SETUP)
    told: dict[str, Any] = {}
    compared = 0
    for number in range(PROGRAMS_OF_A_PROCESS):
        code = program(chance)
        compared += await run(talk, code, told)
        there, wrong = await differences(talk, told)
        assert not wrong, f"after program {number}:\n{code}\n{wrong}"
        compared += there
    return compared


async def run(talk: Conversation, code: str, told: dict[str, Any]) -> int:
    """Where a program waits, what was told has to become what is there, while it still runs."""
    request_id = talk.start(code)
    compared, answered = 0, 0

    def stops(event: HostEvent) -> bool:
        if isinstance(event, InputRequest):
            return event.request > answered
        return isinstance(event, Finished) and event.request_id == request_id

    while isinstance(event := await talk.until(stops), InputRequest):
        there, wrong = 0, ""
        for _ in range(100):
            there, wrong = await differences(talk, told)
            if not wrong:
                break
            await asyncio.sleep(0.03)
        else:
            raise AssertionError(f"while it runs:\n{code}\n{wrong}")
        compared += there
        answered = event.request
        talk.process.reply_input(event.request, "")
    return compared


async def differences(talk: Conversation, told: dict[str, Any]) -> tuple[int, str]:
    """How many variables there are, and in words where they are others than was told."""
    apply(talk, told)
    there = await described(talk)
    apply(talk, told)
    wrong = {n for n in told.keys() | there.keys() if told.get(n) != there.get(n)}
    return len(there), "\n".join(
        f"{name}: told {told.get(name)}, there is {there.get(name)}" for name in sorted(wrong)
    )


def apply(talk: Conversation, told: dict[str, Any]) -> None:
    """What a client does with the changes that have come."""
    for event in talk.seen:
        if isinstance(event, VariablesChanged | Live):
            for change in event.changes:
                if isinstance(change, SetChange):
                    told[change.name] = shown(msgspec.to_builtins(change.variable))
                else:
                    told.pop(change.name, None)  # it may have been told by both
    talk.seen.clear()


async def described(talk: Conversation) -> dict[str, Any]:
    """Every variable, described anew."""
    answer = await talk.process.query("variables", {}, timeout=10)
    return {each["name"]: shown(each) for each in answer["variables"]}


def shown(variable: dict[str, Any]) -> dict[str, Any]:
    """All that a person sees of a variable; not the count of its changes."""
    return {
        key: repr(value)
        for key, value in variable.items()
        if key != "version" and (key not in ("hidden", "truncated") or value)
    }
