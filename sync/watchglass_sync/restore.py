"""What comes back after a restart, and the verdict on each variable. No I/O here.

`Restorer` is the seam: `ValueRestorer` brings values and definitions back from the last dump; one
that starts the process from an image of its memory stands beside it, with another plan and the
same report.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from watchglass_sync.records import JsonObject, StoredDump
from watchglass_sync.text import key

Verdict = Literal["restored", "rerun", "lost"]
DONE = frozenset({"ok"})
HISTORY_BYTES = 8 * 2**20


@dataclass(frozen=True, slots=True)
class RememberedExecution:
    """One execution of the session. `status` as in `execution.finished`, "running", "queued"."""

    execution: str
    number: int
    status: str
    code: str


@dataclass(frozen=True, slots=True)
class Remembered:
    """What the session's events say: its variables, which execution changed each last, all code."""

    variables: Mapping[str, JsonObject]
    bound_by: Mapping[str, str]
    executions: Sequence[RememberedExecution]
    dump: StoredDump | None


@dataclass(frozen=True, slots=True)
class RestorePlan:
    """What to ask of a process that just started. `image`: the file to start it from, if any."""

    query: dict[str, object]
    blob: bytes | None
    image: str | None = None


@dataclass(frozen=True, slots=True)
class Loadout:
    """What the process answered: its variables now, and its own verdict on each name it tried."""

    variables: Sequence[JsonObject] = ()
    verdicts: Sequence[JsonObject] = ()


@dataclass(frozen=True, slots=True)
class RestoreReport:
    """`restore` of `state.reset`, and the names to delete: the session had deleted them."""

    restore: list[dict[str, object]] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)


class Restorer(Protocol):
    """One way to bring a session's namespace back."""

    def plan(self, remembered: Remembered) -> RestorePlan:
        """What to ask of the process."""
        ...

    def report(self, remembered: Remembered, loaded: Loadout) -> RestoreReport:
        """What to tell the session, from what the process answered."""
        ...


class ValueRestorer:
    """Values from the last dump, definitions by running them again."""

    def plan(self, remembered: Remembered) -> RestorePlan:
        """History for `In` and for tracebacks; the dump, if there is one."""
        ran = [one for one in remembered.executions if one.status not in ("queued", "cancelled")]
        numbers = [one.number for one in remembered.executions]
        query: dict[str, object] = {
            "history": _newest(ran),
            "next_number": max(numbers, default=0) + 1,
            "has_blob": remembered.dump is not None,
        }
        return RestorePlan(query, remembered.dump.data if remembered.dump else None)

    def report(self, remembered: Remembered, loaded: Loadout) -> RestoreReport:
        """One line for each variable that the session knew."""
        verdicts = _Verdicts(remembered, loaded)
        return RestoreReport(
            [verdicts.of(name) for name in remembered.variables],
            sorted(verdicts.restored_variables - remembered.variables.keys()),
        )


class _Verdicts:
    """The rules, over the same facts sorted by name."""

    def __init__(self, remembered: Remembered, loaded: Loadout) -> None:
        self._remembered = remembered
        self._executions = {one.execution: one for one in remembered.executions}
        self._entries = _by_name(remembered.dump.entries if remembered.dump else ())
        self._loaded = _by_name(loaded.variables)
        self._verdicts = _by_name(loaded.verdicts)
        self.restored = {
            name for name, one in self._verdicts.items() if one.get("verdict") == "restored"
        }
        # Out and _ come back with a dump too, but are no variables.
        self.restored_variables = self.restored & self._loaded.keys()

    def of(self, name: str) -> dict[str, object]:
        """The element of `restore` for a name."""
        changed_by = self._executions.get(self._remembered.bound_by.get(name, ""))
        verdict, why = self._verdict(name, changed_by)
        return {
            "name": name,
            "verdict": verdict,
            "execution": changed_by.execution if changed_by and verdict != "restored" else None,
            "why": why,
        }

    def _verdict(
        self, name: str, changed_by: RememberedExecution | None
    ) -> tuple[Verdict, str | None]:
        if name in self.restored:
            return self._of_restored(name, changed_by)
        entry = self._entries.get(name)
        why = self._why(name, entry, changed_by)
        if entry is not None and entry.get("resource") is True:
            return "lost", why
        if changed_by is not None and changed_by.status in DONE:
            return "rerun", why
        return "lost", why

    def _of_restored(
        self, name: str, changed_by: RememberedExecution | None
    ) -> tuple[Verdict, str | None]:
        """A value that came back may still be older than the one that the session saw."""
        if not self._is_older(name, changed_by):
            told = self._verdicts[name].get("why")
            return "restored", told if isinstance(told, str) else None
        if changed_by is None or not self._ran_after_dump(changed_by):
            return "restored", "as it was when it was last saved; it changed after that"
        if changed_by.status in DONE:
            return "rerun", f"as it was before In [{changed_by.number}], which changed it"
        return "restored", f"as it was before In [{changed_by.number}], which did not finish"

    def _is_older(self, name: str, changed_by: RememberedExecution | None) -> bool:
        if changed_by is not None and self._ran_after_dump(changed_by):
            return True
        known = self._remembered.variables[name].get("version")
        found = self._loaded.get(name, {}).get("version")
        return isinstance(known, int) and isinstance(found, int) and known > found

    def _ran_after_dump(self, execution: RememberedExecution) -> bool:
        dump = self._remembered.dump
        return dump is None or execution.number > dump.number

    def _why(
        self, name: str, entry: JsonObject | None, changed_by: RememberedExecution | None
    ) -> str:
        verdict = self._verdicts.get(name, {})
        for reason in (verdict.get("why"), (entry or {}).get("why")):
            if isinstance(reason, str) and reason:
                return reason
        if changed_by is not None and changed_by.status not in DONE:
            return f"In [{changed_by.number}], which set it, did not finish"
        if entry is None and changed_by is not None:
            return f"In [{changed_by.number}] set it after the last save"
        return "it was not saved before the process ended"


def _newest(ran: Sequence[RememberedExecution]) -> list[dict[str, object]]:
    """As much history as one frame takes, the newest."""
    history: list[dict[str, object]] = []
    room = HISTORY_BYTES
    for one in reversed(ran):
        room -= len(key(one.code)) + 64
        if room < 0:
            break
        history.append({"number": one.number, "code": one.code})
    return history[::-1]


def _by_name(entries: Iterable[JsonObject]) -> dict[str, JsonObject]:
    return {str(entry["name"]): entry for entry in entries if "name" in entry}
