"""What is written of a run of the mirror's measures, and whether lost changes are noticed."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
import socketio

from bench.contender import BenchFailed
from bench.mirror import EXECUTIONS, LOADED, OFF, ON, QUIET, UNITS, Mirror, Rate, check
from bench.mirror_page import page, rate_table, ratio
from bench.mirror_programs import COMPARED, DONE, OFTEN, SHORT_ONES, STAMP, STORES, changes, stores
from bench.mirror_reader import Seen
from bench.samples import Samples
from bench.watchglass_side import WatchglassSession
from spacetimedb_bsatn import Timestamp
from watchglass_sync.mirror_tables import MirrorTables

CORES = {"server": 0.9, "mirror": 0.3, "database": 0.1}


@pytest.fixture
def measured() -> Mirror:
    latencies = {
        what: Samples("ms", {QUIET: [float(n) for n in range(1, 101)], LOADED: [30.0, 40.0]})
        for what in (EXECUTIONS, *STORES)
    }
    rates = {
        sessions: [
            Rate(10, 60_000, 6.0, 0.01, 60_000, CORES), Rate(10, 60_000, 5.0, 0.25, 30_000, CORES)
        ]
        for sessions in UNITS
    }  # fmt: skip
    programs = {
        what: Samples("ms", {ON: [104.0, 210.0], OFF: [100.0, 200.0]})
        for what in (*COMPARED, SHORT_ONES)
    }
    return Mirror(latencies, 1987.6, rates, programs)


def test_the_page_takes_each_figure_from_its_measure(measured: Mirror) -> None:
    text = page(measured, "a machine, 2026-01-02")
    for line in (
        f"| {EXECUTIONS} | 100 | 50.0 ms | 99.0 ms | 30.0 ms | 40.0 ms |",
        "| 10 | 20 | 120,000 | 11,000 /s (10,000 – 12,000) | 0.25 s | 75% |",
        "| 100 | 0.90 | 0.30 | 0.10 | 82.5 µs | 27.5 µs |",
        f"| {SHORT_ONES} | 150 ms (100 – 200) | 157 ms (104 – 210) | 1.045 × |",
        "1,988 changes a second",
        "The machine: a machine, 2026-01-02.",
    ):
        assert line in text


def test_a_ratio_is_the_median_of_the_ratios_of_the_rounds() -> None:
    samples = Samples("ms", {ON: [100.0, 2000.0, 110.0], OFF: [100.0, 1000.0, 100.0]})
    assert ratio(samples) == pytest.approx(1.1)


def test_tables_have_as_many_cells_in_each_line(measured: Mirror) -> None:
    lines = rate_table(measured.rates).splitlines()
    assert {line.count("|") for line in lines} == {7}


def session_that_told(*sizes: int) -> WatchglassSession:
    session = WatchglassSession(socketio.AsyncClient(), "s1")
    for size in sizes:
        told = [{"execution": "b1"}] * size
        session.receive({"type": "variables.changed", "data": {"changes": told}})
    return session


@pytest.mark.parametrize(
    "answer",
    [
        {"values": {"s1": [7]}, "places": {"s1": 4}},
        {"values": {"s1": [6]}, "places": {"s1": 5}},
        {"values": {"s1": [6, 7]}, "places": {"s1": 5}},
    ],
)
def test_a_change_that_is_no_row_is_noticed(answer: dict[str, Any]) -> None:
    session = session_that_told(2, 3)
    check([session], [7], {"values": {"s1": [7]}, "places": {"s1": 5}})
    with pytest.raises(BenchFailed, match="a session has set 7 in 5 changes"):
        check([session], [7], answer)


def test_the_reader_is_done_when_every_session_is_and_takes_each_stamp_once() -> None:
    tables = MirrorTables(public=False)
    seen = Seen(sessions=2, number=3)

    def stored(session: str, name: str, value: float) -> None:
        made = tables.value.Float(value) if name == STAMP else tables.value.Int(int(value))
        of = {"session": session, "name": name, "value": made, "key": f"{session}/{name}"}
        others = {"type": "", "preview": "", "length": None, "json": None, "execution": None}
        row = tables.tables["variable"].row
        seen.variable(row(**of, **others, version=1, changed_at=Timestamp(0)))

    stored("s1", STAMP, time.time() - 5)
    stored("s1", DONE, 3)
    stored("s2", DONE, 2)  # of the round before
    assert not seen.all_done.is_set()
    stored("s2", DONE, 3)
    assert seen.all_done.is_set()
    (latency,) = seen.latencies_ms
    assert latency >= 5000


def test_programs_are_python_and_store_as_often_as_they_are_asked_to() -> None:
    for what, (program, apart) in STORES.items():
        compile(stores(program, apart, 3), what, "exec")
    namespace: dict[str, Any] = {}
    exec(changes(3, 8), namespace)
    assert [namespace[f"unit{n}"] for n in range(3)] == [8, 8, 8]
    for what, code in COMPARED.items():
        compile(code, what, "exec")
    assert all(0.04 <= wait <= 0.12 for wait in json.loads(stores("{waits}", OFTEN, 4)))
