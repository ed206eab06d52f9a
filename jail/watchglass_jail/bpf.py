"""Programs of the kernel's packet filter as values: instructions, small checks, their bytes."""

import struct
from collections.abc import Iterable
from typing import Final, Literal, NamedTuple

__all__ = [
    "ALLOW",
    "ARCHITECTURE",
    "KILL",
    "NUMBER",
    "REFUSE",
    "Check",
    "Instruction",
    "Step",
    "all_bits",
    "assemble",
    "encode",
    "equal",
    "jump",
    "load",
    "low_word",
    "no_bits",
    "not_mapped_below",
    "one_of",
    "result",
]

# linux/bpf_common.h, linux/seccomp.h.
LOAD: Final = 0x20
JUMP: Final = {"==": 0x15, ">=": 0x35, "&": 0x45}
RESULT: Final = 0x06
ALLOW: Final = 0x7FFF0000
REFUSE: Final = 0x00050000  # and the errno
KILL: Final = 0x80000000
# struct seccomp_data: the call's number, the architecture, the address, six arguments.
NUMBER: Final = 0
ARCHITECTURE: Final = 4
ARGUMENTS: Final = 16

Target = Literal["next", "done", "fail"]


class Instruction(NamedTuple):
    """One instruction as the kernel reads it: jumps count what is skipped."""

    code: int
    when_true: int
    when_false: int
    operand: int


class Step(NamedTuple):
    """One instruction of a check, before it is known how far its jumps go."""

    code: int
    operand: int
    when_true: Target = "next"
    when_false: Target = "next"


Check = tuple[Step, ...]  # it has passed when its end is reached


def encode(program: Iterable[Instruction]) -> bytes:
    """Return the program as an array of struct sock_filter."""
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in program)


def load(offset: int) -> Instruction:
    """Load a word of what is asked."""
    return Instruction(LOAD, 0, 0, offset)


def jump(operator: str, operand: int, when_true: int, when_false: int) -> Instruction:
    """Compare the loaded word and skip as many instructions."""
    return Instruction(JUMP[operator], when_true, when_false, operand)


def result(value: int) -> Instruction:
    """End with this answer."""
    return Instruction(RESULT, 0, 0, value)


def assemble(checks: Iterable[Check], refusal: int) -> list[Instruction]:
    """Return the instructions that allow where all checks pass, and refuse with this errno."""
    parts = list(checks)
    length = sum(map(len, parts))
    made: list[Instruction] = []
    for part in parts:
        done = len(made) + len(part)
        for step in part:
            targets = {"next": len(made) + 1, "done": done, "fail": length + 1}
            skip = [targets[t] - len(made) - 1 for t in (step.when_true, step.when_false)]
            made.append(Instruction(step.code, skip[0], skip[1], step.operand))
    return [*made, result(ALLOW), result(REFUSE | refusal)]


# --- checks of one argument, of which the kernel reads an int: its lower half


def low_word(argument: int) -> Step:
    """Load the lower half of an argument (both machines are little-endian)."""
    return Step(LOAD, ARGUMENTS + 8 * argument)


def high_word(argument: int) -> Step:
    """Load the upper half of an argument."""
    return Step(LOAD, ARGUMENTS + 8 * argument + 4)


def one_of(argument: int, values: Iterable[int]) -> Check:
    """Pass where the argument is one of these."""
    *first, last = sorted(values)
    tests = [Step(JUMP["=="], value, "done", "next") for value in first]
    return (low_word(argument), *tests, Step(JUMP["=="], last, "done", "fail"))


def no_bits(argument: int, mask: int) -> Check:
    """Pass where the argument has none of these bits."""
    return (low_word(argument), Step(JUMP["&"], mask, "fail", "next"))


def all_bits(argument: int, bits: Iterable[int]) -> Check:
    """Pass where the argument has each of these bits."""
    return (low_word(argument), *(Step(JUMP["&"], bit, "next", "fail") for bit in bits))


def equal(argument: int, value: int) -> Check:
    """Pass where the whole argument, a pointer, is this one."""
    return (
        high_word(argument),
        Step(JUMP["=="], value >> 32, "next", "fail"),
        low_word(argument),
        Step(JUMP["=="], value & 0xFFFFFFFF, "next", "fail"),
    )


def not_mapped_below(limit: int, forced: int) -> Check:
    """Pass where a mapping, its address first and its flags fourth, cannot reach below `limit`.

    Without an address the kernel chooses one, and takes none down there.
    """
    return (
        high_word(0),
        Step(JUMP["=="], 0, "next", "done"),
        low_word(0),
        Step(JUMP[">="], limit, "done", "next"),
        Step(JUMP["=="], 0, "next", "fail"),
        low_word(3),
        Step(JUMP["&"], forced, "fail", "done"),
    )
