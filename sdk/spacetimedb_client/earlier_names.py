"""The names of earlier Python clients, over `sync.py`; new programs take `connect`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Self

from spacetimedb_bsatn import SpacetimeDBError
from spacetimedb_client.closing import Closing
from spacetimedb_client.errors import InvalidState
from spacetimedb_client.sync import SyncCalls, SyncConnection, SyncSubscription, SyncTables, connect


class Context:
    """`ctx.db.users`, `ctx.reducers.create_user({"name": "Alice"})`."""

    def __init__(self, conn: SyncConnection) -> None:
        self.db: Final[SyncTables] = conn.db
        self.reducers: Final[SyncCalls] = conn.reducers
        self.identity: Final = conn.identity


class ModernSpacetimeDBClient(Closing):
    """A connection, made by `ModernSpacetimeDBClient.builder()…build()`."""

    def __init__(self, conn: SyncConnection) -> None:
        self._conn = conn

    @staticmethod
    def builder() -> ClientBuilder:
        return ClientBuilder()

    def get_context(self) -> Context:
        return Context(self._conn)

    def subscription_builder(self) -> SubscriptionBuilder:
        return SubscriptionBuilder(self._conn)

    @property
    def identity(self) -> Any:
        return self._conn.identity

    @property
    def token(self) -> str:
        return self._conn.token

    def disconnect(self) -> None:
        self._conn.close()

    def close(self) -> None:
        self.disconnect()


class ClientBuilder:
    """What to connect to, piece by piece."""

    def __init__(self) -> None:
        self._uri = ""
        self._database = ""
        self._token: str | None = None
        self._module: Any = None

    def with_uri(self, uri: str) -> Self:
        self._uri = uri
        return self

    def with_module_name(self, database: str) -> Self:
        self._database = database
        return self

    def with_token(self, token: str | None) -> Self:
        self._token = token
        return self

    def with_module_bindings(self, module: Any) -> Self:
        self._module = module
        return self

    def build(self) -> ModernSpacetimeDBClient:
        """Connects; returns when the server has said who we are."""
        if not self._uri or not self._database:
            raise InvalidState("call with_uri(…) and with_module_name(…) before build()")
        conn = connect(self._uri, self._database, token=self._token, module=self._module)
        return ModernSpacetimeDBClient(conn)


class SubscriptionBuilder:
    """`select("users").where("active = true").subscribe()`."""

    def __init__(self, conn: SyncConnection) -> None:
        self._conn = conn
        self._tables: tuple[str, ...] = ()
        self._condition = ""
        self._on_applied: Callable[[], Any] | None = None
        self._on_error: Callable[[Exception], Any] | None = None

    def select(self, *tables: str) -> Self:
        self._tables += tables
        return self

    def where(self, condition: str) -> Self:
        """SQL, for each of the tables; called again, both have to hold."""
        joined = f"{self._condition} AND ({condition})" if self._condition else f"({condition})"
        self._condition = joined
        return self

    def on_applied(self, callback: Callable[[], Any]) -> Self:
        self._on_applied = callback
        return self

    def on_error(self, callback: Callable[[Exception], Any]) -> Self:
        self._on_error = callback
        return self

    def subscribe(self, *queries: str) -> SyncSubscription | None:
        """Returns when the rows are there; None where the server refused and `on_error` heard."""
        where = f" WHERE {self._condition}" if self._condition else ""
        wanted = [*queries, *(f"SELECT * FROM {table}{where}" for table in self._tables)]
        try:
            subscription = self._conn.subscribe(*wanted)
        except SpacetimeDBError as problem:
            if self._on_error is None:
                raise
            self._on_error(problem)
            return None
        if self._on_applied is not None:
            self._on_applied()
        return subscription
