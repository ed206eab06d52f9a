"""Events of a session → operations on the mirror's rows. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Final

from spacetimedb_bsatn import ConversionError, Timestamp
from spacetimedb_client.module import BatchStep
from watchglass_sync.mirror_tables import MirrorTables, encodable
from watchglass_sync.records import Event, SessionRow

EXECUTIONS_KEPT: Final = 10_000
EXECUTIONS_DROPPED: Final = 1000
OUTPUTS_KEPT: Final = 1000
CHANGES_KEPT: Final = 1000
TEXT_CHARACTERS: Final = 16 * 1024
BUNDLE_CHARACTERS: Final = 256 * 1024
_AT_REST: Final = ("hibernated", "dead")
_I64 = range(-(2**63), 2**63)
_I64_CHARACTERS = len(str(_I64.start))

Data = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Stored:
    """A row of `position`: how far the mirror of a session is, and of which data directory."""

    origin: str
    seq: int
    outputs: int
    changes: int


@dataclass(slots=True)
class Position:
    """How far the mirror of a session is: its last event, and how many rows there have been."""

    seq: int = 0
    outputs: int = 0
    changes: int = 0


@dataclass(slots=True)
class SessionMirror:
    """What has to be known of a session to turn its next event into rows.

    `executions` are those that have not ended, `variables` the names that have a row. Whoever was
    there, and what ran, up to the event `alive_after`, was with a server that has ended since.
    `stored` is the position that the database has: where another server has written a different
    one meanwhile, the whole batch is refused.
    """

    session: str
    origin: str
    tables: MirrorTables
    position: Position = field(default_factory=Position)
    stored: Stored | None = None
    executions: dict[str, dict[str, Any]] = field(default_factory=dict)
    variables: set[str] = field(default_factory=set)
    participants: set[str] = field(default_factory=set)
    process: dict[str, Any] | None = None
    newest: int = 0
    dropped: int = 0
    alive_after: int = 0
    is_settled: bool = False
    skipped: int = 0

    def describe(self, row: SessionRow) -> list[BatchStep]:
        """The session's own row."""
        fields = row.fields
        step = self._upsert(
            "session",
            session=self.session,
            name=str(fields["name"]),
            created_at=_time(fields["created_at"]),
            last_active_at=_time(fields["last_active_at"]),
            executions=int(str(fields["executions"])),
        )
        return [step]

    def take(self, events: Iterable[Event]) -> list[BatchStep]:
        """What the next events change, and the position that this reaches."""
        return list(self.taking(events))

    def taking(self, events: Iterable[Event]) -> Iterator[BatchStep]:
        """The same, one by one: very many take their time, and others are to have some of it.

        An event that is not as it should be, which a later version may have written, changes
        nothing more and is counted in `skipped`.
        """
        for event in events:
            if event.seq > self.alive_after:
                yield from self._settle()
            self.position.seq = event.seq
            try:
                yield from self._take(event)
            except (ConversionError, KeyError, TypeError, ValueError):
                self.skipped += 1
        if self.position.seq >= self.alive_after:
            yield from self._settle()
        yield from self._reach()

    def take_over(self, stored: Stored, keys: Mapping[str, Iterable[str]]) -> list[BatchStep]:
        """From another data directory: take away all rows, whose keys these are by table."""
        self.stored = stored
        steps = self._reach()
        for table, names in keys.items():
            steps += [self.tables.tables[table].delete(name) for name in names]
        return steps

    def _reach(self) -> list[BatchStep]:
        """Put our position in the place of the one that must be there."""
        position, table = self.position, self.tables.tables["position"]
        steps = []
        if self.stored is not None:
            steps.append(table.delete_row(session=self.session, **asdict(self.stored)))
        self.stored = Stored(self.origin, position.seq, position.outputs, position.changes)
        return [*steps, table.insert(session=self.session, **asdict(self.stored))]

    def surplus(self) -> int | None:
        """The number up to which executions are old enough to go, from time to time."""
        old = self.newest - EXECUTIONS_KEPT
        if old - self.dropped < EXECUTIONS_DROPPED:
            return None
        self.dropped = old
        return old

    def drop(self, executions: Iterable[str]) -> list[BatchStep]:
        """Take the rows of executions away."""
        return [self._delete("execution", one) for one in executions]

    def forget(self, executions: Iterable[str], checkpoints: Iterable[str]) -> list[BatchStep]:
        """Take all rows of the session away; given are the executions and checkpoints it has."""
        steps = [*self._reach(), *self.drop(executions)]
        steps += [self._delete("checkpoint", one) for one in checkpoints]
        steps += [self._delete("variable", name) for name in sorted(self.variables)]
        steps += [self._delete("participant", one) for one in sorted(self.participants)]
        kept = self.position
        steps += [self._delete("output", str(n)) for n in _ring(kept.outputs, OUTPUTS_KEPT)]
        steps += [
            self._delete("variable_change", str(n)) for n in _ring(kept.changes, CHANGES_KEPT)
        ]
        for name in ("process", "session", "position"):
            steps.append(self.tables.tables[name].delete(self.session))
        return steps

    def _take(self, event: Event) -> Iterator[BatchStep]:
        happened = _HAPPENED.get(event.type)
        if happened is not None:
            yield from happened(self, event.data, _time(event.time))

    def _settle(self) -> list[BatchStep]:
        """Nobody is there any more who was with a server that ended without saying so."""
        if self.is_settled:
            return []
        self.is_settled = True
        steps = [self._delete("participant", one) for one in sorted(self.participants)]
        self.participants.clear()
        if self.process is not None and self.process["state"] not in _AT_REST:
            self.process.update(state="hibernated", reason="the server ended")
            steps.append(self._upsert("process", **self.process))
        return steps

    def _upsert(self, table: str, **columns: Any) -> BatchStep:
        return self.tables.tables[table].upsert(**columns)

    def _delete(self, table: str, name: str) -> BatchStep:
        return self.tables.tables[table].delete(self._key(name))

    def _key(self, name: str) -> str:
        return f"{self.session}/{name}"

    # --- executions

    def _queued(self, data: Data, time: Timestamp) -> Iterator[BatchStep]:
        row = {
            "key": self._key(data["execution"]),
            "session": self.session,
            "execution": data["execution"],
            "number": data["number"],
            "code": data["code"],
            "author": data["author"],
            "status": "queued",
            "queued_at": time,
            "started_at": None,
            "finished_at": None,
            "duration_ms": None,
            "result": None,
            "error": None,
        }
        self.executions[data["execution"]] = row
        self.newest = max(self.newest, data["number"])
        yield self._upsert("execution", **row)

    def _started(self, data: Data, time: Timestamp) -> Iterator[BatchStep]:
        if data["execution"] not in self.executions:
            for _ in self._queued(data, time):
                pass
        yield from self._change(data["execution"], status="running", started_at=time)

    def _finished(self, data: Data, time: Timestamp) -> Iterator[BatchStep]:
        yield from self._change(
            data["execution"],
            status=data["status"],
            finished_at=time,
            duration_ms=data["duration_ms"],
        )
        self.executions.pop(data["execution"], None)

    def _change(self, execution: str | None, **columns: Any) -> Iterator[BatchStep]:
        row = self.executions.get(execution or "")
        if row is not None:
            row.update(columns)
            yield self._upsert("execution", **row)

    # --- output

    def _stream(self, data: Data, time: Timestamp) -> Iterator[BatchStep]:
        yield from self._output(data, time, "stream", data["text"], name=data["name"])

    def _truncated(self, data: Data, time: Timestamp) -> Iterator[BatchStep]:
        tail = "".join(part["text"] for part in data["tail"])
        yield from self._output(data, time, "stream.truncated", tail)

    def _display(self, data: Data, time: Timestamp) -> Iterator[BatchStep]:
        yield from self._output(data, time, "display_data", _plain(data), bundle=data["bundle"])

    def _result(self, data: Data, time: Timestamp) -> Iterator[BatchStep]:
        yield from self._output(data, time, "execute_result", _plain(data), bundle=data["bundle"])
        yield from self._change(data["execution"], result=_plain(data)[:TEXT_CHARACTERS])

    def _error(self, data: Data, time: Timestamp) -> Iterator[BatchStep]:
        yield from self._output(data, time, "error", "\n".join(data["traceback"]), data["name"])
        said = f"{data['name']}: {data['message']}"[:TEXT_CHARACTERS]
        yield from self._change(data["execution"], error=said)

    def _output(
        self,
        data: Data,
        time: Timestamp,
        kind: str,
        text: str,
        name: str | None = None,
        bundle: Data | None = None,
    ) -> Iterator[BatchStep]:
        place = self.position.outputs
        self.position.outputs += 1
        if place >= OUTPUTS_KEPT:
            yield self._delete("output", str(place - OUTPUTS_KEPT))
        whole = None if bundle is None else json.dumps(bundle)
        yield self._upsert(
            "output",
            key=self._key(str(place)),
            session=self.session,
            place=place,
            execution=data["execution"],
            kind=kind,
            name=name,
            text=text[:TEXT_CHARACTERS],
            bundle=whole if whole is None or len(whole) <= BUNDLE_CHARACTERS else None,
            time=time,
        )

    # --- variables

    def _changed(self, data: Data, time: Timestamp) -> Iterator[BatchStep]:
        for change in data["changes"]:
            if change["op"] == "delete":
                yield from self._unset(change["name"])
            else:
                yield self._set(change["variable"], change["execution"], time)
            yield from self._note(change, time)

    def _reset(self, data: Data, time: Timestamp) -> Iterator[BatchStep]:
        gone = self.variables - {variable["name"] for variable in data["variables"]}
        for name in sorted(gone):
            yield from self._unset(name)
        for variable in data["variables"]:
            yield self._set(variable, None, time)

    def _set(self, variable: Data, execution: str | None, time: Timestamp) -> BatchStep:
        self.variables.add(variable["name"])
        return self._upsert(
            "variable",
            key=self._key(variable["name"]),
            session=self.session,
            name=variable["name"],
            type=variable["type"],
            preview=variable["preview"],
            length=variable["length"],
            value=self._value(variable),
            json=_json(variable),
            version=variable["version"],
            execution=execution,
            changed_at=time,
        )

    def _unset(self, name: str) -> Iterator[BatchStep]:
        self.variables.discard(name)
        yield self._delete("variable", name)

    def _note(self, change: Data, time: Timestamp) -> Iterator[BatchStep]:
        place = self.position.changes
        self.position.changes += 1
        if place >= CHANGES_KEPT:
            yield self._delete("variable_change", str(place - CHANGES_KEPT))
        variable = change["variable"] or {}
        yield self._upsert(
            "variable_change",
            key=self._key(str(place)),
            session=self.session,
            place=place,
            name=change["name"],
            deleted=change["op"] == "delete",
            type=variable.get("type"),
            preview=variable.get("preview"),
            value=self._value(variable),
            execution=change["execution"],
            line=change["line"],
            author=change.get("author"),
            time=time,
        )

    def _value(self, variable: Data) -> Any:
        """The value as one of the sum's variants; Unknown where it is not one of these kinds."""
        kinds, value = self.tables.value, variable.get("value")
        if type(value) is dict and value.get("$type") in ("int", "float"):
            value = _number(value["$type"], value["value"])
        match value:
            case None:
                is_none = variable.get("type") == "NoneType"
                return kinds.Nothing() if is_none else kinds.Unknown()
            case bool():
                return kinds.Bool(value)
            case int() if value in _I64:
                return kinds.Int(value)
            case float():
                return kinds.Float(value)
            case str():
                return kinds.Text(encodable(value))
        return kinds.Unknown()

    # --- process, people, checkpoints

    def _process(self, data: Data, time: Timestamp) -> Iterator[BatchStep]:
        exit_: Data = data.get("exit") or {}
        self.process = {
            "session": self.session,
            "state": data["state"],
            "reason": data.get("reason"),
            "cause": exit_.get("cause"),
            "message": exit_.get("message"),
            "memory_bytes": data.get("memory_bytes"),
            "changed_at": time,
        }
        yield self._upsert("process", **self.process)

    def _joined(self, data: Data, time: Timestamp) -> Iterator[BatchStep]:
        self.participants.add(data["participant"])
        yield self._upsert(
            "participant",
            key=self._key(data["participant"]),
            session=self.session,
            participant=data["participant"],
            name=data["name"],
            role=data["role"],
            joined_at=time,
        )

    def _left(self, data: Data, _: Timestamp) -> Iterator[BatchStep]:
        self.participants.discard(data["participant"])
        yield self._delete("participant", data["participant"])

    def _checkpoint(self, data: Data, time: Timestamp) -> Iterator[BatchStep]:
        yield self._upsert(
            "checkpoint",
            key=self._key(data["checkpoint"]),
            session=self.session,
            checkpoint=data["checkpoint"],
            execution=data.get("execution"),
            created_at=time,
        )


_HAPPENED: Final = {
    "execution.queued": SessionMirror._queued,
    "execution.started": SessionMirror._started,
    "execution.finished": SessionMirror._finished,
    "stream": SessionMirror._stream,
    "stream.truncated": SessionMirror._truncated,
    "display_data": SessionMirror._display,
    "execute_result": SessionMirror._result,
    "error": SessionMirror._error,
    "variables.changed": SessionMirror._changed,
    "state.reset": SessionMirror._reset,
    "process.state": SessionMirror._process,
    "participant.joined": SessionMirror._joined,
    "participant.left": SessionMirror._left,
    "checkpoint.created": SessionMirror._checkpoint,
}


def _ring(made: int, kept: int) -> range:
    """The places that have a row, when so many have been made."""
    return range(max(0, made - kept), made)


def _time(text: object) -> Timestamp:
    return Timestamp.from_datetime(datetime.fromisoformat(str(text)))


def _plain(data: Data) -> str:
    plain = data["bundle"].get("text/plain", "")
    return plain if isinstance(plain, str) else ""


def _number(kind: str, text: str) -> int | float | None:
    """A tagged number; None for an integer that no column holds, and Python may not even read."""
    if kind == "float":
        return float(text)
    return int(text) if len(text) <= _I64_CHARACTERS else None


def _json(variable: Data) -> str | None:
    """The exact value as tagged JSON; None is one of Python's values, and null none at all."""
    value = variable["value"]
    if value is None and variable["type"] != "NoneType":
        return None
    # Most values are these, and to begin with a document takes ten times as long.
    return str(value) if type(value) is int else json.dumps(value)
