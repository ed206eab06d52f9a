"""The mirror's module as a file: `python -m tests.support.mirror_module FILE` says its hash."""

from __future__ import annotations

import sys
from pathlib import Path

from spacetimedb_bsatn import Identity
from spacetimedb_client.bindings import Bindings
from watchglass_sync.mirror_tables import MirrorTables


def schema_hash() -> str:
    """Changes with every table, type and reducer."""
    return Bindings(MirrorTables(public=False).module.schema).hash


if __name__ == "__main__":
    Path(sys.argv[1]).write_bytes(MirrorTables(public=False).build(Identity(0)))
    print(schema_hash())
