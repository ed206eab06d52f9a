"""A session's hold on its process: answers that are none end it, and the caller is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any, cast

import pytest

from tests.support.fake_host import fake_config
from tests.support.session_script import Script
from watchglass_server import session_inputs as i
from watchglass_server.call_answers import completions, variable_now
from watchglass_server.process import PyodideProcess
from watchglass_server.refusals import Refused
from watchglass_server.session_process_link import Living, ProcessLink
from watchglass_server.session_state import Session


class Live:
    """A session with a process, which stores nothing."""

    session = "s"
    is_failed = False

    def __init__(self) -> None:
        self.state: Session = Script().started().session
        self.tasks: list[asyncio.Task[None]] = []
        self.happened: list[i.Input] = []

    @property
    def journal(self) -> Live:
        return self

    @property
    def manager(self) -> Live:
        return self

    async def room(self) -> None:
        """There is always some."""

    async def release(self, process: PyodideProcess) -> None:
        await process.stop()

    def measure(self) -> int | None:
        """It is not asked what its process uses."""
        return None

    def apply(self, *happened: i.Input) -> None:
        self.happened += happened

    async def until(self, holds: Callable[[Session], bool], timeout: float) -> bool:
        return holds(self.state)

    def own(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        self.tasks.append(asyncio.create_task(work, name=name))
        return self.tasks[-1]


@pytest.fixture
async def link() -> AsyncIterator[ProcessLink]:
    live = Live()
    link = ProcessLink(cast(Living, live))
    process = PyodideProcess(fake_config())
    await process.start()
    try:
        link.adopt(process, live.state.generation)
        yield link
        await link.end()
        await asyncio.gather(*live.tasks)
    finally:
        await process.stop()


@pytest.mark.parametrize("read", [completions, variable_now])
async def test_an_answer_that_is_none_ends_the_process(
    link: ProcessLink, read: Callable[[Any], object]
) -> None:
    process = link.process
    assert process is not None
    with pytest.raises(Refused) as caught:
        await link.ask("echo", {"matches": "\x1b[2J"}, 5, read)
    assert caught.value.error.code == "process_died"
    ended = await process.wait()
    assert (ended.cause, ended.signal) == ("protocol", 9)
    assert "to 'echo' it answered what is no answer" in ended.message
    assert ended.message.isprintable()


async def test_an_error_with_a_variable_that_is_none_ends_the_process(link: ProcessLink) -> None:
    process = link.process
    assert process is not None
    with pytest.raises(Refused, match="process_died"):
        await link.ask("fail", {}, 5, completions)  # its variable has a name and nothing else
    assert (await process.wait()).cause == "protocol"


async def test_a_good_answer_is_read(link: ProcessLink) -> None:
    found = await link.ask("echo", {"matches": [], "start": 0, "end": 1}, 5, completions)
    assert (found.start, found.end) == (0, 1)
