"""Modules without a compiler: tables and reducers described in Python become WebAssembly.

module = Module()
item = module.table("item", {"id": u64, "name": str}, primary_key="id", auto_inc=["id"])
module.mirror(item)
await admin.publish("shop", module.build())
"""

from spacetimedb_client.module.description import Module, TableHandle
from spacetimedb_client.module.migrations import check_migration, refused_changes
from spacetimedb_client.module.operations import BatchStep, Operation, batch

__all__ = [
    "BatchStep",
    "Module",
    "Operation",
    "TableHandle",
    "batch",
    "check_migration",
    "refused_changes",
]
