"""What the server tells, in one form for all protocols."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass, field

from spacetimedb_bsatn import ConnectionId, Identity, Timestamp


@dataclass(frozen=True, slots=True)
class RowList:
    """Rows as they came, one behind the other: all of one size, or each with its start."""

    data: bytes = field(default=b"", repr=False)
    size: int | None = None
    starts: Sequence[int] = ()

    def __len__(self) -> int:
        return len(self.data) // self.size if self.size else len(self.starts)


NO_ROWS = RowList()


@dataclass(frozen=True, slots=True)
class TableUpdate:
    """What one query adds to a table and takes from it."""

    table: str
    inserts: RowList = NO_ROWS
    deletes: RowList = NO_ROWS
    is_event: bool = False


Updates = tuple[TableUpdate, ...]


class Outcome(enum.Enum):
    """How a reducer ended."""

    COMMITTED = "committed"
    FAILED = "failed"
    OUT_OF_ENERGY = "out of energy"
    INTERNAL_ERROR = "internal error"


@dataclass(frozen=True, slots=True)
class ReducerEvent:
    """Who called which reducer, and how it ended; only v1 tells it of others' calls."""

    reducer: str
    caller: Identity
    connection_id: ConnectionId
    timestamp: Timestamp
    args: bytes
    request_id: int
    is_known: bool
    outcome: Outcome
    message: str = ""
    energy: int = 0
    duration_micros: int = 0


@dataclass(frozen=True, slots=True)
class Connected:
    """Always first: who we are."""

    identity: Identity
    connection_id: ConnectionId
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class SubscribeApplied:
    """A subscription holds from now on; its rows are those not yet told of."""

    request_id: int
    query_id: int
    updates: Updates


@dataclass(frozen=True, slots=True)
class UnsubscribeApplied:
    """A subscription has ended; `updates` take its rows away."""

    request_id: int
    query_id: int
    updates: Updates


@dataclass(frozen=True, slots=True)
class SubscriptionFailed:
    """A subscription never was, or is no more; without a query id, all of them."""

    request_id: int | None
    query_id: int | None
    message: str


@dataclass(frozen=True, slots=True)
class ReducerResult:
    """The answer to our call; `returned` and `error` are BSATN of the reducer's types (v2)."""

    request_id: int
    outcome: Outcome
    message: str = ""
    returned: bytes = b""
    error: bytes | None = None
    timestamp: Timestamp = Timestamp.EPOCH


@dataclass(frozen=True, slots=True)
class TransactionUpdate:
    """What one transaction changed, whose it was, and the answer if it was ours."""

    updates: Updates = ()
    reducer: ReducerEvent | None = None
    result: ReducerResult | None = None


@dataclass(frozen=True, slots=True)
class QueryResult:
    """The rows of a query that was asked once."""

    request_id: int
    tables: tuple[tuple[str, RowList], ...] = ()
    error: str | None = None


@dataclass(frozen=True, slots=True)
class ProcedureResult:
    request_id: int
    returned: bytes | None = None
    error: str = ""
    timestamp: Timestamp = Timestamp.EPOCH


Event = (
    Connected
    | SubscribeApplied
    | UnsubscribeApplied
    | SubscriptionFailed
    | TransactionUpdate
    | QueryResult
    | ProcedureResult
)
