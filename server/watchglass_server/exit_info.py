"""How a process ended: what the operating system and the host said, in words a person can use."""

import signal as signals
from dataclasses import dataclass

__all__ = ["ExitInfo", "describe_exit", "printable"]

_OUT_OF_MEMORY = (
    "heap out of memory",
    "Fatal process out of memory",
    "Fatal process OOM",
    "Cannot allocate memory",
    "ENOMEM",
    "Array buffer allocation failed",
)
_OVER_LIMIT = ("memory", "The kernel ended the process for using more memory than it may.")
_CRASHES = ("SIGABRT", "SIGBUS", "SIGFPE", "SIGILL", "SIGSEGV", "SIGTRAP")
_AGAIN = "Execute something: a new process starts with what was stored of the session."
_LIMITS = {
    "SIGSYS": (
        "jail",
        "The process made a call to the kernel that its jail forbids, and was ended",
    ),
    "SIGXCPU": ("cpu", "The process used all the processor time that it may"),
    "SIGXFSZ": ("jail", "The process wrote to a file that its jail forbids, and was ended"),
}
_NEXT_STEPS = {
    "memory": "Hold less at a time, or raise the session's memory limit. " + _AGAIN,
    "stack": "Recurse less deeply. " + _AGAIN,
    "timeout": "Allow more time, or do less in one execution. " + _AGAIN,
    "cpu": "Allow more processor time, or do less in one execution. " + _AGAIN,
    "cpu-hour": "Wait until it has some again. " + _AGAIN,
    "shutdown": "",
}


@dataclass(frozen=True, slots=True)
class ExitInfo:
    """How a process ended.

    `cause` is one of exited, memory, stack, cpu, jail, fatal, killed, interrupt-ignored, protocol,
    timeout, shutdown, signal, or a word that the caller of `kill` gave.
    """

    exitcode: int | None
    signal: int | None
    cause: str
    message: str


def describe_exit(
    returncode: int | None,
    *,
    said: tuple[str, str] | None,
    decided: tuple[str, str] | None,
    output: str,
    near_memory_limit: bool,
    was_out_of_memory: bool = False,
) -> ExitInfo:
    """Return how the process ended, from the best witness there is.

    `returncode` is negative for a signal, as in subprocess; None when nobody could reap it.
    `decided` is why we ended it, and `said` the cause and message of the host's last word: both
    (cause, message). What we decided counts first, because a dying process may say anything.
    `was_out_of_memory` is the kernel's word that it killed it at its group's limit of memory.
    """
    exitcode = returncode if returncode is not None and returncode >= 0 else None
    number = -returncode if returncode is not None and returncode < 0 else None
    by_kernel = _OVER_LIMIT if number == signals.SIGKILL and was_out_of_memory else None
    told = decided or said or by_kernel
    cause, message = told or _own_words(exitcode, number, output, near_memory_limit)
    return ExitInfo(exitcode, number, cause, _with_next_step(cause, printable(message)))


def printable(text: str) -> str:
    """The text with its control characters as escapes: terminals and logs act on these."""
    return "".join(one if one.isprintable() else _escaped(one) for one in text)


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


def _own_words(
    exitcode: int | None, number: int | None, output: str, near_memory_limit: bool
) -> tuple[str, str]:
    if any(text in output for text in _OUT_OF_MEMORY):
        return "memory", "The process ran out of memory."
    if number == signals.SIGKILL and near_memory_limit:
        return "memory", "The process was killed when its memory was nearly used up."
    if exitcode == 128 + signals.SIGKILL:
        return "memory", "The process was ended for using too much memory."
    if number is not None:
        return _ended_by_signal(number, output)
    if exitcode == 0:
        return "exited", "The process ended by itself."
    if exitcode is None:
        return "signal", "The process is gone."
    return "fatal", f"The process failed with exit code {exitcode}.{_last_line(output)}"


def _ended_by_signal(number: int, output: str) -> tuple[str, str]:
    try:
        name = signals.Signals(number).name
    except ValueError:
        name = f"signal {number}"
    if name in _LIMITS:
        cause, message = _LIMITS[name]
        return cause, f"{message} ({name})."
    if name in _CRASHES:
        return "fatal", f"The process crashed ({name}).{_last_line(output)}"
    perhaps = ", perhaps because the machine ran out of memory" if name == "SIGKILL" else ""
    return "signal", f"The process was ended from outside ({name}){perhaps}."


def _last_line(output: str) -> str:
    """Return the most telling line of what the process printed outside of the protocol."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    told = [line for line in lines if "Error" in line or "FATAL" in line] or lines
    return f" Its last words: {told[-1][:300]}" if told else ""


def _with_next_step(cause: str, message: str) -> str:
    sentence = message.rstrip()
    if sentence and sentence[-1] not in ".!?":
        sentence += "."
    return f"{sentence} {_NEXT_STEPS.get(cause, _AGAIN)}".strip()
