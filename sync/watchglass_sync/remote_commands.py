"""Rows of `command` ⇄ what is asked for, and rows of `command_result`. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from spacetimedb_bsatn import Identity, Timestamp
from spacetimedb_client.module import BatchStep
from watchglass_sync.mirror_tables import ACTIONS, COMMAND, MirrorTables

RESULTS_KEPT: Final = 1000
MESSAGE_CHARACTERS: Final = 1000
KEY_CHARACTERS: Final = 100
SESSION_CHARACTERS: Final = 64


@dataclass(frozen=True, slots=True)
class RemoteCommand:
    """What somebody asks for by a row: `caller` in hexadecimal digits, `key` a name of theirs.

    The database says who called; all else is as they sent it, and to be checked.
    """

    place: int
    caller: str
    key: str
    session: str
    action: str
    arguments: Mapping[str, Any]

    @property
    def name(self) -> str:
        """What there can be one of: who, and the key that they chose."""
        return f"{self.caller}/{self.key}"

    @classmethod
    def of_row(cls, row: Any) -> RemoteCommand:
        """What a row of `command` says.

        Of a key or session longer than there is any, enough to see that: answers are kept.
        """
        kind = type(row.action).__name__
        columns = ACTIONS[kind]
        arguments = {each: getattr(row.action.value, each) for each in columns}
        key, session = row.key[: KEY_CHARACTERS + 1], row.session[: SESSION_CHARACTERS + 1]
        return cls(row.id, str(row.caller), key, session, kind, arguments)


@dataclass(frozen=True, slots=True)
class CommandOutcome:
    """What became of a command. `code`: of the error, as in docs/protocol.md; None: it was done."""

    session: str | None = None
    execution: str | None = None
    code: str | None = None
    message: str | None = None


class CommandResults:
    """Which commands are answered already, and which answers are old enough to go."""

    def __init__(self, tables: MirrorTables) -> None:
        self._tables = tables
        self._known: dict[str, deque[str]] = {}
        self._names: set[str] = set()

    def load(self, rows: Iterable[Any]) -> None:
        """Take up the rows that the database has of `command_result`."""
        self._known.clear()
        self._names.clear()
        for row in sorted(rows, key=lambda row: row.answered_at):
            self._keep(str(row.caller), row.key)

    def has(self, command: RemoteCommand) -> bool:
        """True when this caller's key is answered."""
        return command.name in self._names

    def dropped(self, command: RemoteCommand) -> list[BatchStep]:
        """What takes a command away that is answered already."""
        return [self._tables.tables[COMMAND].delete(command.place)]

    def answered(
        self, command: RemoteCommand, outcome: CommandOutcome, now: Timestamp
    ) -> list[BatchStep]:
        """What takes the command away and puts its answer there, and what makes room for it.

        The newest thousand of each caller stay.
        """
        table = self._tables.tables["command_result"]
        written = table.upsert(
            key=command.name,
            caller=Identity.from_hex(command.caller),
            command=command.key,
            session=outcome.session,
            execution=outcome.execution,
            ok=outcome.code is None,
            code=outcome.code,
            message=outcome.message and outcome.message[:MESSAGE_CHARACTERS],
            answered_at=now,
        )
        old = self._keep(command.caller, command.name)
        return [*self.dropped(command), written, *(table.delete(each) for each in old)]

    def _keep(self, caller: str, name: str) -> list[str]:
        kept = self._known.setdefault(caller, deque())
        kept.append(name)
        self._names.add(name)
        old = [kept.popleft() for _ in range(len(kept) - RESULTS_KEPT)]
        self._names.difference_update(old)
        return old
