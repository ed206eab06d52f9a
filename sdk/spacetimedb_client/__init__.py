"""SpacetimeDB from Python: typed, with asyncio first.

async with connect("http://127.0.0.1:3000", "arena") as conn:
    async with await conn.subscribe("SELECT * FROM player"):
        await conn.reducers.join_game("Ann")
        print(list(conn.db.player))
"""

from spacetimedb_bsatn import (
    ConnectionId,
    ConversionError,
    DecodeError,
    Err,
    Identity,
    Ok,
    ScheduleAt,
    Some,
    SpacetimeDBError,
    TimeDuration,
    Timestamp,
    Uuid,
    ValidationError,
)
from spacetimedb_client.bindings import Bindings
from spacetimedb_client.changes import Changes
from spacetimedb_client.connecting import Connecting, connect
from spacetimedb_client.connection import Connection, ConnectionState
from spacetimedb_client.credentials import FileCredentials
from spacetimedb_client.errors import (
    AuthError,
    CallError,
    ChangesOverflow,
    ConnectError,
    ConnectionLost,
    ConnectTimeout,
    DatabaseNotFound,
    HttpError,
    IdentityChanged,
    InvalidState,
    MessageTooLarge,
    MigrationRefused,
    OutOfEnergy,
    PermissionDenied,
    ProcedureError,
    ProtocolError,
    ProtocolRejected,
    QueryError,
    ReducerError,
    ReducerInternalError,
    SubscriptionError,
    TooManyInFlight,
)
from spacetimedb_client.http import Admin
from spacetimedb_client.http_answers import CallResult, Credentials, LogLine, Published
from spacetimedb_client.loading import load
from spacetimedb_client.query import Queries, Query
from spacetimedb_client.row_changes import Change, Delete, Insert, Update
from spacetimedb_client.schema_difference import ChangeKind, SchemaChange, SchemaDifference
from spacetimedb_client.sql_rows import SqlResult
from spacetimedb_client.subscriptions import Subscription
from spacetimedb_client.tables import Cause, EventContext

__all__ = [
    "Admin",
    "AuthError",
    "Bindings",
    "CallError",
    "CallResult",
    "Cause",
    "Change",
    "ChangeKind",
    "Changes",
    "ChangesOverflow",
    "ConnectError",
    "ConnectTimeout",
    "Connecting",
    "Connection",
    "ConnectionId",
    "ConnectionLost",
    "ConnectionState",
    "ConversionError",
    "Credentials",
    "DatabaseNotFound",
    "DecodeError",
    "Delete",
    "Err",
    "EventContext",
    "FileCredentials",
    "HttpError",
    "Identity",
    "IdentityChanged",
    "Insert",
    "InvalidState",
    "LogLine",
    "MessageTooLarge",
    "MigrationRefused",
    "Ok",
    "OutOfEnergy",
    "PermissionDenied",
    "ProcedureError",
    "ProtocolError",
    "ProtocolRejected",
    "Published",
    "Queries",
    "Query",
    "QueryError",
    "ReducerError",
    "ReducerInternalError",
    "ScheduleAt",
    "SchemaChange",
    "SchemaDifference",
    "Some",
    "SpacetimeDBError",
    "SqlResult",
    "Subscription",
    "SubscriptionError",
    "TimeDuration",
    "Timestamp",
    "TooManyInFlight",
    "Update",
    "Uuid",
    "ValidationError",
    "connect",
    "load",
]
