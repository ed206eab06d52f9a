"""Rows of commands, which are answered once, and how many answers stay."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from spacetimedb_bsatn import Classes, Codec, Identity, Timestamp
from spacetimedb_client.module import BatchStep, Operation
from watchglass_sync import remote_commands
from watchglass_sync.mirror_tables import COMMAND, MirrorTables
from watchglass_sync.remote_commands import CommandOutcome, CommandResults, RemoteCommand

TABLES = MirrorTables(public=False)
CLASSES = Classes(TABLES.module.schema)
RESULT = Codec(CLASSES, TABLES.tables["command_result"].handle.row, "command_result")
ANN, BOB = (str(Identity(number)) for number in (1, 2))
NOW = Timestamp(0)


def command(key: str, caller: str = ANN, place: int = 1) -> RemoteCommand:
    return RemoteCommand(place, caller, key, "s1", "Interrupt", {})


def written(steps: list[BatchStep]) -> Any:
    (step,) = [each for each in steps if each.operation is Operation.UPSERT]
    return RESULT.decode(step.data)


def answer(results: CommandResults, one: RemoteCommand) -> list[BatchStep]:
    return results.answered(one, CommandOutcome("s1"), NOW)


@pytest.mark.parametrize(
    ("kind", "arguments"),
    [
        ("Execute", {"code": "x = 1"}),
        ("SetVariable", {"name": "x", "json": "5"}),
        ("Interrupt", {}),
        ("CreateSession", {"name": None}),
    ],
)
def test_a_row_is_taken_apart(kind: str, arguments: dict[str, Any]) -> None:
    types = CLASSES.all()
    action = getattr(types["Action"], kind)
    payload = (types[kind](**arguments),) if arguments else ()
    row = SimpleNamespace(id=7, caller=Identity(1), key="k", session="s1", action=action(*payload))
    assert RemoteCommand.of_row(row) == RemoteCommand(7, ANN, "k", "s1", kind, arguments)


def test_no_more_is_kept_of_what_is_longer_than_any_key_or_session() -> None:
    action: Any = CLASSES.all()["Action"]
    key, session = "k" * 10**6, "s" * 10**6
    row = SimpleNamespace(
        id=7, caller=Identity(1), key=key, session=session, action=action.Interrupt()
    )
    command = RemoteCommand.of_row(row)
    assert (len(command.key), len(command.session)) == (101, 65)


def test_an_answer_takes_its_command_away_and_is_known_from_then_on() -> None:
    results = CommandResults(TABLES)
    steps = answer(results, command("k", place=9))
    deleted, _ = steps
    assert (deleted.operation, deleted.table) == (
        Operation.DELETE_KEY,
        TABLES.tables[COMMAND].handle.place,
    )
    assert deleted.data == (9).to_bytes(8, "little")
    row = written(steps)
    assert (row.key, row.command, row.ok) == (f"{ANN}/k", "k", True)
    assert results.has(command("k", place=10))
    assert not results.has(command("k", BOB))


def test_errors_are_answers_too_with_no_more_words_than_one_reads() -> None:
    outcome = CommandOutcome("s1", None, "bad_request", "x" * 5000)
    steps = CommandResults(TABLES).answered(command("k"), outcome, NOW)
    row = written(steps)
    assert (row.ok, row.code, len(row.message)) == (False, "bad_request", 1000)


def test_each_caller_has_its_newest_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote_commands, "RESULTS_KEPT", 2)
    results = CommandResults(TABLES)
    answer(results, command("a", BOB))
    made = [len(answer(results, command(key))) for key in "abc"]
    assert made == [2, 2, 3]
    assert [results.has(command(key)) for key in "abc"] == [False, True, True]
    assert results.has(command("a", BOB))


def test_answers_of_the_database_are_known() -> None:
    rows = [
        SimpleNamespace(key=f"{ANN}/{key}", caller=Identity(1), answered_at=Timestamp(at))
        for at, key in enumerate("ab")
    ]
    results = CommandResults(TABLES)
    results.load(rows)
    assert results.has(command("b"))
    results.load([])
    assert not results.has(command("b"))
