"""Tests of exit_info.py: from what is known of an end to words."""

import signal

import pytest

from watchglass_server.exit_info import ExitInfo, describe_exit


def describe(
    returncode: int | None,
    *,
    said: tuple[str, str] | None = None,
    decided: tuple[str, str] | None = None,
    output: str = "",
    near_memory_limit: bool = False,
    was_out_of_memory: bool = False,
) -> ExitInfo:
    return describe_exit(
        returncode,
        said=said,
        decided=decided,
        output=output,
        near_memory_limit=near_memory_limit,
        was_out_of_memory=was_out_of_memory,
    )


def test_what_we_decided_counts_before_what_the_process_said() -> None:
    exit_info = describe(-9, said=("stack", "no"), decided=("timeout", "It ran for 10 s."))
    assert (exit_info.cause, exit_info.signal) == ("timeout", 9)
    assert exit_info.message.startswith("It ran for 10 s. Allow more time")


def test_the_last_word_counts_before_the_exit_code() -> None:
    exit_info = describe(1, said=("stack", "Too deep."))
    assert (exit_info.cause, exit_info.exitcode) == ("stack", 1)


@pytest.mark.parametrize(
    "output",
    [
        "FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory",
        "# Fatal process out of memory: Zone",
        "RangeError: Array buffer allocation failed",
    ],
)
def test_a_crash_of_v8_for_want_of_memory_is_memory(output: str) -> None:
    assert describe(-6, output=output).cause == "memory"
    assert describe(-6).cause == "fatal"


def test_a_kill_from_outside_is_memory_only_near_the_limit() -> None:
    assert describe(-9, near_memory_limit=True).cause == "memory"
    assert describe(-9).cause == "signal"


def test_a_kill_by_the_kernel_at_the_groups_limit_is_memory_in_words() -> None:
    killed = describe(-9, was_out_of_memory=True)
    assert (killed.cause, killed.signal) == ("memory", 9)
    assert killed.message.startswith(
        "The kernel ended the process for using more memory than it may. Hold less at a time"
    )
    assert killed.message.endswith("what was stored of the session.")


def test_a_groups_limit_explains_no_other_end() -> None:
    assert describe(-11, was_out_of_memory=True).cause == "fatal"
    assert describe(0, was_out_of_memory=True).cause == "exited"
    decided = describe(-9, decided=("timeout", "It ran for 10 s."), was_out_of_memory=True)
    assert decided.cause == "timeout"


def test_a_signal_without_a_name_is_told_by_its_number() -> None:
    assert "signal 50" in describe(-50).message


def test_the_last_words_prefer_the_error_over_what_follows_it() -> None:
    message = describe(1, output="warning\nTypeError: x is y\n    at foo\n\nNode.js v24\n").message
    assert "TypeError: x is y" in message


def test_a_shutdown_asks_nothing_of_the_reader() -> None:
    assert describe(0, decided=("shutdown", "The process was stopped.")).message == (
        "The process was stopped."
    )


def test_a_message_ends_as_a_sentence_before_the_next_step() -> None:
    assert describe(1, said=("fatal", "exit(137)")).message.startswith("exit(137). Execute")
    assert describe(1, said=("fatal", "")).message.startswith("Execute something")


def test_what_a_dying_process_printed_cannot_steer_a_terminal() -> None:
    output = "Error: \x1b]0;title\x07\x1b[2J\u202e gone"
    ended = describe_exit(1, said=None, decided=None, output=output, near_memory_limit=False)
    assert ended.message.isprintable()
    assert "\\x1b[2J" in ended.message


@pytest.mark.parametrize(
    ("number", "cause", "words"),
    [
        (signal.SIGSYS, "jail", "a call to the kernel that its jail forbids"),
        (signal.SIGXFSZ, "jail", "a file that its jail forbids"),
        (signal.SIGXCPU, "cpu", "all the processor time that it may"),
    ],
)
def test_a_death_by_a_limit_of_the_kernel_is_told_as_that(
    number: signal.Signals, cause: str, words: str
) -> None:
    exit_info = describe(-number)
    assert (exit_info.cause, exit_info.signal) == (cause, number)
    assert words in exit_info.message
    assert number.name in exit_info.message
    assert exit_info.message.endswith("what was stored of the session.")
