"""seccomp: has the kernel refuse every call that the allow-list does not name."""

import ctypes
import os
import struct

from watchglass_jail.allow_list import filter_program
from watchglass_jail.bpf import Instruction, encode
from watchglass_jail.errors import JailError
from watchglass_jail.libc import check, syscall
from watchglass_jail.syscalls import MACHINES, machine_here

__all__ = ["install_filter", "restrict_calls"]

SET_MODE_FILTER = 1


def restrict_calls(program_address: int | None) -> None:
    """Allow this process the calls of the allow-list, and none besides, for ever."""
    machine = machine_here()
    if machine is None:
        raise JailError(
            "seccomp",
            "the calls of this machine's architecture are not known",
            f"Run on {' or '.join(MACHINES)}, or choose a policy without it.",
        )
    install_filter(filter_program(machine, os.getpid(), program_address))


def install_filter(program: list[Instruction]) -> None:
    """Put a filter in force. Needs no privilege once no_new_privs is set."""
    code = ctypes.create_string_buffer(encode(program))
    header = struct.pack("@HP", len(program), ctypes.addressof(code))
    try:
        syscall("seccomp", SET_MODE_FILTER, 0, ctypes.create_string_buffer(header))
    except OSError as error:
        raise check(
            "seccomp",
            "the kernel did not take the filter",
            error,
            "It needs CONFIG_SECCOMP_FILTER and no filter of a container that forbids it.",
        ) from error
