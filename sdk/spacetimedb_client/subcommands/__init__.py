"""What `spacetimedb-py` can do, a module for each: NAME, HELP, add_arguments and run."""

from spacetimedb_client.subcommands import (
    call,
    delete,
    describe,
    generate,
    identity,
    logs,
    publish,
    pyodide,
    sql,
    subscribe,
)

SUBCOMMANDS = (
    *(identity, publish, delete, sql, call, logs, describe, generate, subscribe),
    pyodide,
)
