"""A module's bindings at run time, from the server's own schema, with no file."""

from __future__ import annotations

import logging
from typing import Final

from spacetimedb_bsatn import ValidationError
from spacetimedb_client.bindings import Bindings, bindings_of
from spacetimedb_client.http import Admin
from spacetimedb_client.options import Options

LOG: Final = logging.getLogger("spacetimedb_client")


async def load(
    uri: str, database: str, *, token: str | None = None, timeout: float = 30.0
) -> Bindings:
    """What generated bindings have, made of what the server tells."""
    async with Admin(uri, token=token, timeout=timeout) as admin:
        return Bindings(await admin.schema(database))


async def served_bindings(options: Options, token: str | None) -> Bindings:
    return await load(options.uri, options.database, token=token, timeout=options.timeout)


async def bindings_for(options: Options, token: str | None) -> Bindings:
    """Those that were given, compared with the server's module, or the server's."""
    if options.module is None:
        return await served_bindings(options, token)
    given = bindings_of(options.module)
    if options.check_schema != "off":
        served = await served_bindings(options, token)
        if served.hash != given.hash:
            words = (
                f"{options.database}: the server's module ({served.hash}) is not the one of the "
                f"bindings ({given.hash}): generate them anew"
            )
            if options.check_schema == "error":
                raise ValidationError(words)
            LOG.warning(words)
    return given
