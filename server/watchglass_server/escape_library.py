"""A library of machine code for an escape probe to load: it makes one empty file, and is no more.

Made here byte by byte, since neither a compiler nor a library that says when it is loaded can be
counted on.
"""

import platform
import struct
from typing import Final

__all__ = ["library_that_makes"]

# creat(path, 0600): eax = 85, rdi = the bytes behind, esi = 0600.
X86_64: Final = bytes.fromhex("b855000000 488d3d08000000 be80010000 0f05 c3")
# openat(AT_FDCWD, path, O_CREAT | O_WRONLY, 0600): x0 to x3, x8 = 56; the path is behind.
AARCH64: Final = struct.pack(
    "<7I", 0x92800C60, 0x100000C1, 0xD2800822, 0xD2803003, 0xD2800708, 0xD4000001, 0xD65F03C0
)
MACHINES: Final = {"x86_64": (62, X86_64), "aarch64": (183, AARCH64)}

_HEADER_BYTES = 64
_SEGMENT_BYTES = 56
_LOAD, _DYNAMIC, _STACK = 1, 2, 0x6474E551
_INIT, _STRINGS, _SYMBOLS, _STRING_BYTES, _SYMBOL_BYTES = 12, 5, 6, 10, 11


def library_that_makes(path: str) -> bytes | None:
    """Return an ELF library that makes this file when it is loaded; None: not for this machine."""
    if platform.machine() not in MACHINES:
        return None
    machine, code = MACHINES[platform.machine()]
    start = _HEADER_BYTES + 3 * _SEGMENT_BYTES
    code += path.encode() + b"\0"
    code += bytes(-len(code) % 8)
    symbols = start + len(code)
    strings, dynamic = symbols + 24, symbols + 32
    entries = (
        *((_INIT, start), (_STRINGS, strings), (_SYMBOLS, symbols)),
        *((_STRING_BYTES, 1), (_SYMBOL_BYTES, 24), (0, 0)),
    )
    table = b"".join(struct.pack("<QQ", *entry) for entry in entries)
    end = dynamic + len(table)
    return b"".join(
        (
            _header(machine),
            _segment(_LOAD, 7, 0, end),
            _segment(_DYNAMIC, 6, dynamic, len(table)),
            _segment(_STACK, 6, 0, 0),
            code,
            bytes(32),
            table,
        )
    )


def _header(machine: int) -> bytes:
    kind = b"\x7fELF" + bytes((2, 1, 1)) + bytes(9)
    sizes = (_HEADER_BYTES, _SEGMENT_BYTES, 3, 0, 0, 0)
    return kind + struct.pack("<HHIQQQI6H", 3, machine, 1, 0, _HEADER_BYTES, 0, 0, *sizes)


def _segment(kind: int, flags: int, offset: int, size: int) -> bytes:
    return struct.pack("<IIQQQQQQ", kind, flags, offset, offset, offset, size, size, 4096)
