"""The process of the mirror: runs the integration beside its server, and ends with it."""

from __future__ import annotations

import asyncio
import itertools
import logging
import signal
import sys
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from spacetimedb_client import FileCredentials
from watchglass_server import mirror_wire as wire
from watchglass_server.fields import MAX_MESSAGE_BYTES
from watchglass_server.logs import log_to_stderr
from watchglass_sync.integration import SpacetimeDBIntegration
from watchglass_sync.journal_reader import JournalReader
from watchglass_sync.mirror_address import MirrorAddress
from watchglass_sync.mirror_listener import MirrorStatus, Span
from watchglass_sync.permissions import Permission
from watchglass_sync.remote_commands import CommandOutcome, RemoteCommand

_log = logging.getLogger(__name__)


class Server:
    """The server at the other end of the pipes, as the mirror tells it things and asks it."""

    def __init__(self, pipe: asyncio.WriteTransport) -> None:
        self._pipe = pipe
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[CommandOutcome]] = {}

    def say(self, message: wire.Message) -> None:
        self._pipe.write(wire.encoded(message))

    def status(self, status: MirrorStatus) -> None:
        self.say(wire.Status(status))

    def connected(self, positions: Mapping[str, int]) -> None:
        self.say(wire.Connected(dict(positions)))

    def read(self, spans: Mapping[str, Span]) -> None:
        self.say(wire.Read(dict(spans)))

    def written(self) -> None:
        self.say(wire.Written())

    def forgotten(self, session: str) -> None:
        self.say(wire.Forgotten(session))

    def elsewhere(self, sessions: Collection[str]) -> None:
        self.say(wire.Elsewhere(sorted(sessions)))

    def granted(self, permissions: Sequence[Permission]) -> None:
        self.say(wire.Granted(list(permissions)))

    async def perform(self, command: RemoteCommand) -> CommandOutcome:
        """Have the server do it; what is larger than any command need not get there."""
        if sum(map(_size, command.arguments.values())) > MAX_MESSAGE_BYTES:
            words = f"A command has at most {MAX_MESSAGE_BYTES:,} characters. Send a smaller one."
            return CommandOutcome(command.session or None, None, "too_large", words)
        number = next(self._numbers)
        outcome: asyncio.Future[CommandOutcome] = asyncio.get_running_loop().create_future()
        self._waiting[number] = outcome
        self.say(wire.Perform(number, command))
        try:
            return await outcome
        finally:
            del self._waiting[number]
            if outcome.cancelled():
                self.say(wire.Drop(number))

    def performed(self, answer: wire.Performed) -> None:
        outcome = self._waiting.get(answer.number)
        if outcome is not None and not outcome.done():
            outcome.set_result(answer.outcome)


def _size(argument: object) -> int:
    return len(argument) if isinstance(argument, str) else 0


async def run() -> None:
    """Until the server says so, or is not there any more."""
    loop = asyncio.get_running_loop()
    # A service's end may reach every process of it: the server says when it has said all.
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(number, lambda: None)
    lines = asyncio.StreamReader(limit=wire.LINE_BYTES)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    pipe, _ = await loop.connect_write_pipe(asyncio.BaseProtocol, sys.stdout)
    begin = wire.to_mirror(await lines.readline())
    assert isinstance(begin, wire.Begin)
    log_to_stderr(begin.log_level)
    server = Server(pipe)
    async with JournalReader(Path(begin.journal)) as journal:
        mirror = SpacetimeDBIntegration(
            journal,
            MirrorAddress(begin.uri, begin.database),
            FileCredentials(Path(begin.credentials)),
            origin=begin.origin,
            ended_at=begin.ended_at,
            perform=server.perform,
            listener=server,
            public=begin.public,
        )
        mirror.start()
        grace_s = await follow(lines, mirror, server)
        await mirror.stop(grace_s)


async def follow(
    lines: asyncio.StreamReader, mirror: SpacetimeDBIntegration, server: Server
) -> float:
    """Do what the server says; returns how many seconds are left for what has no rows yet."""
    tasks: set[asyncio.Task[Any]] = set()
    async for line in lines:
        match wire.to_mirror(line):
            case wire.Changed(sessions):
                for session in sessions:
                    mirror.notify(session)
            case wire.Performed() as answer:
                server.performed(answer)
            case wire.CatchUp() as asked:
                task = asyncio.create_task(catch_up(mirror, server, asked))
                tasks.add(task)
                task.add_done_callback(tasks.discard)
            case wire.Stop(grace_s):
                return grace_s
    return 0.0  # the server has died: the next one goes on where the rows end


async def catch_up(mirror: SpacetimeDBIntegration, server: Server, asked: wire.CatchUp) -> None:
    server.say(wire.CaughtUp(asked.number, await mirror.caught_up(asked.limit_s)))


if __name__ == "__main__":
    asyncio.run(run())
