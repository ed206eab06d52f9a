"""What the mirror's tables hold, and, by other code than the mirror's, what they should."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from spacetimedb_client import Admin, FileCredentials
from watchglass_server.mirroring import CREDENTIALS
from watchglass_sync.journal import Journal
from watchglass_sync.mirror import CHANGES_KEPT, OUTPUTS_KEPT
from watchglass_sync.records import Event
from watchglass_sync.transcript import Transcript

Rows = list[dict[str, Any]]
OUTPUTS = {"stream", "stream.truncated", "display_data", "execute_result", "error"}


class Mirrored:
    """The mirror of one data directory."""

    def __init__(self, uri: str, database: str, data_dir: Path) -> None:
        self.uri, self.database = uri, database
        self._data_dir = data_dir

    async def rows(self, table: str) -> Rows:
        """All rows of a table, as the owner sees them."""
        token = FileCredentials(self._data_dir / CREDENTIALS).load(self.uri, self.database)
        async with Admin(self.uri, token=token) as admin:
            found = await admin.sql(self.database, f"SELECT * FROM {table}")
            return [{name: getattr(row, name) for name in found.columns} for row in found]

    async def differences(self) -> list[str]:
        """Where the tables are not what the journal says; the server must not run."""
        async with await Journal.open(self._data_dir) as journal:
            sessions = await journal.sessions()
            events = {row.session: await journal.events(row.session, 0, 10**6) for row in sessions}
        tables = ("session", "execution", "variable", "output", "variable_change", "position")
        told = {table: await self.rows(table) for table in tables}
        wrong = []
        if {row["session"] for row in told["session"]} != set(events):
            wrong.append(f"sessions: {told['session']} and not {sorted(events)}")
        for session, recorded in events.items():
            own = {
                table: [row for row in rows if row["session"] == session]
                for table, rows in told.items()
            }
            wrong += [f"{session}: {each}" for each in _compared(own, recorded)]
        return wrong


def _compared(told: dict[str, Rows], events: Sequence[Event]) -> list[str]:
    transcript = Transcript()
    for event in events:
        transcript.apply(event)
    pairs: list[tuple[str, Any, Any]] = [
        ("position", [row["seq"] for row in told["position"]], [events[-1].seq]),
        (
            "executions",
            {row["execution"]: (row["number"], row["code"], row["status"], row["duration_ms"])
             for row in told["execution"]},
            {each.execution: (each.number, each.code, each.status, each.duration_ms)
             for each in transcript.executions.values()},
        ),
        (
            "variables",
            {row["name"]: (row["preview"], row["version"]) for row in told["variable"]},
            {each["name"]: (each["preview"], each["version"])
             for each in transcript.variables.values()},
        ),
        ("outputs", _places(told["output"]), _last(_outputs(events), OUTPUTS_KEPT)),
        ("changes", _places(told["variable_change"]), _last(_changes(events), CHANGES_KEPT)),
    ]  # fmt: skip
    return [f"{what}: {found} and not {due}" for what, found, due in pairs if found != due]


def _places(rows: Rows) -> list[tuple[int, str]]:
    return sorted((row["place"], row.get("kind") or row["name"]) for row in rows)


def _last(all_of_them: list[str], kept: int) -> list[tuple[int, str]]:
    return list(enumerate(all_of_them))[-kept:]


def _outputs(events: Sequence[Event]) -> list[str]:
    return [event.type for event in events if event.type in OUTPUTS]


def _changes(events: Sequence[Event]) -> list[str]:
    noted = [event.data["changes"] for event in events if event.type == "variables.changed"]
    return [change["name"] for changes in noted for change in changes]  # type: ignore[attr-defined]
