"""For tests of programs that use SpacetimeDB: fake servers, and real ones."""

from spacetimedb_client.testing.fake import FakeServer, ReducerCall
from spacetimedb_client.testing.server import Server, ServerNotFound, server_binary

__all__ = ["FakeServer", "ReducerCall", "Server", "ServerNotFound", "server_binary"]
