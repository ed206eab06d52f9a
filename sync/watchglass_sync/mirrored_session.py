"""A mirrored session's rows → what its journal starts with elsewhere. Pure; nothing of it is run.

What the rows say is believed as little as what a browser says: one that cannot be is counted and
left out, and the events are decoded by their types before they are stored.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from watchglass_sync import mirrored_columns as column
from watchglass_sync.records import DumpRecord, OutputRecord
from watchglass_sync.value_dump import Source, value_dump

FINISHED: Final = frozenset({"ok", "error", "interrupted", "cancelled", "died", "timeout"})
TEXT_CHARACTERS: Final = 16 * 1024
SOURCES_CHARACTERS: Final = 4 * 2**20
CHANGES_PER_EVENT: Final = 100
_LAST: Final = 2**62
_NOT_EXPANDABLE: Final = frozenset({"str", "bytes", "bytearray"})

Row = Mapping[str, Any]
Data = dict[str, Any]
Key = tuple[str, int, int, int]
"""Where something belongs: its time, the number of its execution, the rank in that, its place."""


@dataclass(frozen=True, slots=True)
class MirroredRows:
    """What the tables have of one session."""

    session: Row
    executions: Sequence[Row] = ()
    outputs: Sequence[Row] = ()
    variables: Sequence[Row] = ()
    changes: Sequence[Row] = ()


@dataclass(frozen=True, slots=True)
class MirroredSession:
    """The (time, type, data) of the events to append, in order, and what belongs to them.

    `bad` counts the rows that are not as they should be, of which nothing is in here.
    """

    name: str
    created_at: str
    last_active_at: str
    events: list[tuple[str, str, Data]]
    outputs: list[OutputRecord]
    dump: DumpRecord
    bad: int


def read_session(rows: MirroredRows) -> MirroredSession:
    """What happened in the session, as if here. Raises ValueError when its own row is none."""
    about = rows.session
    try:
        name = column.text(about["name"] or about["session"], column.NAME_CHARACTERS)
        created, active = column.time(about["created_at"]), column.time(about["last_active_at"])
    except column.BAD as problem:
        raise ValueError(f"its row in `session` is none: {problem}") from problem
    reading = _Reading()
    reading.take(rows.executions, _Reading.execution)
    reading.take(rows.variables, _Reading.variable)
    reading.take(sorted(rows.changes, key=_place), _Reading.change)
    reading.take(sorted(rows.outputs, key=_place), _Reading.output)
    events = list(reading.events())
    return MirroredSession(
        name, created, active, events, reading.printed, reading.dump(), reading.bad
    )


@dataclass(slots=True)
class _Reading:
    """One session's rows, being put in the order in which they came to be."""

    bad: int = 0
    printed: list[OutputRecord] = field(default_factory=list)
    _executions: dict[str, Data] = field(default_factory=dict)
    _variables: dict[str, Data] = field(default_factory=dict)
    _exact: dict[str, object] = field(default_factory=dict)
    _set_by: dict[str, tuple[str | None, str]] = field(default_factory=dict)
    _changes: list[tuple[str, int, Data]] = field(default_factory=list)
    _happened: list[tuple[Key, str, Data]] = field(default_factory=list)
    # Of each execution's outputs, and of each variable's changes: none comes before the last one.
    _shown_at: dict[str | None, str] = field(default_factory=dict)
    _changed_at: dict[str, Key] = field(default_factory=dict)

    def take(self, rows: Iterable[Row], read: Callable[[_Reading, Row], None]) -> None:
        """Read what can be read."""
        for row in rows:
            try:
                read(self, row)
            except column.BAD:
                self.bad += 1

    def execution(self, row: Row) -> None:
        """One execution, from its queue to its end; what was open ended when its server did."""
        about: Data = {
            "execution": column.identifier(row["execution"]),
            "number": column.whole(row["number"], column.LARGEST_NUMBER),
            "code": column.code(row["code"]),
            "author": column.optional_name(row["author"]),
        }
        queued = column.time(row["queued_at"])
        started, finished = (_after(queued, row[at]) for at in ("started_at", "finished_at"))
        status, duration = row["status"], column.duration(row["duration_ms"])
        if status not in FINISHED:
            status, duration = "died" if started else "cancelled", None
        end = {"execution": about["execution"], "status": status, "duration_ms": duration}
        said = column.text(row["error"] or "", TEXT_CHARACTERS)
        self._executions[about["execution"]] = {**about, "queued_at": queued, "error": said}
        number = about["number"]
        self._happened.append(((queued, number, 0, 0), "execution.queued", about))
        if started is not None:
            self._happened.append(((started, number, 1, 0), "execution.started", about))
        self._happened.append(((finished or "", number, 3, 0), "execution.finished", end))

    def output(self, row: Row) -> None:
        """Something that was printed or displayed."""
        execution, place = row["execution"], column.whole(row["place"], _LAST)
        known = None if execution is None else self._executions[execution]
        earliest = known["queued_at"] if known else ""
        time = max(column.time(row["time"]), earliest, self._shown_at.get(execution, ""))
        kind, data = _shown(row, known)
        if kind == "stream" and execution is not None:
            self.printed.append(OutputRecord(execution, data["name"], data["text"]))
        self._shown_at[execution] = time
        where = (time, known["number"] if known else _LAST, 2, place)
        self._happened.append((where, kind, {"execution": execution, **data}))

    def variable(self, row: Row) -> None:
        """A variable as it was last."""
        name = column.variable_name(row["name"])
        value = None if row["json"] is None else column.tagged(row["json"])
        length = column.optional_whole(row["length"], _LAST)
        picture = _picture(name, row, value, length)
        picture["version"] = column.whole(row["version"], column.LARGEST_EXACT)
        self._set_by[name] = column.optional_name(row["execution"]), column.time(row["changed_at"])
        self._variables[name] = picture
        if row["json"] is not None:
            self._exact[name] = value

    def change(self, row: Row) -> None:
        """A change of a variable."""
        name, place = column.variable_name(row["name"]), column.whole(row["place"], _LAST)
        picture = None if row["deleted"] else _picture(name, row, column.variant(row["value"]))
        change = {
            **_change(name, picture, column.optional_name(row["execution"])),
            "line": column.optional_whole(row["line"], column.LARGEST_NUMBER),
            "author": column.optional_name(row["author"]),
        }
        self._changes.append((column.time(row["time"]), place, change))

    def dump(self) -> DumpRecord:
        """The exact values, as a process takes them, and the code that defined the others."""
        numbers = [one["number"] for one in self._executions.values()]
        versions = {name: one["version"] for name, one in self._variables.items()}
        entries = [self._entry(name, one["type"]) for name, one in self._variables.items()]
        data = value_dump(self._exact, versions, list(self._sources()))
        return DumpRecord(max(numbers, default=0), data, entries)

    def _sources(self) -> Iterator[Source]:
        names: dict[str, list[str]] = {}
        for name in self._variables.keys() - self._exact.keys():
            names.setdefault(self._set_by[name][0] or "", []).append(name)
        room = SOURCES_CHARACTERS
        for execution, one in sorted(self._executions.items(), key=lambda each: each[1]["number"]):
            if execution in names and len(one["code"]) <= room:
                room -= len(one["code"])
                yield Source(one["number"], one["code"], sorted(names[execution]))

    def _entry(self, name: str, kind: str) -> Data:
        stored = name in self._exact
        why = None if stored else f"the mirror had no exact value of this {kind}"
        return {"name": name, "stored": stored, "why": why, "kind": "value", "resource": False}

    # --- what happened, in order

    def events(self) -> Iterator[tuple[str, str, Data]]:
        """All of it; what was left open ends at the last sign of life."""
        self._tell_changes()
        end = max((key[0] for key, _, _ in self._happened), default="")
        if not end:
            return
        happened = [((key[0] or end, *key[1:]), kind, data) for key, kind, data in self._happened]
        yield from _grouped(sorted(happened, key=lambda one: one[0]))
        yield end, "process.state", {"state": "hibernated", "reason": "resumed"}

    def _tell_changes(self) -> None:
        """Each change with a version, the last one of each variable as its own row has it."""
        left: dict[str, int] = {}
        for _, _, change in self._changes:
            left[change["name"]] = left.get(change["name"], 0) + 1
        last: dict[str, Data] = {}
        for time, place, change in self._changes:
            name, picture = change["name"], change["variable"]
            left[name] -= 1
            known = self._variables.get(name)
            if known is not None and picture is not None and not left[name]:
                change.update(variable=known, execution=self._set_by[name][0])
            elif picture is not None:
                newest = known["version"] if known is not None else len(self._changes)
                picture["version"] = max(1, newest - left[name])
            last[name] = change
            self._note(time, place, change)
        self._tell_ends(last)

    def _tell_ends(self, last: Mapping[str, Data]) -> None:
        """What no stored change says: how a variable came to be, or that it is gone."""
        for name, picture in self._variables.items():
            execution, time = self._set_by[name]
            if name not in last or last[name]["variable"] is None:
                self._note(time, _LAST, _change(name, picture, execution))
        for name, change in last.items():
            if name not in self._variables and change["variable"] is not None:
                self._note("", _LAST, _change(name, None, None))

    def _note(self, time: str, place: int, change: Data) -> None:
        known = self._executions.get(change["execution"] or "")
        key = (time, known["number"] if known else _LAST, 2, place)
        before = self._changed_at.get(change["name"], key)
        if time and before > key:
            key = (*before[:3], place)
        self._changed_at[change["name"]] = key
        self._happened.append((key, "change", change))


def _grouped(happened: Iterable[tuple[Key, str, Data]]) -> Iterator[tuple[str, str, Data]]:
    """The same, with changes that came at once as one event."""
    together: list[Data] = []
    at = ""
    for key, kind, data in happened:
        goes_on = kind == "change" and key[0] == at and len(together) < CHANGES_PER_EVENT
        if together and not goes_on:
            yield at, "variables.changed", {"changes": together, "running": False}
            together = []
        if kind == "change":
            together.append(data)
            at = key[0]
        else:
            yield key[0], kind, data
    if together:
        yield at, "variables.changed", {"changes": together, "running": False}


def _shown(row: Row, execution: Data | None) -> tuple[str, Data]:
    """The type of an output's event, and what it says."""
    shown = column.text(row["text"], TEXT_CHARACTERS)
    match row["kind"]:
        case "stream":
            return "stream", {"name": column.stream(row["name"]), "text": shown}
        case "stream.truncated":
            tail = [{"name": "stdout", "text": shown}]
            return "stream.truncated", {"dropped_bytes": 0, "tail": tail}
        case "display_data":
            forms = column.bundle(row["bundle"], shown)
            return "display_data", {"bundle": forms, "display_id": None}
        case "execute_result" if execution is not None:
            forms = column.bundle(row["bundle"], shown)
            return "execute_result", {"number": execution["number"], "bundle": forms}
        case "error":
            name = column.text(row["name"], column.NAME_CHARACTERS)
            said = execution["error"].removeprefix(f"{name}: ") if execution else ""
            lines = {"traceback": shown.split("\n"), "line": None}
            return "error", {"name": name, "message": said, **lines}
    raise ValueError("there is no such kind of output")


def _change(name: str, picture: Data | None, execution: str | None) -> Data:
    return {
        "op": "delete" if picture is None else "set",
        "name": name,
        "variable": picture,
        "execution": execution,
        "line": None,
        "author": None,
    }


def _picture(name: str, row: Row, value: object, length: int | None = None) -> Data:
    """A variable, as far as the mirror has it; the rest is there when it has a process again."""
    kind = column.text(row["type"], column.NAME_CHARACTERS)
    return {
        "name": name,
        "type": kind,
        "module": None,
        "preview": column.text(row["preview"], column.NAME_CHARACTERS),
        "length": length,
        "size_bytes": None,
        "shape": None,
        "dtype": None,
        "expandable": bool(length) and kind not in _NOT_EXPANDABLE,
        "settable": True,
        "version": 1,
        "value": value,
    }


def _after(earliest: str, time: object) -> str | None:
    return None if time is None else max(earliest, column.time(time))


def _place(row: Row) -> int:
    place = row.get("place")
    return place if isinstance(place, int) else 0
