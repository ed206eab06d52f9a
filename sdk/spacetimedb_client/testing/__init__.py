"""For tests of programs that use SpacetimeDB: real servers."""

from spacetimedb_client.testing.server import Server, ServerNotFound, server_binary

__all__ = ["Server", "ServerNotFound", "server_binary"]
