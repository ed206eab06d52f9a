"""What the record and the journal remember of a session → a process that has it again."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from watchglass_server.host_answers import RestoreAnswer, read_answer
from watchglass_server.pictures import RestoreEntry, Variable
from watchglass_server.process import PyodideProcess
from watchglass_server.session_fold import Fold
from watchglass_server.session_inputs import Restored
from watchglass_server.session_variables import told_variable
from watchglass_sync.journal import Journal
from watchglass_sync.records import StoredDump
from watchglass_sync.restore import (
    Loadout,
    Remembered,
    RememberedExecution,
    Restorer,
)

RESTORE_TIMEOUT_S = 60.0
DELETE_TIMEOUT_S = 5.0
EXECUTIONS_REMEMBERED = 5000


@dataclass(frozen=True, slots=True)
class Memory:
    """All that a session is brought back from."""

    remembered: Remembered
    next_number: int


async def remember(fold: Fold, journal: Journal) -> Memory:
    """Collect it; everything must have been stored before."""
    stored = await journal.executions(fold.session, None, EXECUTIONS_REMEMBERED)
    executions = {
        one.execution: RememberedExecution(
            one.execution,
            one.number,
            str(one.data.get("status", "died")),
            str(one.data.get("code", "")),
        )
        for one in stored
        if one.number > fold.base_number
    }
    dump: StoredDump | None = await journal.dump(fold.session)
    return Memory(
        Remembered(
            variables={
                name: msgspec.to_builtins(bound.variable) for name, bound in fold.variables.items()
            },
            bound_by={
                name: bound.execution
                for name, bound in fold.variables.items()
                if bound.execution is not None
            },
            executions=sorted(executions.values(), key=lambda one: one.number),
            dump=dump if dump is not None and dump.data else None,
        ),
        fold.last_number - len(fold.queue) + 1,
    )


async def bring_back(
    process: PyodideProcess, restorer: Restorer, memory: Memory, generation: int
) -> Restored:
    """Put it into a process that just started, and say what became of each variable."""
    plan = restorer.plan(memory.remembered)
    args = {**plan.query, "next_number": memory.next_number}
    answer = await process.query("restore", args, timeout=RESTORE_TIMEOUT_S, blob=plan.blob)
    read = read_answer(answer, RestoreAnswer)
    loadout = Loadout(
        [msgspec.to_builtins(one) for one in read.variables],
        [msgspec.to_builtins(one) for one in read.verdicts],
    )
    report = restorer.report(memory.remembered, loadout)
    for name in report.deleted:
        await process.query("variable_delete", {"name": name}, timeout=DELETE_TIMEOUT_S)
    told: list[Variable] = [told_variable(one) for one in read.variables]
    return Restored(
        generation,
        tuple(one for one in told if one.name not in report.deleted),
        tuple(msgspec.convert(report.restore, list[RestoreEntry])),
    )


def nothing_back(memory: Memory, generation: int, why: str) -> Restored:
    """The report of a process that got nothing back: what ran well can be run again."""
    remembered = memory.remembered
    ran_well = {one.execution for one in remembered.executions if one.status == "ok"}
    entries = []
    for name in remembered.variables:
        execution = remembered.bound_by.get(name)
        entries.append(
            RestoreEntry(
                name=name,
                verdict="rerun" if execution in ran_well else "lost",
                execution=execution,
                why=f"the session could not be brought back: {why}"[:500],
            )
        )
    return Restored(generation, (), tuple(entries))
