"""Starting the program, once: the one `execve` that a jail allows, and none after it.

The filter allows `execve` only with the path at one address, the lowest that this kernel maps.
The new program's memory is empty there, the filter refuses to map anything that low, and the limit
on address space keeps the kernel from choosing it: the call can then never find a path again.
"""

import ctypes
import errno
import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NoReturn

from watchglass_jail.allow_list import PAGE_BYTES
from watchglass_jail.errors import JailError
from watchglass_jail.libc import LIBC, syscall

__all__ = ["ADDRESS_SPACE_BYTES", "execute", "reserve_path"]

# Ten times of what Node reserves, and far from what would have to be filled. It also bounds the
# page tables, which no other limit of one process counts.
ADDRESS_SPACE_BYTES: Final = 256 * 2**30
ADDRESSES: Final = (0x10000, 0x20000, 0x40000, 0x80000, 0x100000)
READ_AND_WRITE: Final = 3
PRIVATE_ANONYMOUS_AND_FREE: Final = 0x2 | 0x20 | 0x100000

_reserved: list[int] = []


def reserve_path() -> int:
    """Map the page for the program's path and return its address; again, the same one."""
    for address in () if _reserved else ADDRESSES:
        try:
            taken = syscall(
                "mmap", address, PAGE_BYTES, READ_AND_WRITE, PRIVATE_ANONYMOUS_AND_FREE, -1, 0
            )
        except OSError:
            continue
        if taken == address:
            _reserved.append(address)
            break
    if not _reserved:
        raise JailError(
            "seccomp",
            "no page below 2 MiB can be mapped for the program's path",
            "Lower vm.mmap_min_addr to 65536, the kernel's default.",
        )
    return _reserved[0]


def execute(argv: Sequence[str], environment: Mapping[str, str]) -> NoReturn:
    """Become the program `argv[0]`, with this environment alone. Raises OSError."""
    if not _reserved:  # no filter asks for it
        os.execve(argv[0], list(argv), environment)
    path = os.fsencode(argv[0]) + b"\0"
    if len(path) > PAGE_BYTES:
        raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG), argv[0])
    ctypes.memmove(_reserved[0], path, len(path))
    words = _strings(os.fsencode(word) for word in argv)
    variables = _strings(os.fsencode(f"{k}={v}") for k, v in environment.items())
    LIBC.execve(ctypes.c_void_p(_reserved[0]), words, variables)
    code = ctypes.get_errno()
    raise OSError(code, os.strerror(code), argv[0])


def _strings(words: Iterable[bytes]) -> "ctypes.Array[ctypes.c_char_p]":
    given = list(words)
    return (ctypes.c_char_p * (len(given) + 1))(*given, None)
