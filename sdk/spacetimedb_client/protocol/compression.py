"""Compressed parts of frames; what is not brotli or gzip, or grows without end, is refused."""

from __future__ import annotations

import enum
import zlib
from typing import Final

from spacetimedb_bsatn import DecodeError

try:
    import brotli
except ImportError:  # the extra `brotli` is not installed
    brotli = None

GZIP_WINDOW: Final = 31  # zlib's word for "gzip, of any window"
MAX_BYTES: Final = 1 << 30


class Compression(enum.Enum):
    """As the server spells it in the query of the URL; the order is that of its tags."""

    NONE = "None"
    BROTLI = "Brotli"
    GZIP = "Gzip"


TAGS: Final = tuple(Compression)


def has_brotli() -> bool:
    return brotli is not None


def decompressed(tag: int, data: bytes, limit: int = MAX_BYTES) -> bytes:
    """The bytes behind a compression tag."""
    if tag == 0:
        return data
    if tag >= len(TAGS):
        raise DecodeError(f"compression {tag} is none of none (0), brotli (1), gzip (2)")
    return _gunzipped(data, limit) if TAGS[tag] is Compression.GZIP else _unbrotlied(data, limit)


def _gunzipped(data: bytes, limit: int) -> bytes:
    inflating = zlib.decompressobj(wbits=GZIP_WINDOW)
    try:
        plain = inflating.decompress(data, limit)
    except zlib.error as problem:
        raise DecodeError(f"a frame that is no gzip: {problem}") from None
    if inflating.unconsumed_tail:
        raise DecodeError(f"a compressed frame of more than {limit} bytes")
    if not inflating.eof or inflating.unused_data:
        raise DecodeError("a gzip frame that is cut, or longer than itself")
    return plain


def _unbrotlied(data: bytes, limit: int) -> bytes:
    if brotli is None:
        raise DecodeError(
            "a brotli frame, and no brotli: pip install brotli, or compression='gzip'"
        )
    inflating = brotli.Decompressor()
    try:
        plain: bytes = inflating.process(data, output_buffer_limit=limit + 1)
    except brotli.error as problem:
        raise DecodeError(f"a frame that is no brotli: {problem}") from None
    if len(plain) > limit:
        raise DecodeError(f"a compressed frame of more than {limit} bytes")
    if not inflating.is_finished():
        raise DecodeError("a brotli frame that is cut")
    return plain
