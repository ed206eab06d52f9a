"""Bytes → values, one by one and within bounds: for messages, not for many rows."""

import struct
from typing import Any, Final

from spacetimedb_bsatn.errors import DecodeError

U32: Final = struct.Struct("<I")
MOST_EMPTY: Final = 1 << 16  # items that take no bytes: nothing else bounds their number


class Reader:
    """A place in bytes that moves on with each read."""

    __slots__ = ("_data", "position")

    def __init__(self, data: bytes, position: int = 0) -> None:
        self._data = data
        self.position = position

    def take(self, size: int) -> bytes:
        start = self.position
        end = start + size
        if end > len(self._data):
            raise self._too_short(size)
        self.position = end
        return self._data[start:end]

    def _too_short(self, size: int) -> DecodeError:
        start = self.position
        left = len(self._data) - start
        return DecodeError(f"{size} bytes expected at byte {start}, {left} left")

    def unsigned(self, size: int) -> int:
        return int.from_bytes(self.take(size), "little")

    def signed(self, size: int) -> int:
        return int.from_bytes(self.take(size), "little", signed=True)

    # These two are most of what messages consist of: each in one call.
    def u8(self) -> int:
        start = self.position
        if start >= len(self._data):
            raise self._too_short(1)
        self.position = start + 1
        return self._data[start]

    def u16(self) -> int:
        return self.unsigned(2)

    def u32(self) -> int:
        start = self.position
        if start + 4 > len(self._data):
            raise self._too_short(4)
        self.position = start + 4
        number: int = U32.unpack_from(self._data, start)[0]
        return number

    def u64(self) -> int:
        return self.unsigned(8)

    def i64(self) -> int:
        return self.signed(8)

    def bytes_(self) -> bytes:
        return self.take(self.u32())

    def string(self) -> str:
        return self.text(self.u32())

    def text(self, size: int) -> str:
        """So many bytes of UTF-8."""
        start = self.position
        try:
            return self.take(size).decode()
        except UnicodeDecodeError as problem:
            raise DecodeError(f"the string at byte {start} is not UTF-8: {problem}") from None

    def tag(self, count: int) -> int:
        """Which of `count` variants follows."""
        tag = self.u8()
        if tag >= count:
            at = self.position - 1
            raise DecodeError(f"tag {tag} at byte {at}, where only 0 to {count - 1} mean something")
        return tag

    def count(self) -> int:
        """How many items follow: no more than there are bytes for, but for some without any."""
        count = self.u32()
        if count > max(len(self._data) - self.position, MOST_EMPTY):
            at = self.position - 4
            raise DecodeError(f"{count} items told at byte {at}, more than the bytes that are left")
        return count

    def fixed(self, form: struct.Struct) -> tuple[Any, ...]:
        """Adjacent values of fixed sizes, at once."""
        return form.unpack(self.take(form.size))

    def unpack(self, count: int, size: int, code: str) -> tuple[int, ...]:
        """`count` numbers of one kind at once."""
        return struct.unpack(f"<{count}{code}", self.take(count * size))

    @property
    def is_at_end(self) -> bool:
        return self.position == len(self._data)

    def end(self) -> None:
        """All has been read."""
        if left := len(self._data) - self.position:
            raise DecodeError(f"{left} bytes left over at byte {self.position}")
