"""What a process tells of one variable → what clients are told of it. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from watchglass_server import host_messages as h
from watchglass_server import notifications as n
from watchglass_server.measure import MAX_VALUE_BYTES, fits
from watchglass_server.pictures import Variable
from watchglass_server.session_fold import variable_bytes
from watchglass_server.session_state import Session, SessionLimits, Told


def told_variable(variable: h.Variable) -> Variable:
    """A variable as clients see it."""
    return bounded_variable(
        Variable(
            name=variable.name,
            type=variable.type,
            module=variable.module,
            preview=variable.preview,
            length=variable.length,
            size_bytes=variable.size_bytes,
            shape=variable.shape,
            dtype=variable.dtype,
            expandable=variable.expandable,
            settable=variable.settable,
            version=variable.version,
            value=variable.value,
            hidden=variable.hidden,
            truncated=variable.truncated,
        )
    )


def bounded_variable(variable: Variable, most: int = MAX_VALUE_BYTES) -> Variable:
    """The same without its exact value, if that is larger than the contract says."""
    if fits(variable.value, most):
        return variable
    return replace(variable, value=None)


def admit(
    session: Session, changes: Sequence[n.VariableChange]
) -> tuple[list[n.VariableChange], Told]:
    """The changes that a session's limits leave room for.

    What would be too many or too large comes without its exact value, then not at all: if it was
    told before, as a deletion.
    """
    limits, told = session.limits, session.sizes
    before = session.fold.variables
    now: dict[str, Variable | None] = {}
    count, size, left_out = len(before), told.size_bytes, set(told.left_out)
    kept: list[n.VariableChange] = []
    for change in changes:
        bound = before.get(change.name)
        old = now.get(change.name, None if bound is None else bound.variable)
        count, size = (count - 1, size - variable_bytes(old)) if old is not None else (count, size)
        fits, fits_bytes = _fitting(change.variable, limits.variables_bytes - size)
        if fits is not None and count < limits.variables:
            count, size = count + 1, size + fits_bytes
            kept.append(change if fits is change.variable else replace(change, variable=fits))
        else:
            fits = None
            if old is not None:
                kept.append(replace(change, op="delete", variable=None))
        now[change.name] = fits
        left_out.discard(change.name)
        # A session that makes names without end is told of by its own count.
        if fits is None and change.variable is not None and len(left_out) < limits.variables:
            left_out.add(change.name)
    return kept, Told(size, frozenset(left_out) if left_out != told.left_out else told.left_out)


def admit_all(limits: SessionLimits, variables: Sequence[Variable]) -> tuple[list[Variable], Told]:
    """Those of a new process's variables for which the limits leave room."""
    size = 0
    kept: list[Variable] = []
    left_out: list[str] = []
    for variable in variables:
        fits, fits_bytes = _fitting(variable, limits.variables_bytes - size)
        if fits is None or len(kept) >= limits.variables:
            left_out.append(variable.name)
        else:
            size += fits_bytes
            kept.append(fits)
    return kept, Told(size, frozenset(left_out[: limits.variables]))


def _fitting(variable: Variable | None, room: int) -> tuple[Variable | None, int]:
    """The variable, or it without its exact value, if there is room for it; and its size."""
    if variable is None:
        return None, 0
    size = variable_bytes(variable)
    if size <= room:
        return variable, size
    bare = replace(variable, value=None)
    size = variable_bytes(bare)
    return (bare, size) if size <= room else (None, 0)
