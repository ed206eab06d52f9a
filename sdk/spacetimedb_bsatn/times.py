"""Points in time and spans of it, in microseconds."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import ClassVar, Final, overload

from spacetimedb_bsatn.algebraic import INTEGERS, Primitive
from spacetimedb_bsatn.errors import ConversionError
from spacetimedb_bsatn.named_numbers import Micros

MICROS_PER_SECOND: Final = 1_000_000
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
I64: Final = INTEGERS[Primitive.I64]
LOW: Final = I64.low
HIGH: Final = I64.high


class Microseconds(Micros):
    """A number of microseconds with a name for its meaning."""

    def check(self) -> None:
        """Raises where it has more bytes."""
        if not LOW <= self.micros <= HIGH:
            expected = f"a number of microseconds from {LOW} to {HIGH}"
            raise ConversionError(type(self).__name__, self.micros, expected)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.micros})"


class TimeDuration(Microseconds):
    """A span of time, also a negative one."""

    @classmethod
    def from_timedelta(cls, delta: timedelta) -> TimeDuration:
        return cls(delta // timedelta(microseconds=1))

    @classmethod
    def from_seconds(cls, seconds: float) -> TimeDuration:
        return cls(round(seconds * MICROS_PER_SECOND))

    def to_timedelta(self) -> timedelta:
        return timedelta(microseconds=self.micros)

    def total_seconds(self) -> float:
        return self.micros / MICROS_PER_SECOND

    def __add__(self, other: TimeDuration | timedelta) -> TimeDuration:
        return TimeDuration(self.micros + micros_of(other))

    def __sub__(self, other: TimeDuration | timedelta) -> TimeDuration:
        return TimeDuration(self.micros - micros_of(other))

    def __neg__(self) -> TimeDuration:
        return TimeDuration(-self.micros)

    def __str__(self) -> str:
        return str(self.to_timedelta())


class Timestamp(Microseconds):
    """A point in time: microseconds since 1970-01-01 in UTC."""

    EPOCH: ClassVar[Timestamp]

    @classmethod
    def now(cls) -> Timestamp:
        return cls(time.time_ns() // 1000)

    @classmethod
    def from_datetime(cls, moment: datetime) -> Timestamp:
        """From a datetime with a time zone: without one, it says no point in time."""
        if moment.tzinfo is None:
            suggestion = "write datetime(…, tzinfo=UTC) or moment.astimezone()"
            raise ConversionError("Timestamp", moment, "a datetime with a time zone", suggestion)
        return cls((moment - EPOCH) // timedelta(microseconds=1))

    def to_datetime(self) -> datetime:
        """In UTC; only years 1 to 9999 can be shown so."""
        return EPOCH + timedelta(microseconds=self.micros)

    def __add__(self, span: TimeDuration | timedelta) -> Timestamp:
        return Timestamp(self.micros + micros_of(span))

    @overload
    def __sub__(self, other: Timestamp) -> TimeDuration: ...
    @overload
    def __sub__(self, other: TimeDuration | timedelta) -> Timestamp: ...
    def __sub__(self, other: Timestamp | TimeDuration | timedelta) -> TimeDuration | Timestamp:
        if isinstance(other, Timestamp):
            return TimeDuration(self.micros - other.micros)
        return Timestamp(self.micros - micros_of(other))

    def __str__(self) -> str:
        try:
            return self.to_datetime().isoformat()
        except OverflowError:
            return repr(self)


Timestamp.EPOCH = Timestamp(0)


def micros_of(span: TimeDuration | timedelta) -> int:
    return span.micros if isinstance(span, TimeDuration) else span // timedelta(microseconds=1)


class ScheduleAt:
    """When a scheduled reducer runs: `ScheduleAt.Time` once, `ScheduleAt.Interval` repeatedly."""

    __slots__ = ()
    Interval: ClassVar[type[Interval]]
    Time: ClassVar[type[Time]]


@dataclass(frozen=True, slots=True)
class Interval(ScheduleAt):
    """Again and again, with this long in between."""

    value: TimeDuration


@dataclass(frozen=True, slots=True)
class Time(ScheduleAt):
    """Once, at this time."""

    value: Timestamp


ScheduleAt.Interval = Interval
ScheduleAt.Time = Time
