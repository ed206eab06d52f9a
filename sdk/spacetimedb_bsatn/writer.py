"""Values → bytes, one by one: for messages and schemas, not for many rows."""

from collections.abc import Callable, Iterable
from typing import Self, TypeVar

T = TypeVar("T")


class Writer:
    """Bytes that grow with each write; every write returns the writer."""

    __slots__ = ("_data",)

    def __init__(self) -> None:
        self._data = bytearray()

    def __bytes__(self) -> bytes:
        return bytes(self._data)

    def raw(self, data: bytes) -> Self:
        self._data += data
        return self

    def unsigned(self, value: int, size: int) -> Self:
        return self.raw(value.to_bytes(size, "little"))

    def u8(self, value: int) -> Self:
        return self.unsigned(value, 1)

    def u16(self, value: int) -> Self:
        return self.unsigned(value, 2)

    def u32(self, value: int) -> Self:
        return self.unsigned(value, 4)

    def bytes_(self, data: bytes) -> Self:
        return self.u32(len(data)).raw(data)

    def string(self, text: str) -> Self:
        return self.bytes_(text.encode())

    def many(self, items: Iterable[T], write: Callable[[T], object]) -> Self:
        """How many, and each."""
        known = tuple(items)
        self.u32(len(known))
        for item in known:
            write(item)
        return self
