"""Calls of the C library and of the kernel that Python's `os` does not offer."""

import ctypes
import errno
import os
from typing import Final

from watchglass_jail.errors import JailError
from watchglass_jail.syscalls import machine_here

__all__ = ["LIBC", "check", "prctl", "syscall"]

# PyDLL keeps the interpreter's lock: a child made by a call from here goes on as the same thread.
LIBC: Final = ctypes.PyDLL(None, use_errno=True)
LIBC.syscall.restype = ctypes.c_long


def syscall(name: str, *arguments: int | bytes | ctypes.Array[ctypes.c_char] | None) -> int:
    """Make a call of the kernel by its name; return its result. Raises OSError."""
    machine = machine_here()
    if machine is None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS), name)
    number = ctypes.c_long(machine.numbers[name])
    result: int = LIBC.syscall(number, *map(_word, arguments))
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), name)
    return result


def prctl(option: int, second: int = 0, third: int = 0) -> int:
    """Make the call `prctl`. Raises OSError."""
    return syscall("prctl", option, second, third, 0, 0)


def check(layer: str, what: str, error: OSError, next_step: str) -> JailError:
    """Return the error of a layer that tells what the kernel said."""
    name = errno.errorcode.get(error.errno or 0, "no errno")
    return JailError(layer, f"{what}: {error.strerror} ({name})", next_step)


def _word(argument: int | bytes | ctypes.Array[ctypes.c_char] | None) -> object:
    # A whole register each: what is left of one in a narrower argument would be read, too.
    return ctypes.c_long(argument) if isinstance(argument, int) else argument
