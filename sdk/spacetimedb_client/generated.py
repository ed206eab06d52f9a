"""What generated bindings inherit from, for type checkers."""

from spacetimedb_client.calls import Calls
from spacetimedb_client.connection import Connection
from spacetimedb_client.tables import IndexHandle, TableHandle, Tables

__all__ = ["Calls", "Connection", "IndexHandle", "TableHandle", "Tables"]
