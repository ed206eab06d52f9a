"""What is known of a session → what a client is told: bounded in size. Pure."""

from __future__ import annotations

from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from watchglass_server import pictures as p
from watchglass_server.fields import MAX_ANSWER_BYTES
from watchglass_server.measure import json_bytes
from watchglass_server.session_fold import (
    EXECUTIONS_KEPT,
    BoundVariable,
    Fold,
    output_bytes,
    variable_bytes,
)

# Together less than an answer may have, with room for people, restore reports and the envelope.
EXECUTIONS_BYTES = MAX_ANSWER_BYTES * 3 // 8
VARIABLES_BYTES = MAX_ANSWER_BYTES * 3 // 8
RESTORE_BYTES = MAX_ANSWER_BYTES // 8


def session_state(known: Fold, limits: p.Limits | UnsetType = UNSET) -> p.SessionState:
    """A joiner's first picture."""
    executions, cut_executions = bounded_executions(shown(known), EXECUTIONS_BYTES)
    variables, cut_variables = bounded_variables(known.variables)
    restore, cut_restore = _bounded_restore(known.restore)
    return p.SessionState(
        session=known.session,
        name=known.name,
        status=known.process.state,
        seq=known.seq,
        created_at=known.created_at,
        executions=executions,
        execution_count=known.execution_count,
        variables=variables,
        watches=list(known.watches),
        participants=list(known.participants.values()),
        checkpoints=[],
        process=known.process,
        inputs=list(known.inputs),
        packages=list(known.packages),
        bindings=list(known.bindings.values()),
        reason=known.reason,
        restore=restore,
        variables_left_out=known.variables_left_out,
        limits=limits,
        mirror=known.mirror,
        truncated=cut_executions or cut_variables or cut_restore,
    )


def shown(known: Fold) -> list[p.Execution]:
    """The last executions, and all that are not finished."""
    last = known.executions[-EXECUTIONS_KEPT:]
    earlier = known.executions[:-EXECUTIONS_KEPT]
    return [one for one in earlier if one.finished_at is None] + list(last)


def bounded_executions(executions: list[p.Execution], room: int) -> tuple[list[p.Execution], bool]:
    """The same executions, the outputs of the older ones left out where there are too many."""
    kept: list[p.Execution] = []
    cut = False
    for one in reversed(executions):
        whole = execution_bytes(one)
        if whole <= room or not kept:
            whole_one = one if whole <= room else _first_outputs(one, room)
            cut = cut or whole_one is not one
            kept.append(whole_one)
        else:
            cut = True
            kept.append(_without_outputs(one))
        room -= execution_bytes(kept[-1])
    return kept[::-1], cut


def execution_bytes(one: p.Execution) -> int:
    """About how large an execution is as JSON."""
    return 400 + json_bytes(one.code) + sum(output_bytes(output) for output in one.outputs)


def _without_outputs(one: p.Execution) -> p.Execution:
    size = sum(output_bytes(output) for output in one.outputs)
    hint = "Call execution.list, or output.read for the text."
    note = p.OmittedOutput(outputs=len(one.outputs), bytes=size, hint=hint)
    code = one.code if len(one.code) <= 2000 else one.code[:2000] + "\n# … cut here"
    return replace(one, code=code, outputs=[note] if one.outputs else [])


def _first_outputs(one: p.Execution, room: int) -> p.Execution:
    """As many of its outputs as there is room for."""
    room -= 1000 + json_bytes(one.code)
    outputs: list[p.Output] = []
    for place, output in enumerate(one.outputs):
        room -= output_bytes(output)
        if room < 0:
            rest = one.outputs[place:]
            size = sum(output_bytes(left) for left in rest)
            hint = "Call output.read for the text; the rest is in the events of the session."
            outputs.append(p.OmittedOutput(outputs=len(rest), bytes=size, hint=hint))
            break
        outputs.append(output)
    return replace(one, outputs=outputs)


def bounded_variables(variables: dict[str, BoundVariable]) -> tuple[list[p.Variable], bool]:
    """All variables; without exact values, or not all, where they are too many."""
    found = [bound.variable for bound in variables.values()]
    if sum(variable_bytes(one) for one in found) <= VARIABLES_BYTES:
        return found, False
    bare = [replace(one, value=None) for one in found]
    room = VARIABLES_BYTES
    kept: list[p.Variable] = []
    for one in bare:
        room -= variable_bytes(one)
        if room < 0:
            break
        kept.append(one)
    return kept, True


def _bounded_restore(report: tuple[p.RestoreEntry, ...]) -> tuple[list[p.RestoreEntry], bool]:
    room = RESTORE_BYTES
    kept: list[p.RestoreEntry] = []
    for entry in sorted(report, key=lambda entry: entry.verdict == "restored"):
        room -= 120 + json_bytes(entry.name) + json_bytes(entry.why or "")
        if room < 0:
            return kept, True
        kept.append(entry)
    names = {entry.name for entry in kept}
    return [entry for entry in report if entry.name in names], False
