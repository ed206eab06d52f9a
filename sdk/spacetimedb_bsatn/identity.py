"""Who and over which connection: numbers that are shown in hexadecimal."""

from __future__ import annotations

from typing import ClassVar, Final, Self

from spacetimedb_bsatn.errors import ConversionError
from spacetimedb_bsatn.named_numbers import Valued, unchecked

UNSHOWN_DIGITS: Final = 16  # of an identity's 64, a repr shows the first


class HexNumber(Valued):
    """A number with a name for its meaning: equal only to its own kind, usable as a key."""

    SIZE_BYTES: ClassVar[int]

    def check(self) -> None:
        """Raises where it has more bytes."""
        if self.value < 0 or self.value >> (8 * self.SIZE_BYTES):
            expected = f"a number of at most {self.SIZE_BYTES} bytes"
            raise ConversionError(type(self).__name__, self.value, expected)

    @classmethod
    def from_hex(cls, text: str) -> Self:
        """The inverse of `str`; a leading 0x is allowed."""
        digits = text.removeprefix("0x")
        try:
            if len(digits) != 2 * cls.SIZE_BYTES:
                raise ValueError
            return cls(int.from_bytes(bytes.fromhex(digits), "big"))
        except ValueError:
            expected = f"{2 * cls.SIZE_BYTES} hexadecimal digits"
            raise ConversionError(cls.__name__, text, expected) from None

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """From the bytes of the wire, lowest first."""
        if len(data) != cls.SIZE_BYTES:
            raise ConversionError(cls.__name__, data, f"{cls.SIZE_BYTES} bytes")
        return unchecked(cls)(int.from_bytes(data, "little"))

    def __bytes__(self) -> bytes:
        return self.value.to_bytes(self.SIZE_BYTES, "little")

    def __str__(self) -> str:
        return f"{self.value:0{2 * self.SIZE_BYTES}x}"

    def __repr__(self) -> str:
        return f"{type(self).__name__}.from_hex('{self}')"


class Identity(HexNumber):
    """Who: the same for all connections with one token."""

    SIZE_BYTES = 32


class ConnectionId(HexNumber):
    """Which connection of somebody; zero is none, as in a scheduled reducer."""

    SIZE_BYTES = 16
