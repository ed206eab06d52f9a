"""The bytes of a dump: a header that is plain data, then one pickle for each variable."""

import _pickle
import importlib.util
import io
import struct
import sys
import zlib
from dataclasses import dataclass

MAGIC = b"WGDUMP1\n"
_SIZES = struct.Struct("<II I")
# Code objects are read by the very version that wrote them.
CODE_VERSION = f"{sys.version_info[0]}.{sys.version_info[1]} {importlib.util.MAGIC_NUMBER.hex()}"


class DumpDamaged(ValueError):
    """The bytes are not those that were written."""


@dataclass(frozen=True, slots=True)
class Header:
    """What is known of a dump before anything in it is made."""

    code_version: str
    vocabulary: tuple[str, ...]
    records: int
    names: tuple[str, ...]
    entries: tuple[tuple[str, bool, str | None, str, bool], ...]
    versions: dict[str, int]


class _PlainUnpickler(_pickle.Unpickler):
    def find_class(self, module: str, name: str) -> object:
        raise DumpDamaged(f"a header does not name {module}.{name}")


def encode(header: Header, body: bytes | memoryview) -> bytes:
    """Header and body with their checksums."""
    fields = (
        *(header.code_version, header.vocabulary, header.records),
        *(header.names, header.entries, header.versions),
    )
    head = _pickle.dumps(fields, 5)
    sizes = _SIZES.pack(len(head), zlib.crc32(head), zlib.crc32(body))
    return b"".join((MAGIC, sizes, head, body))


def decode(data: bytes) -> tuple[Header, bytes | None]:
    """The header, and the body unless that is damaged."""
    start = len(MAGIC) + _SIZES.size
    if not data.startswith(MAGIC) or len(data) < start:
        raise DumpDamaged("what was stored is not a dump of variables")
    length, head_sum, body_sum = _SIZES.unpack_from(data, len(MAGIC))
    head = data[start : start + length]
    if len(head) != length or zlib.crc32(head) != head_sum:
        raise DumpDamaged("what was stored is damaged")
    body = data[start + length :]
    fields = _PlainUnpickler(io.BytesIO(head)).load()
    return Header(*fields), body if zlib.crc32(body) == body_sum else None
