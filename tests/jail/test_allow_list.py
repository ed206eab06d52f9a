"""Tests of allow_list.py: the filter, run by an interpreter, says what the policy says."""

import errno
import itertools
import json
import struct
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watchglass_jail.allow_list import ALLOWED, filter_program
from watchglass_jail.bpf import Instruction, encode
from watchglass_jail.syscalls import AARCH64, MACHINES, X86_64, Machine

KERNELS = json.loads((Path(__file__).parents[1] / "vectors/syscalls.json").read_text("utf-8"))
PID = 4711
PATH_AT = 0x10000
ALLOWS, KILLS = "allow", "kill"
NONE = (0, 0, 0, 0, 0, 0)
LONGEST_PROGRAM = 4096  # BPF_MAXINSNS
HIGH_HALVES = (0, 1, 0xFFFFFFFF)
# Each is a border of some rule, or a known attack.
WORDS = sorted(
    {
        *range(24),
        *(0x1000, 0x2000, PATH_AT - 1, PATH_AT, PATH_AT + 1, 0x1FFFF, 0x20000, 0x20001),
        *(0x3D0F00, 0x7D0F00, 0x01200011, 0x4111, 0x10000000, 0x20000000, 0x10100, 0x100022),
        *(0x5401, 0x5412, 0x5413, 0x541B, 0x541C, 0x5421, 0x5450, 0x5451, 0x8901),
        *(1026, 1030, 1031, 0x53564D41, 0x1002, 0x1003, 0x2003, 0x3001, 0x01000007),
        *(PID - 1, PID, PID + 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF),
    }
)


def run(program: Sequence[Instruction], number: int, arguments: Sequence[int], audit: int) -> int:
    """Run a filter as the kernel does, of what the filters here are made of."""
    data = struct.pack("<IIQ6Q", number, audit, 0, *arguments)
    word, at = 0, 0
    while True:
        code, when_true, when_false, operand = program[at]
        match code:
            case 0x20:
                (word,) = struct.unpack_from("<I", data, operand)
                skipped = 0
            case 0x15:
                skipped = when_true if word == operand else when_false
            case 0x35:
                skipped = when_true if word >= operand else when_false
            case 0x45:
                skipped = when_true if word & operand else when_false
            case 0x06:
                return operand
            case _:
                raise AssertionError(f"no instruction: {code:#x}")
        at += 1 + skipped


def answer(
    program: Sequence[Instruction], machine: Machine, number: int, arguments: Sequence[int]
) -> str | int:
    value = run(program, number, arguments, machine.audit)
    words = {0x7FFF0000: ALLOWS, 0x80000000: KILLS}
    return words[value] if value in words else value & 0xFFFF


def low(argument: int) -> int:
    return argument & 0xFFFFFFFF


def expected(
    machine: Machine, name: str, number: int, arguments: Sequence[int], path_at: int | None
) -> str | int:
    """The policy, said once more: by name, in words of Python."""
    a, b, c, d, *_ = arguments
    lowest = 0 if path_at is None else path_at + 0x10000
    advice = {0, 3, 4, 8, 10, 11, 14, 15, 16, 17}
    rules = {
        "execve": path_at is None or a == path_at,
        "mmap": not d & 0x101 and (a >= lowest or (a == 0 and not d & 0x100010)),
        "mremap": low(d) in (0, 1),
        "mprotect": not c & 0x01000000,
        "madvise": low(c) in advice,
        "clone": bool(a & 0x10000) and low(a) | 0x7D0F00 == 0x7D0F00,
        "kill": low(a) == PID,
        "tgkill": low(a) == PID,
        "fcntl": low(b) in {0, 1, 2, 3, 4, 1030},
        "ioctl": low(b) in {0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451},
        "prctl": low(a) in {3, 15, 16, 23, 0x53564D41},
        "arch_prctl": low(a) in {0x1002, 0x1003, 0x3001},
        "prlimit64": low(a) in (0, PID) and c == 0,
        "socketpair": low(a) == 1,
    }
    if machine.has_x32 and number >= 0x40000000:
        return KILLS
    if name in rules:
        return ALLOWS if rules[name] else errno.EPERM
    if name in ALLOWED:
        return ALLOWS
    if number > 450:
        return errno.ENOSYS
    return {"clone3": errno.ENOSYS, "socket": errno.EACCES}.get(name, errno.EPERM)


def names(machine: Machine) -> Mapping[int, str]:
    kernels = KERNELS["x86_64" if machine is X86_64 else "aarch64"]
    return {number: name for name, number in kernels.items()}


def arguments_of_interest() -> Iterator[tuple[int, ...]]:
    """Every border in each of the first four places, alone and with each upper half."""
    for place, word, high in itertools.product(range(4), WORDS, HIGH_HALVES):
        arguments = [0] * 6
        arguments[place] = high << 32 | word
        yield tuple(arguments)
    for address, flags in itertools.product(WORDS, WORDS):
        yield (address, 4096, 3, flags, 0, 0)


MACHINE = pytest.mark.parametrize("machine", [X86_64, AARCH64], ids=["x86_64", "aarch64"])


@MACHINE
@pytest.mark.parametrize("path_at", [PATH_AT, None])
def test_every_number_of_a_call_gets_the_answer_of_the_policy(
    machine: Machine, path_at: int | None
) -> None:
    program = filter_program(machine, PID, path_at)
    named = names(machine)
    for number in range(1024):
        wanted = expected(machine, named.get(number, ""), number, NONE, path_at)
        assert answer(program, machine, number, NONE) == wanted, named.get(number, number)


@MACHINE
@pytest.mark.parametrize("path_at", [PATH_AT, None])
def test_every_border_of_an_argument_gets_the_answer_of_the_policy(
    machine: Machine, path_at: int | None
) -> None:
    program = filter_program(machine, PID, path_at)
    checked = "execve mmap mremap mprotect madvise clone kill tgkill fcntl ioctl prctl prlimit64"
    for name in [*checked.split(), "socketpair", "arch_prctl"]:
        number = machine.numbers.get(name)
        for arguments in arguments_of_interest() if number is not None else ():
            wanted = expected(machine, name, number or 0, arguments, path_at)
            assert answer(program, machine, number or 0, arguments) == wanted, (name, arguments)


@settings(max_examples=2000, deadline=None)
@given(
    machine=st.sampled_from([X86_64, AARCH64]),
    number=st.one_of(st.integers(0, 1023), st.integers(0, 0xFFFFFFFF)),
    arguments=st.tuples(*[st.one_of(st.sampled_from(WORDS), st.integers(0, 2**64 - 1))] * 6),
)
def test_any_call_with_any_arguments_gets_the_answer_of_the_policy(
    machine: Machine, number: int, arguments: tuple[int, ...]
) -> None:
    name = names(machine).get(number, "")
    program = filter_program(machine, PID, PATH_AT)
    wanted = expected(machine, name, number, arguments, PATH_AT)
    assert answer(program, machine, number, arguments) == wanted


@MACHINE
@pytest.mark.parametrize("audit", [0x40000003, 0x40000028, 0, 0xC000003E ^ 0x80000000])
def test_calls_of_another_architecture_end_the_process(machine: Machine, audit: int) -> None:
    program = filter_program(machine, PID, PATH_AT)
    assert {run(program, number, NONE, audit) for number in range(1024)} == {0x80000000}


def test_calls_of_x32_end_the_process() -> None:
    program = filter_program(X86_64, PID, PATH_AT)
    numbers = [0x40000000 + number for number in range(1024)]
    assert {answer(program, X86_64, number, NONE) for number in numbers} == {KILLS}


DANGEROUS = """
    io_uring_setup io_uring_enter io_uring_register ptrace mount umount2 pivot_root chroot keyctl
    add_key request_key userfaultfd perf_event_open bpf memfd_create execveat unshare setns
    process_vm_readv process_vm_writev pidfd_open pidfd_getfd pidfd_send_signal tkill connect bind
    listen accept4 setrlimit setpriority capset kexec_load init_module open_by_handle_at seccomp
    personality syslog reboot swapon rt_sigqueueinfo rt_tgsigqueueinfo mknodat symlinkat linkat
    unlinkat renameat2 mkdirat fchmodat fchownat truncate ftruncate shmget msgget semget mq_open
    sched_setaffinity sched_setscheduler move_pages setuid setresuid setsid sendmsg recvmsg sendto
    remap_file_pages shmat splice vmsplice sendfile copy_file_range process_madvise mlock
    landlock_create_ruleset mount_setattr fsopen open_tree move_mount timer_create signalfd4
    inotify_init1 fanotify_init openat2 process_mrelease set_mempolicy migrate_pages quotactl acct
"""


@MACHINE
@pytest.mark.parametrize("name", DANGEROUS.split())
def test_what_reaches_beyond_the_process_is_refused(machine: Machine, name: str) -> None:
    program = filter_program(machine, PID, PATH_AT)
    number = {name: number for number, name in names(machine).items()}[name]
    assert answer(program, machine, number, NONE) == errno.EPERM


@MACHINE
def test_the_filter_fits_the_kernel_and_every_jump_stays_in_it(machine: Machine) -> None:
    program = filter_program(machine, PID, PATH_AT)
    assert len(program) <= LONGEST_PROGRAM
    assert len(encode(program)) == 8 * len(program)
    for at, (code, when_true, when_false, _) in enumerate(program):
        if code in (0x15, 0x35, 0x45):
            assert at + 1 + max(when_true, when_false) < len(program)
            assert max(when_true, when_false) < 256
    assert program[-1].code == 0x06


def test_the_machines_are_known_by_the_names_that_uname_gives() -> None:
    assert MACHINES == {"x86_64": X86_64, "aarch64": AARCH64}
