"""Bindings as a file: classes of a module's types, and what type checkers have to know."""

from spacetimedb_client.codegen.generator import generate

__all__ = ["generate"]
