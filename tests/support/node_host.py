"""The real Node host for tests: its configuration with the base image, and a conversation."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from watchglass_server.assets import find_assets
from watchglass_server.child import Launcher
from watchglass_server.host_messages import ExecuteResult, Finished, Stream
from watchglass_server.host_protocol import HostEvent
from watchglass_server.image import ensure_image
from watchglass_server.process import ProcessConfig, PyodideProcess

E = TypeVar("E")
NEEDED_FLAGS = ("--experimental-wasm-jspi", "--wasm-stack", "--max-")


async def node_config(cache_dir: Path, launcher: Launcher | None = None) -> ProcessConfig:
    """Return the configuration of this checkout, with its base image."""
    config = ProcessConfig.from_assets(find_assets())
    config = replace(config, launcher=launcher or config.launcher)
    return replace(config, image=await ensure_image(config, cache_dir))


def without_second_layer(config: ProcessConfig) -> ProcessConfig:
    """The same with no more than what Pyodide needs: Node's permissions and all that are off."""
    flags = tuple(flag for flag in config.node_flags if flag.startswith(NEEDED_FLAGS))
    return replace(config, node_flags=flags, image_flags=())


class Conversation:
    """Executes in one process, one after another, and keeps all events."""

    def __init__(self, process: PyodideProcess) -> None:
        self.process = process
        self.seen: list[HostEvent] = []
        self.last_id = 0
        self._reading = asyncio.create_task(self._read())
        self._news = asyncio.Event()

    async def _read(self) -> None:
        async for batch in self.process.events():
            self.seen += batch
            self._news.set()
        self._news.set()

    def start(self, code: str) -> int:
        """Begin an execution and return its request id."""
        self.last_id += 1
        self.process.execute(self.last_id, self.last_id, code)
        return self.last_id

    async def until(self, condition: Callable[[HostEvent], bool], timeout: float = 20) -> HostEvent:
        """Return the first event, past or to come, for which the condition holds."""
        async with asyncio.timeout(timeout):
            looked_at = 0
            while True:
                for event in self.seen[looked_at:]:
                    if condition(event):
                        return event
                looked_at = len(self.seen)
                if self._reading.done():
                    raise AssertionError(f"it ended: {self.process.exit}; seen: {self.seen[-5:]}")
                self._news.clear()
                await self._news.wait()

    async def finish(self, request_id: int, timeout: float = 20) -> Finished:
        """Wait for the end of an execution."""
        event = await self.until(
            lambda event: isinstance(event, Finished) and event.request_id == request_id, timeout
        )
        assert isinstance(event, Finished)
        return event

    async def execute(self, code: str, timeout: float = 20) -> Finished:
        """Execute and wait for the end."""
        return await self.finish(self.start(code), timeout)

    async def evaluate(self, code: str) -> str:
        """Execute and return the text of the result."""
        request_id = self.start(code)
        await self.finish(request_id)
        for event in self.seen:
            if isinstance(event, ExecuteResult) and event.request_id == request_id:
                return str(event.bundle["text/plain"])
        raise AssertionError(f"no result: {self.seen[-5:]}")

    def text(self, request_id: int, name: str = "stdout") -> str:
        """Return what an execution has printed so far."""
        return "".join(
            event.text
            for event in self.seen
            if isinstance(event, Stream) and (event.request_id, event.name) == (request_id, name)
        )

    async def close(self) -> None:
        """Stop the process, and the reading with it."""
        await self.process.stop()
        await self._reading


async def first(
    talk: Conversation, kind: type[E], which: Callable[[E], bool] = lambda _: True
) -> E:
    """The first event of that type for which it holds, past or to come."""
    event = await talk.until(lambda each: isinstance(each, kind) and which(each))
    assert isinstance(event, kind)
    return event


def of(talk: Conversation, kind: type[E]) -> list[E]:
    """The events of that type so far."""
    return [event for event in talk.seen if isinstance(event, kind)]
