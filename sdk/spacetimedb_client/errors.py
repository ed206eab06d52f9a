"""The errors of the client, in one tree with those of spacetimedb_bsatn:

SpacetimeDBError
├── ConversionError, DecodeError, ValidationError    of values and schemas
│   └── MigrationRefused    a ValidationError: the new module does not fit the rows that are there
├── ConnectError            there is no connection, and why
│   ├── AuthError           the token is not accepted
│   ├── ConnectTimeout      no answer in time
│   ├── DatabaseNotFound
│   ├── IdentityChanged     after reconnecting, the server says we are somebody else
│   └── ProtocolRejected    the server speaks none of our protocols
├── ConnectionLost          the connection ended with something still owed to us
├── ProtocolError           the server said what it may not say now
├── CallError               a reducer or procedure did not do what it should
│   ├── ReducerError        it refused, with its own words
│   ├── ReducerInternalError    it crashed, or could not be called
│   ├── ProcedureError
│   └── OutOfEnergy
├── SubscriptionError       a query cannot be subscribed to
├── QueryError              a query cannot be answered
├── HttpError               the server refused a request, with its status
│   └── PermissionDenied    it is for the owner of the database
├── InvalidState            we were called at the wrong time
├── ChangesOverflow         an iterator over changes was too slow
└── Refused                 not sent, as the server would end the connection for it
    ├── MessageTooLarge
    └── TooManyInFlight
"""

from spacetimedb_bsatn import SpacetimeDBError, ValidationError


class MigrationRefused(ValidationError):
    """The new module cannot replace the old one; `problems` has one sentence for each change."""


class ConnectError(SpacetimeDBError):
    """There is no connection."""


class AuthError(ConnectError):
    """The server does not accept the token."""


class ConnectTimeout(ConnectError):
    """The server did not answer in time."""


class DatabaseNotFound(ConnectError):
    """The server has no database of this name."""


class IdentityChanged(ConnectError):
    """After reconnecting, the server says that we are somebody else."""


class ProtocolRejected(ConnectError):
    """The server speaks none of the protocols that were offered."""


class ConnectionLost(SpacetimeDBError):
    """The connection ended with something still owed to us."""

    def __init__(self, message: str, *, outcome_unknown: bool = False) -> None:
        super().__init__(message)
        self.outcome_unknown = outcome_unknown


class ProtocolError(SpacetimeDBError):
    """The server said what it may not say now: the connection is of no more use."""


class CallError(SpacetimeDBError):
    """A reducer or procedure did not do what it should; nothing of it was kept."""

    def __init__(self, message: str, name: str = "", value: object = None) -> None:
        super().__init__(f"{name}: {message}" if name else message)
        self.message = message
        self.name = name
        self.value = value


class ReducerError(CallError):
    """The reducer refused, with its own words in `message`, or its own type in `value`."""


class ReducerInternalError(CallError):
    """The reducer crashed, or could not be called."""


class ProcedureError(CallError):
    """The procedure failed."""


class OutOfEnergy(CallError):
    """The reducer took more than it may."""


class SubscriptionError(SpacetimeDBError):
    """A query cannot be subscribed to, or no longer."""


class QueryError(SpacetimeDBError):
    """A query cannot be answered."""


class HttpError(SpacetimeDBError):
    """The server refused a request."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"{message} (HTTP {status})")
        self.status = status
        self.message = message


class PermissionDenied(HttpError):
    """Only the owner of the database may do this."""


class InvalidState(SpacetimeDBError, RuntimeError):
    """We were called at the wrong time."""


class ChangesOverflow(SpacetimeDBError):
    """An iterator over changes was slower than the changes, and had been told to say so."""


class Refused(SpacetimeDBError):
    """Not sent, as the server would end the connection for it."""


class MessageTooLarge(Refused):
    """A message longer than the server reads."""


class TooManyInFlight(Refused):
    """More unanswered calls than the server keeps."""
