"""`python -m spacetimedb_client` is the command `spacetimedb-py`."""

import sys

from spacetimedb_client.cli import main

if __name__ == "__main__":
    sys.exit(main())
