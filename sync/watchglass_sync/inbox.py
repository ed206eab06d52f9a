"""Rows of `command` → what they ask for, once each, and its answer as a row of `command_result`."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Coroutine, Sequence, Set
from typing import Any, Final

from spacetimedb_bsatn import Timestamp
from watchglass_sync.mirror_access import MirrorAccess
from watchglass_sync.mirror_database import MirrorDatabase
from watchglass_sync.mirror_tables import COMMAND, MirrorTables
from watchglass_sync.remote_commands import CommandOutcome, CommandResults, RemoteCommand

AT_ONCE: Final = 64
# These are to stop what goes on, also what others of the session wait for.
URGENT: Final = frozenset({"Interrupt", "DestroySession"})
URGENT_S: Final = 1.0
ACTING: Final = ("editor", "owner")

Perform = Callable[[RemoteCommand], Awaitable[CommandOutcome]]


class CommandInbox:
    """Performs commands while a connection lasts: those of one session one after another.

    A command goes in the transaction that brings its answer. What was under way when either side
    died is there still, and is performed again.
    """

    def __init__(
        self,
        tables: MirrorTables,
        access: MirrorAccess,
        perform: Perform,
        answered: Callable[[], None],
    ) -> None:
        """`answered` is called when a command has its answer."""
        self._results = CommandResults(tables)
        self._access = access
        self._elsewhere: Set[str] = frozenset()
        self._perform = perform
        self._answered = answered

    async def run(self, database: MirrorDatabase, elsewhere: Set[str]) -> None:
        """Until it is cancelled, or the connection is lost. Raises SpacetimeDBError.

        Commands to the sessions `elsewhere` are for the servers that write these.
        """
        self._elsewhere = elsewhere
        rows = await database.follow("command_result")
        self._results.load(rows)
        commands = await database.follow(COMMAND)
        async with asyncio.TaskGroup() as group:
            turns = _Turns(group)
            commands.on_insert(lambda _, row: self._take(database, turns, row))
            for row in sorted(commands, key=lambda row: row.id):
                self._take(database, turns, row)
            await database.lost()

    def _take(self, database: MirrorDatabase, turns: _Turns, row: Any) -> None:
        command = RemoteCommand.of_row(row)
        if command.session in self._elsewhere:
            return
        turns.after(
            # Of those with one key the first is performed, whichever sessions they name.
            [self._place(command), command.name],
            self._answer(database, command),
            patience=URGENT_S if command.action in URGENT else None,
        )

    def _place(self, command: RemoteCommand) -> str:
        """Where it waits: who may do nothing in a session holds up itself alone.

        Those without a session make one: the ones of one caller wait for each other.
        """
        role = self._access.permissions.role_in(command.caller, command.session)
        return command.session if command.session and role in ACTING else command.caller

    async def _answer(self, database: MirrorDatabase, command: RemoteCommand) -> None:
        if self._results.has(command):
            await database.apply(self._results.dropped(command))
            return
        outcome = await self._perform(command)
        await database.apply(self._results.answered(command, outcome, Timestamp.now()))
        self._answered()


class _Turns:
    """Work of which each waits for the one before it with the same key, for each of its keys."""

    def __init__(self, group: asyncio.TaskGroup) -> None:
        self._group = group
        self._last: dict[str, asyncio.Task[None]] = {}
        self._room = asyncio.Semaphore(AT_ONCE)

    def after(
        self, keys: Sequence[str], work: Coroutine[Any, Any, None], *, patience: float | None = None
    ) -> None:
        """Begin when it is its turn, or after so many seconds."""
        before = {self._last[key] for key in keys if key in self._last}
        task = self._group.create_task(self._in_turn(before, work, patience))
        for key in keys:
            self._last[key] = task
        task.add_done_callback(lambda done: self._forget(keys, done))

    async def _in_turn(
        self,
        before: Collection[asyncio.Task[None]],
        work: Coroutine[Any, Any, None],
        patience: float | None,
    ) -> None:
        try:
            if before:
                await asyncio.wait(before, timeout=patience)
            async with self._room:
                await work
            if before:
                await asyncio.wait(before)  # who comes next waits for those as well
        finally:
            work.close()

    def _forget(self, keys: Sequence[str], task: asyncio.Task[None]) -> None:
        for key in keys:
            if self._last.get(key) is task:
                del self._last[key]
