"""A variable and a row of a database that are to be equal: which is set to what, and when. Pure.

Both are pictures: a value for each column, compared exactly, or None where there is no row. What
changed on one side alone since both were equal goes to the other side, column by column; where both
changed, the row stands. One value at a time is under way in each direction.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, replace

Picture = Mapping[str, Hashable]


@dataclass(frozen=True, slots=True)
class Loose:
    """No picture: what is there is not known, or fits no row; `why` is for people."""

    why: str | None = None


Side = Picture | Loose | None
UNSEEN = Loose()


# --- what can happen


@dataclass(frozen=True, slots=True)
class Connected:
    """The row is followed, and is this one now."""

    row: Picture | None


@dataclass(frozen=True, slots=True)
class RowCame:
    """The row became this one."""

    row: Picture | None


@dataclass(frozen=True, slots=True)
class Disconnected:
    """Nobody tells of the row any more, nor writes it."""


@dataclass(frozen=True, slots=True)
class Changed:
    """The variable was changed; each change has a higher `version`."""

    version: int
    held: Side


@dataclass(frozen=True, slots=True)
class Gone:
    """The variable was deleted."""

    why: str


@dataclass(frozen=True, slots=True)
class Reset:
    """A process is there, and this is what it has: nobody wanted it so."""

    version: int
    held: Side


@dataclass(frozen=True, slots=True)
class Slept:
    """There is no process whose variable could be set."""


@dataclass(frozen=True, slots=True)
class SetDone:
    """The variable was set, and is this now."""

    number: int
    version: int
    held: Side


@dataclass(frozen=True, slots=True)
class SetRefused:
    """The variable cannot be set to this."""

    number: int
    why: str


@dataclass(frozen=True, slots=True)
class SetLost:
    """Whether the variable was set is not known; `is_gone`: with its process."""

    number: int
    is_gone: bool


@dataclass(frozen=True, slots=True)
class Written:
    """The database has taken it: what the row is now was told before."""

    number: int


@dataclass(frozen=True, slots=True)
class WriteRefused:
    """The database does not take it."""

    number: int
    why: str


@dataclass(frozen=True, slots=True)
class WriteLost:
    """Whether the database took it is not known; `Connected` follows when it can be."""

    number: int


Input = (
    Connected
    | RowCame
    | Disconnected
    | Changed
    | Gone
    | Reset
    | Slept
    | SetDone
    | SetRefused
    | SetLost
    | Written
    | WriteRefused
    | WriteLost
)


# --- what is to be done


@dataclass(frozen=True, slots=True)
class SetVariable:
    """Set the variable to `picture`; `only`: these columns of it, the others stay."""

    number: int
    picture: Picture | None
    only: frozenset[str] | None


@dataclass(frozen=True, slots=True)
class WriteRow:
    """Write these columns into the row."""

    number: int
    columns: Picture


@dataclass(frozen=True, slots=True)
class Tell:
    """Say this to the people in the session."""

    words: str


Action = SetVariable | WriteRow | Tell


@dataclass(frozen=True, slots=True)
class Binding:
    """What is known of both sides; `base`: what the variable was when both were last equal."""

    row: Side = UNSEEN
    base: Side = UNSEEN
    variable: Side = UNSEEN
    version: int = 0
    is_connected: bool = False
    is_awake: bool = False
    number: int = 0
    setting: SetVariable | None = None
    writing: WriteRow | None = None
    # What may have been written, or not, when the connection was lost.
    lost: Picture | None = None
    # What came while the variable was being set: before that or after it, its version tells.
    held: Changed | None = None
    is_gone: bool = False
    # The process refuses the row's value: it is not tried again before something changes.
    is_stuck: bool = False

    @property
    def is_equal(self) -> bool:
        """Whether both sides are known to be equal."""
        return not isinstance(self.row, Loose) and self.variable == self.row

    @property
    def owes(self) -> bool:
        """Whether the row may have to be written, as far as one knows."""
        return self.writing is not None or self.lost is not None or bool(_ours(self))


def apply(known: Binding, happened: Input) -> tuple[Binding, tuple[Action, ...]]:
    """The binding after what happened, and what is to be done now."""
    told: list[Action] = []
    after = _after(known, happened, told)
    settled, action = _settled(after)
    return settled, (*told, action) if action is not None else tuple(told)


def _after(known: Binding, happened: Input, told: list[Action]) -> Binding:
    match happened:
        case Connected(row):
            base = _written_into(known.base, _landed(known, row))
            return replace(known, row=row, base=base, is_connected=True, lost=None, is_stuck=False)
        case RowCame(row):
            return replace(known, row=row, is_stuck=False)
        case Disconnected():
            lost = known.writing.columns if known.writing else known.lost
            return replace(known, is_connected=False, writing=None, lost=lost)
        case Changed():
            return _changed(known, happened, told)
        case Gone(why):
            if known.setting is not None:
                return replace(known, is_gone=True)
            told.append(Tell(why))
            return replace(known, variable=UNSEEN, is_stuck=False)
        case Reset(version, held):
            return _reset(known, version, held)
        case Slept():
            return replace(known, is_awake=False, setting=None, held=None, is_gone=False)
        case SetDone() | SetRefused() | SetLost():
            if known.setting is None or known.setting.number != happened.number:
                return known
            return _set(replace(known, setting=None), known.setting, happened, told)
        case Written() | WriteRefused() | WriteLost():
            if known.writing is None or known.writing.number != happened.number:
                return known
            return _write(replace(known, writing=None), known.writing, happened, told)


def _landed(known: Binding, row: Picture | None) -> Picture:
    """What of a lost write the row shows: it was ours, and nobody's change."""
    if known.lost is None or row is None:
        return {}
    return {name: value for name, value in known.lost.items() if row.get(name) == value}


def _written_into(base: Side, columns: Picture) -> Side:
    return {**base, **columns} if isinstance(base, Mapping) else base


def _changed(known: Binding, change: Changed, told: list[Action]) -> Binding:
    if change.version <= known.version:
        return known
    if known.setting is not None:
        is_newer = known.held is None or change.version > known.held.version
        return replace(known, held=change if is_newer else known.held)
    if isinstance(change.held, Loose) and change.held.why is not None:
        told.append(Tell(change.held.why))
    return replace(known, variable=change.held, version=change.version, is_stuck=False)


def _reset(known: Binding, version: int, held: Side) -> Binding:
    is_fine = held in (known.variable, known.row) or isinstance(known.base, Loose)
    return replace(
        known,
        variable=held if is_fine else UNSEEN,
        version=version,
        is_awake=True,
        setting=None,
        held=None,
        is_gone=False,
        is_stuck=False,
    )


def _set(
    known: Binding, wanted: SetVariable, outcome: SetDone | SetRefused | SetLost, told: list[Action]
) -> Binding:
    waiting, was_deleted = known.held, known.is_gone
    known = replace(known, held=None, is_gone=False)
    match outcome:
        case SetRefused(why=why):
            told.append(Tell(why))
            known = replace(known, is_stuck=True)
        case SetLost(is_gone=is_gone):
            # It may be set later: what it is then is set once more.
            known = replace(known, variable=UNSEEN, is_awake=known.is_awake and not is_gone)
        case SetDone(version=version, held=held):
            known = replace(known, variable=held, version=version, base=_agreed(known, wanted))
    if waiting is not None:
        known = _changed(known, waiting, told)
    return replace(known, variable=UNSEEN) if was_deleted else known


def _agreed(known: Binding, wanted: SetVariable) -> Side:
    if wanted.only is None or wanted.picture is None or isinstance(known.base, Loose):
        return wanted.picture
    return _written_into(known.base, {name: wanted.picture[name] for name in wanted.only})


def _write(
    known: Binding,
    wanted: WriteRow,
    outcome: Written | WriteRefused | WriteLost,
    told: list[Action],
) -> Binding:
    match outcome:
        case Written():
            base = known.base if isinstance(known.base, Mapping) else {}
            return replace(known, base={**base, **wanted.columns})
        case WriteLost():
            return replace(known, is_connected=False, lost=wanted.columns)
        case WriteRefused(why=why):
            told.append(Tell(why))
            # What it became meanwhile may be taken, and is written next.
            is_newest = _shows(known.variable, wanted.columns)
            return replace(known, variable=UNSEEN) if is_newest else known


def _shows(side: Side, columns: Picture) -> bool:
    return isinstance(side, Mapping) and columns.items() <= side.items()


# --- what follows


def _settled(known: Binding) -> tuple[Binding, Action | None]:
    """Begin what is to be done next, unless something is under way."""
    row = known.row
    if known.setting is not None or known.writing is not None or isinstance(row, Loose):
        return known, None
    known = replace(known, base=_advanced(known))
    ours = _ours(known)
    number = known.number + 1
    # First what the variable has for the row: rows may come faster than they can be set.
    if ours and known.is_connected:
        writing = WriteRow(number, ours)
        return replace(known, number=number, writing=writing), writing
    target = {**row, **ours} if row is not None else ours or None
    if known.is_awake and not known.is_stuck and target != known.variable:
        setting = SetVariable(number, target, _only(known, target))
        return replace(known, number=number, setting=setting), setting
    return known, None


def _advanced(known: Binding) -> Side:
    """The base, with what is equal on both sides now."""
    row, base, variable = known.row, known.base, known.variable
    if isinstance(row, Loose) or variable == row:
        return base if isinstance(row, Loose) else row
    if not (isinstance(row, Mapping) and isinstance(variable, Mapping)):
        return base
    return _written_into(
        base, {name: value for name, value in row.items() if variable.get(name) == value}
    )


def _ours(known: Binding) -> Picture:
    """The columns that the variable has changed, and the row has not."""
    row, base, variable = known.row, known.base, known.variable
    if not isinstance(variable, Mapping) or isinstance(base, Loose):
        return {}
    if isinstance(row, Mapping) and isinstance(base, Mapping):
        return {
            name: value
            for name, value in variable.items()
            if value != base.get(name) and row.get(name) == base.get(name)
        }
    return variable if row is None and base is None else {}


def _only(known: Binding, target: Picture | None) -> frozenset[str] | None:
    """The columns in which the variable is not yet what it is to be; None: it has no columns."""
    if target is None or not isinstance(known.variable, Mapping):
        return None
    return frozenset(name for name, value in target.items() if known.variable.get(name) != value)
