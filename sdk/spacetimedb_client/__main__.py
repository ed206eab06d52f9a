"""`python -m spacetimedb_client`."""

from spacetimedb_client.cli import main

if __name__ == "__main__":
    main()
