"""Server ⇄ bound rows: which variables follow rows; they are set as edits are."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from watchglass_server import host_messages as h
from watchglass_server import session_inputs as i
from watchglass_server.call_answers import variable_now
from watchglass_server.edits import edited
from watchglass_server.live_session import Envelope, LiveSession
from watchglass_server.pictures import Binding, Variable
from watchglass_server.refusals import Refused
from watchglass_server.session_fold import Fold
from watchglass_server.session_state import Phase
from watchglass_server.session_variables import told_variable

if TYPE_CHECKING:
    from watchglass_sync.bound_rows import BoundRow, BoundRows, Holding

Find = Callable[[str], LiveSession | None]
Publish = Callable[[str, Sequence[Envelope]], None]
Ended = Callable[[str], None]
Shown = Callable[[LiveSession, h.Live], None]
Ask = Callable[[LiveSession], None]

_log = logging.getLogger(__name__)

LOOKED_AT = frozenset({"variables.changed", "state.reset", "process.state", "bindings.changed"})
WRITTEN_S = 1.0
# What each row that is written costs the server, about: many are written less often.
WRITING_S = 0.003
# So often sessions that are not in memory any more are let go of.
SWEEP_S = 60.0
# Values that a variable's type cannot be told a None from.
NONE_TYPE = "NoneType"


class Bindings:
    """All variables of all sessions that follow rows."""

    def __init__(self, rows: BoundRows | None, find: Find, ask: Ask) -> None:
        """`rows` is None where there is no mirror; `find` gives a session that is in memory.

        `ask` has its process show changes sooner than they are recorded, or no longer.
        """
        self.rows = rows
        self._find = find
        self._ask = ask
        self._held: dict[str, dict[str, HeldVariable]] = {}
        self._swept_at = time.monotonic()

    async def close(self) -> None:
        """Write what was changed last, and follow none any more."""
        held = [one.bound for each in self._held.values() for one in each.values()]
        await asyncio.gather(*(bound.until_written(WRITTEN_S) for bound in held))
        for session in list(self._held):
            self.forget(session)
        if self.rows is not None:
            await self.rows.close()

    def of(self, session: str, name: str) -> BoundRow | None:
        """The row that a variable follows."""
        held = self._held.get(session, {}).get(name)
        return held.bound if held is not None else None

    def is_followed(self, session: str) -> bool:
        """Whether rows wait for changes of its variables."""
        return bool(self._held.get(session))

    # --- told of sessions

    def published(self, publish: Publish) -> Publish:
        """The same, with what was recorded looked at for the rows."""
        if self.rows is None:
            return publish

        def both(session: str, events: Sequence[Envelope]) -> None:
            publish(session, events)
            if any(event["type"] in LOOKED_AT for event in events):
                self._look_safely(session)

        return both

    def shown(self, shown: Shown) -> Shown:
        """The same, with what a process shows before it is recorded taken to the rows."""
        if self.rows is None:
            return shown

        def both(live: LiveSession, picture: h.Live) -> None:
            shown(live, picture)
            held = self._held.get(live.session, {})
            for change in picture.changes:
                if change.name in held and isinstance(change, h.SetChange):
                    held[change.name].shown(live, change.variable, len(held) * WRITING_S)

        return both

    def ended(self, ended: Ended) -> Ended:
        """The same, with what a session followed ended, too."""
        if self.rows is None:
            return ended

        def both(session: str) -> None:
            ended(session)
            self.forget(session)

        return both

    def _look_safely(self, session: str) -> None:
        """Whatever a session holds, what is recorded of it goes on."""
        try:
            self.look(session)
        except Exception:
            _log.exception("session %s: its bound variables", session)
        if time.monotonic() - self._swept_at > SWEEP_S:
            self._sweep()

    def _sweep(self) -> None:
        """Let go of sessions that sleep and were forgotten, unless a row is still to be written."""
        self._swept_at = time.monotonic()
        for session, held in list(self._held.items()):
            if self._find(session) is None and not any(one.bound.owes for one in held.values()):
                self.forget(session)

    def look(self, session: str) -> None:
        """Follow what the session wants followed, and take note of its variables."""
        live = self._find(session)
        if live is None or live.is_failed:
            return
        wanted = live.state.fold.bindings
        held = self._held.get(session, {})
        if not wanted and not held:
            return
        for name in [name for name, one in held.items() if one.binding != wanted.get(name)]:
            held.pop(name).close()
        for name, binding in wanted.items():
            if name not in held:
                held[name] = self._hold(session, binding)
        self._held[session] = held
        self._ask(live)
        for one in held.values():
            one.look(live)

    def forget(self, session: str) -> None:
        """Follow nothing for it any more."""
        for held in self._held.pop(session, {}).values():
            held.close()

    def _hold(self, session: str, binding: Binding) -> HeldVariable:
        assert self.rows is not None
        return HeldVariable(self.rows, binding, lambda: self._find(session))


class HeldVariable:
    """One variable that follows a row, as the row's side sees it."""

    def __init__(
        self, rows: BoundRows, binding: Binding, find: Callable[[], LiveSession | None]
    ) -> None:
        # It is there where this is called: there is a mirror.
        from watchglass_sync.row_form import RowAddress

        self.binding = binding
        self._find = find
        # The process whose variable it is, by its session in memory and its generation.
        self._process: tuple[LiveSession, int] | None = None
        self._is_there = False
        self._shown_at = 0.0
        database, _, table = binding.table.rpartition("/")
        address = RowAddress(database, table, binding.key, binding.column)
        self.bound = rows.bind(address, self)

    def close(self) -> None:
        """Follow it no longer."""
        self.bound.close()

    def look(self, live: LiveSession) -> None:
        """Take note of what the record says of the variable and its process."""
        state = live.state
        variable = _named(state.fold, self.binding.name)
        if state.phase is Phase.READY and self._process != (live, state.generation):
            self._process, self._is_there = (live, state.generation), variable is not None
            self.bound.reset(None if variable is None else holding(variable))
        elif variable is not None:
            self._is_there = True
            self.bound.changed(holding(variable))
        elif self._is_there:
            self._is_there = False
            if state.phase is Phase.READY:
                self.bound.gone()
        if state.phase is not Phase.READY and self._process is not None:
            self._process = None
            self.bound.slept()

    def shown(self, live: LiveSession, variable: h.Variable, pause: float) -> None:
        """Take note of what the process shows of it, once the record has told of the process.

        Not again before a pause: the record tells of it four times a second.
        """
        now = time.monotonic()
        is_due = now - self._shown_at >= pause
        if is_due and self._process == (live, live.state.generation):
            self._shown_at = now
            self.bound.changed(holding(told_variable(variable)))

    # --- set by the row

    async def set(self, value: Any, columns: Mapping[str, Any] | None) -> Holding:
        """Set it as an edit does; of a dict only some items, as long as it is one."""
        from watchglass_sync.bound_rows import VariableAway, VariableRefused

        try:
            if columns is not None:
                with contextlib.suppress(NotADict):
                    return await self._merge(columns)
            args = {"path": [self.binding.name], "value": value}
            return await self._ask("variable_set", args)
        except Refused as refusal:
            match refusal.error.code:
                case "timeout":
                    raise VariableAway(is_gone=False) from None
                case "process_died":
                    raise VariableAway(is_gone=True) from None
            raise VariableRefused(f"it cannot be set: {refusal.error.message}") from None

    async def _merge(self, columns: Mapping[str, Any]) -> Holding:
        try:
            return await self._ask(
                "variable_merge", {"name": self.binding.name, "items": dict(columns)}
            )
        except Refused as refusal:
            if refusal.error.code in ("not_settable", "variable_not_found"):
                raise NotADict from None
            raise

    async def _ask(self, op: str, args: Mapping[str, Any]) -> Holding:
        from watchglass_sync.bound_rows import VariableAway

        live = self._find()
        if live is None or live.is_failed or live.state.phase is not Phase.READY:
            raise VariableAway(is_gone=True)  # and asking would wake it
        name, author = self.binding.name, self.binding.table
        reply = await edited(live, op, args, name, author, variable_now)
        return holding(reply.variable)

    def tell(self, words: str) -> None:
        """Say it where people of the session read what their code prints."""
        live = self._find()
        if live is not None and not live.is_failed:
            text = f"{self.binding.name} ({self.binding.follows}): {words}\n"
            live.apply(i.Notice(text))


class NotADict(Exception):
    """The variable is no dict of which items could be set."""


def holding(variable: Variable) -> Holding:
    """What a variable is, as the row's side knows it."""
    from watchglass_sync.bound_rows import Holding

    is_exact = variable.value is not None or variable.type == NONE_TYPE
    return Holding(variable.version, variable.value, is_exact)


def _named(fold: Fold, name: str) -> Variable | None:
    bound = fold.variables.get(name)
    return None if bound is None else bound.variable
