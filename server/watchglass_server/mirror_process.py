"""The server ⇄ its mirror, in a process of its own: starts it, and again where it ends."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import sys
import time
from asyncio.subprocess import PIPE, Process
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from spacetimedb_client.backoff import delays
from watchglass_server import mirror_wire as wire
from watchglass_sync.inbox import Perform
from watchglass_sync.journal_reader import JournalReader
from watchglass_sync.mirror_address import MirrorAddress
from watchglass_sync.mirror_lag import MirrorLag
from watchglass_sync.mirror_listener import MirrorStatus
from watchglass_sync.permissions import Permissions
from watchglass_sync.remote_commands import CommandOutcome, RemoteCommand

_log = logging.getLogger(__name__)

PROGRAM: Final = "watchglass_server.mirror_program"
STEADY_S: Final = 10.0
"""One that lived so long is started again at once."""
GRACE_S: Final = 2.0
END_S: Final = 3.0
AGAIN_S: Final = 0.05
OUTCOMES_KEPT: Final = 1000
"""So many commands are remembered, for those whose answer was lost with its process."""


@dataclass(frozen=True, slots=True)
class Mirrored:
    """What is mirrored, as the process is told. `credentials`: a folder."""

    address: MirrorAddress
    journal: Path
    credentials: Path
    origin: str
    public: bool


class MirrorProcess:
    """A mirror beside the server, so that rows cost no session any time: `start`, `notify`, `stop`.

    What it needs to go on is in the journal and the database: where it dies, another one goes on.
    """

    def __init__(self, journal: JournalReader, mirrored: Mirrored, perform: Perform) -> None:
        """`perform` does what a row of `command` asks for."""
        self.status = MirrorStatus()
        self.lag = MirrorLag()
        self.permissions = Permissions()
        self._journal = journal
        self._mirrored = mirrored
        self._perform = perform
        self._ended_at: dict[str, int] = {}
        self._elsewhere: frozenset[str] = frozenset()
        self._process: Process | None = None
        self._changed: dict[str, None] = {}
        self._news = asyncio.Event()
        self._looked = asyncio.Event()
        self._numbers = itertools.count(1)
        self._asked: dict[int, asyncio.Future[bool]] = {}
        self._commands: dict[tuple[int, str], asyncio.Future[CommandOutcome]] = {}
        self._answering: dict[int, asyncio.Task[None]] = {}
        self._is_stopping = False
        self._task: asyncio.Task[None] | None = None

    @property
    def address(self) -> MirrorAddress:
        """Where the rows go."""
        return self._mirrored.address

    def is_elsewhere(self, session: str) -> bool:
        """True when another server writes the rows of this session."""
        return session in self._elsewhere

    async def start(self) -> None:
        """Begin, before any session is live; waits for neither the process nor the database."""
        self._ended_at = {row.session: row.last_seq for row in await self._journal.sessions()}
        for session, last in self._ended_at.items():
            self.lag.found(session, last)
        self._task = asyncio.create_task(self._run(), name="mirror")

    async def has_looked(self, limit_s: float) -> bool:
        """Wait until it has found the database, or found that it is not there; False: not yet."""
        try:
            async with asyncio.timeout(limit_s):
                await self._looked.wait()
        except TimeoutError:
            return False
        return True

    def notify(self, session: str) -> None:
        """The journal has something new of a session, or has lost it."""
        self._changed[session] = None
        self._news.set()

    async def caught_up(self, limit_s: float) -> bool:
        """Wait until all that is recorded has its rows; False when it has not in time."""
        try:
            async with asyncio.timeout(limit_s):
                while True:
                    if self._process is not None and await self._ask(self._process, limit_s):
                        return True
                    await asyncio.sleep(AGAIN_S)  # another one is about to start
        except TimeoutError:
            return False

    async def stop(self, grace: float = GRACE_S) -> None:
        """Write what there is, within so many seconds, and end."""
        if self._task is None:
            return
        self._is_stopping = True
        if self._process is None:
            self._task.cancel()
        else:
            self._tell_changed(self._process)
            self._say(self._process, wire.Stop(grace))
        _, left = await asyncio.wait({self._task}, timeout=2 * grace + END_S)
        if left:
            _log.error("the process of the mirror does not end, and is killed")
            self._task.cancel()
            await asyncio.wait({self._task})
        for command in self._commands.values():
            command.cancel()

    # --- its process

    async def _run(self) -> None:
        waits = delays()
        while not self._is_stopping:
            began = time.monotonic()
            try:
                words = f"its process ended ({await self._live()})"
            except Exception as problem:
                words = f"its process failed ({type(problem).__name__}: {problem})"
                if not isinstance(problem, OSError | TimeoutError | ValueError):
                    _log.error("the mirror failed by a fault of its own", exc_info=problem)
            if self._is_stopping:
                return
            _log.error("the mirror: %s; another one is started", words)
            errors = self.status.errors + 1
            self.status = replace(self.status, state="disconnected", errors=errors, problem=words)
            if time.monotonic() - began > STEADY_S:
                waits = delays()
            await asyncio.sleep(next(waits))

    async def _live(self) -> int:
        """Start one, and hear what it says until it ends; returns its exit code."""
        before = self.status
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-P", "-m", PROGRAM,
            stdin=PIPE, stdout=PIPE, limit=wire.LINE_BYTES,
            start_new_session=True,  # Ctrl+C is for the server, which ends it after the sessions
        )  # fmt: skip
        telling = asyncio.create_task(self._tell(process))
        try:
            self._say(process, self._begin())
            self._process = process
            assert process.stdout is not None
            async for line in process.stdout:
                self._take(process, wire.from_mirror(line), before)
            async with asyncio.timeout(END_S):
                return await process.wait()
        finally:
            self._process = None
            telling.cancel()
            self._let_go()
            if process.returncode is None:
                process.kill()
                await process.wait()

    def _begin(self) -> wire.Begin:
        mirrored = self._mirrored
        return wire.Begin(
            journal=str(mirrored.journal),
            uri=mirrored.address.uri,
            database=mirrored.address.database,
            credentials=str(mirrored.credentials),
            origin=mirrored.origin,
            public=mirrored.public,
            log_level=logging.getLogger().getEffectiveLevel(),
            ended_at=self._ended_at,
        )

    def _let_go(self) -> None:
        for task in self._answering.values():
            task.cancel()
        for asked in self._asked.values():
            if not asked.done():
                asked.set_result(False)

    # --- what it is told

    def _say(self, process: Process, message: wire.Message) -> None:
        assert process.stdin is not None
        process.stdin.write(wire.encoded(message))

    async def _tell(self, process: Process) -> None:
        """What has changed, as fast as it is taken."""
        assert process.stdin is not None
        with contextlib.suppress(ConnectionError):  # its end is seen by what it says
            while True:
                await self._news.wait()
                self._tell_changed(process)
                await process.stdin.drain()

    def _tell_changed(self, process: Process) -> None:
        self._news.clear()
        if self._changed:
            self._say(process, wire.Changed(list(self._changed)))
            self._changed.clear()

    async def _ask(self, process: Process, limit_s: float) -> bool:
        """Whether all rows are there, as soon as they are."""
        number = next(self._numbers)
        asked: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._asked[number] = asked
        self._tell_changed(process)
        self._say(process, wire.CatchUp(number, limit_s))
        try:
            return await asked
        finally:
            del self._asked[number]

    # --- what it says

    def _take(self, process: Process, said: wire.FromMirror, before: MirrorStatus) -> None:
        match said:
            case wire.Status(status):
                self.status = _summed(before, status)
                self._looked.set()
            case wire.Connected(positions):
                self.lag.connected(positions)
            case wire.Read(spans):
                self.lag.read(spans)
            case wire.Written():
                self.lag.written()
            case wire.Forgotten(session):
                self.lag.forgotten(session)
            case wire.Elsewhere(sessions):
                self._elsewhere = frozenset(sessions)
            case wire.Granted(permissions):
                self.permissions = Permissions(permissions)
            case wire.Perform(number):
                task = asyncio.create_task(self._answer(process, said))
                self._answering[number] = task
                task.add_done_callback(lambda done: self._answered(number, done))
            case wire.Drop(number):
                if (dropped := self._answering.get(number)) is not None:
                    dropped.cancel()
            case wire.CaughtUp(number, is_caught_up):
                if (asked := self._asked.get(number)) is not None and not asked.done():
                    asked.set_result(is_caught_up)

    async def _answer(self, process: Process, asked: wire.Perform) -> None:
        # A command goes on when nobody waits for its answer any more: half of one is no state.
        outcome = await asyncio.shield(self._command(asked.command))
        self._say(process, wire.Performed(asked.number, outcome))

    def _answered(self, number: int, task: asyncio.Task[None]) -> None:
        if self._answering.get(number) is task:  # the numbers of another process are its own
            del self._answering[number]

    def _command(self, command: RemoteCommand) -> asyncio.Future[CommandOutcome]:
        """Perform it, once: whoever asks again after a cut waits for the same, or is told it."""
        row = command.place, command.name
        task = self._commands.pop(row, None)
        if task is None:
            task = asyncio.ensure_future(self._perform(command))
        self._commands[row] = task  # the last that was asked for is last
        if len(self._commands) > OUTCOMES_KEPT:
            first, oldest = next(iter(self._commands.items()))
            if oldest.done():
                del self._commands[first]
        return task


def _summed(before: MirrorStatus, now: MirrorStatus) -> MirrorStatus:
    """What this process says, with what those before it have counted."""
    return replace(
        now,
        rows=before.rows + now.rows,
        batches=before.batches + now.batches,
        errors=before.errors + now.errors,
        commands=before.commands + now.commands,
    )
