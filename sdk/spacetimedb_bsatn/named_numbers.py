"""Bases of numbers with a name for their meaning: checked when made, never changed, equal by kind.

With msgspec they are structs that no collector visits: tables have millions of them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Self, TypeVar

try:
    import msgspec
except ImportError:  # pure Python then: the same classes, slower
    msgspec = None  # type: ignore[assignment]

T = TypeVar("T")
Meta: Any = type if msgspec is None else type(msgspec.Struct)

if TYPE_CHECKING:

    class Ordered:
        def __hash__(self) -> int: ...
        def __eq__(self, other: object) -> bool: ...
        def __lt__(self, other: Self) -> bool: ...
        def __le__(self, other: Self) -> bool: ...
        def __gt__(self, other: Self) -> bool: ...
        def __ge__(self, other: Self) -> bool: ...

    class Valued(Ordered):
        """A number that is called its value."""

        def __init__(self, value: int) -> None: ...
        @property
        def value(self) -> int: ...

    class Micros(Ordered):
        """A number of microseconds."""

        def __init__(self, micros: int) -> None: ...
        @property
        def micros(self) -> int: ...

else:

    class Checking(Meta):
        """Calls `check` on what is made; `unchecked` leaves it out."""

        def __new__(meta, name, bases, namespace, **options):
            if msgspec is None:
                namespace.setdefault("__slots__", ())
            return super().__new__(meta, name, bases, namespace, **options)

        def __call__(cls, *args, **named):
            made = super().__call__(*args, **named)
            made.check()
            return made

    if msgspec is None:

        class Ordered(metaclass=Checking):
            def __hash__(self):
                return hash(self._number())

            def __eq__(self, other):
                return other.__class__ is self.__class__ and self._number() == other._number()

            def __lt__(self, other):
                if other.__class__ is not self.__class__:
                    return NotImplemented
                return self._number() < other._number()

            def __le__(self, other):
                if other.__class__ is not self.__class__:
                    return NotImplemented
                return self._number() <= other._number()

        class Valued(Ordered):
            """A number that is called its value."""

            __slots__ = ("value",)

            def __init__(self, value):
                self.value = value

            def _number(self):
                return self.value

        class Micros(Ordered):
            """A number of microseconds."""

            __slots__ = ("micros",)

            def __init__(self, micros):
                self.micros = micros

            def _number(self):
                return self.micros

    else:

        class Valued(msgspec.Struct, metaclass=Checking, frozen=True, order=True, gc=False):
            """A number that is called its value."""

            value: int

        class Micros(msgspec.Struct, metaclass=Checking, frozen=True, order=True, gc=False):
            """A number of microseconds."""

            micros: int


def unchecked(made: type[T]) -> Callable[[int], T]:
    """What makes one of a number that is known to fit: of so many bytes."""
    make: Callable[[int], T] = Meta.__call__.__get__(made)
    return make
