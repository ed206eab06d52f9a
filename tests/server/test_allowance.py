"""How much one process may say: what an honest one needs passes, a flood does not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchglass_server.allowance import (
    LEAST_CHUNK,
    OUTPUT_SPARE,
    OUTPUT_TIMES,
    RATES,
    Allowance,
)

OUTPUT_BYTES = 1000
MOST_PRINTED = OUTPUT_TIMES * OUTPUT_BYTES + OUTPUT_SPARE


def running() -> Allowance:
    allowance = Allowance(OUTPUT_BYTES)
    allowance.executes()
    return allowance


@pytest.mark.parametrize("what", RATES)
def test_messages_without_end_are_refused_with_what_and_how_many(what: str) -> None:
    allowance, rate = Allowance(OUTPUT_BYTES), RATES[what].messages
    for _ in range(rate.most):
        allowance.message(what, 1, 5.0)
    words = f"a flood of {what}: more than {rate.most:,} messages, and {rate.per_s:,} a second"
    with pytest.raises(ValueError, match=words):
        allowance.message(what, 1, 5.0)


@pytest.mark.parametrize("what", RATES)
def test_large_messages_without_end_are_refused(what: str) -> None:
    allowance, rate = Allowance(OUTPUT_BYTES), RATES[what].size
    for _ in range(16):
        allowance.message(what, rate.most // 16, 5.0)
    with pytest.raises(ValueError, match=rf"a flood of {what}: more than {rate.most:,} bytes"):
        allowance.message(what, 16, 5.0)


@pytest.mark.parametrize("what", RATES)
def test_whoever_keeps_the_rate_may_go_on_for_ever(what: str) -> None:
    allowance, rate = Allowance(OUTPUT_BYTES), RATES[what].messages
    for n in range(3 * rate.most):
        allowance.message(what, 1, n / rate.per_s)


def test_each_execution_brings_more() -> None:
    allowance, rate = Allowance(OUTPUT_BYTES), RATES["variables"].messages
    for _ in range(rate.most):
        allowance.message("variables", 1, 0.0)
    allowance.executes()
    for _ in range(rate.per_execution):
        allowance.message("variables", 1, 0.0)
    with pytest.raises(ValueError, match="a flood of variables"):
        allowance.message("variables", 1, 0.0)


def test_what_belongs_together_is_counted_together() -> None:
    allowance = Allowance(OUTPUT_BYTES)
    for _ in range(RATES["input_request"].messages.most):
        allowance.message("input_request", 1, 0.0)
    with pytest.raises(ValueError, match="a flood of input_cancelled"):
        allowance.message("input_cancelled", 1, 0.0)


def test_chunks_count_for_the_dump_and_an_empty_one_is_not_free() -> None:
    allowance = Allowance(OUTPUT_BYTES)
    for _ in range(RATES["dumped"].size.most // LEAST_CHUNK):
        allowance.chunk(9, 0.0)
    with pytest.raises(ValueError, match="a flood of dumps"):
        allowance.chunk(9, 0.0)


def test_each_execution_may_print_its_limit_and_what_the_host_forgets_once_more() -> None:
    allowance = running()
    allowance.executes()
    for place in (0, 1, 2):
        allowance.prints(place, MOST_PRINTED)
    for place in (0, 1, 2):
        with pytest.raises(ValueError, match=rf"more than {MOST_PRINTED:,} characters"):
            allowance.prints(place, 1)


def test_a_lower_limit_does_not_count_for_what_runs() -> None:
    allowance = running()
    allowance.allow_output(10)
    allowance.prints(1, MOST_PRINTED)


def test_before_the_first_execution_a_limit_is_what_was_set() -> None:
    allowance = Allowance(OUTPUT_BYTES)
    allowance.allow_output(10)
    allowance.executes()
    with pytest.raises(ValueError, match="may print 10 bytes"):
        allowance.prints(1, OUTPUT_TIMES * 10 + OUTPUT_SPARE + 1)


STEPS = st.lists(
    st.tuples(
        st.sampled_from([*RATES, "execute", "chunk", "finished"]),
        st.integers(1, 64 * 2**20),
        st.floats(0, 10, allow_nan=False),
    ),
    max_size=200,
)


@given(STEPS)
def test_no_more_passes_than_the_rate_allows(steps: list[tuple[str, int, float]]) -> None:
    allowance, clock, executions = Allowance(OUTPUT_BYTES), 0.0, 0
    passed = dict.fromkeys(RATES.values(), 0)
    for what, size, after in steps:
        clock += after
        try:
            if what == "execute":
                allowance.executes()
                executions += 1
            elif what == "chunk":
                allowance.chunk(size, clock)
            else:
                allowance.message(what, size, clock)
                if what in RATES:
                    passed[RATES[what]] += size
        except ValueError:
            break
    for kind, size in passed.items():
        rate = kind.size
        assert size <= rate.most + rate.per_s * clock + rate.per_execution * executions + 1
