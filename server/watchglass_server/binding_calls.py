"""What the calls about bindings do: checked against the database, kept with the session."""

from __future__ import annotations

import keyword
from collections.abc import Mapping
from typing import TYPE_CHECKING

from watchglass_server import commands as c
from watchglass_server import replies as r
from watchglass_server import session_inputs as i
from watchglass_server.bindings import Bindings
from watchglass_server.messages import tagged
from watchglass_server.pictures import Binding
from watchglass_server.refusals import Refused, bad_request
from watchglass_server.rooms import Client
from watchglass_server.sessions import Sessions
from watchglass_server.variable_calls import Perform

if TYPE_CHECKING:
    from watchglass_sync.bound_rows import BoundRows
    from watchglass_sync.row_form import RowAddress, RowForm

EQUAL_S = 5.0


class BindingCalls:
    """`session.bind` and `session.unbind`."""

    def __init__(self, sessions: Sessions, bindings: Bindings) -> None:
        self._sessions = sessions
        self._bindings = bindings
        self.performs: Mapping[type[c.Command], Perform] = {
            c.SessionBindCommand: self._bind,
            c.SessionUnbindCommand: self._unbind,
        }

    async def _bind(self, client: Client, command: c.SessionBindCommand) -> r.Reply:
        live = await self._sessions.open(command.session)
        _check_name(command.name)
        rows = self._rows()
        address = _address(rows, client, command)
        form = await _form(rows, address)
        binding = Binding(
            name=command.name,
            table=address.source,
            key=address.key,
            column=address.column,
            follows=str(address),
        )
        live.apply(i.Bind(binding))
        await live.durable()
        self._bindings.look(live.session)
        bound = self._bindings.of(live.session, command.name)
        if bound is not None:
            await bound.until_settled(EQUAL_S)
        return r.SessionBindReply(
            follows=binding.follows,
            writes=None if form.why_read_only else form.reducer or "sql",
            why=form.why_read_only,
            is_equal=bound is not None and bound.is_equal,
        )

    async def _unbind(self, _: Client, command: c.SessionUnbindCommand) -> r.Reply:
        live = await self._sessions.open(command.session)
        live.apply(i.Unbind(command.name))
        await live.durable()
        self._bindings.look(live.session)
        return r.EmptyReply()

    def _rows(self) -> BoundRows:
        rows = self._bindings.rows
        if rows is None:
            raise Refused(
                "not_available",
                "This server has no SpacetimeDB beside it, so that there is no row to follow.",
                "Start it with `watchglass serve --spacetimedb URI/DATABASE`.",
            )
        if not rows.has_identity:
            raise Refused(
                "not_available",
                f"The database {rows.address} has not been reached since this server was set up.",
                "Start the database, and bind again when the mirror is connected.",
            )
        return rows


def _check_name(name: str) -> None:
    if not name.isidentifier() or keyword.iskeyword(name):
        raise bad_request(
            "name",
            f"'{name[:100]}' is no name of a variable.",
            "Take one that code could assign to.",
        )


def _address(rows: BoundRows, client: Client, command: c.SessionBindCommand) -> RowAddress:
    # It is there where this is called: there is a mirror.
    from watchglass_sync.row_form import RowAddress

    database, _, table = command.table.rpartition("/")
    database = database or rows.address.database
    if database == rows.address.database and not client.is_server:
        # They have the code and variables of every session.
        raise Refused(
            "forbidden",
            "The tables of the mirror itself are bound with the server token only.",
            "Name a table of another database, as `DATABASE/TABLE`.",
            field="table",
        )
    return RowAddress(database, table, tagged(command.key), command.column)


async def _form(rows: BoundRows, address: RowAddress) -> RowForm:
    """What the database has there. Raises Refused."""
    from spacetimedb_client import DatabaseNotFound, HttpError, SpacetimeDBError
    from watchglass_sync.errors import BindingRefused

    try:
        return await rows.form(address)
    except BindingRefused as problem:
        raise bad_request(problem.field, problem.message, problem.hint) from None
    except (DatabaseNotFound, HttpError) as problem:
        if isinstance(problem, HttpError) and problem.status >= 500:
            raise _away(address, problem) from None
        raise bad_request(
            "table",
            f"{rows.address.uri} has no database '{address.database}'.",
            "Name the table as `DATABASE/TABLE`, of a database that was published there.",
        ) from None
    except (SpacetimeDBError, OSError, TimeoutError) as problem:
        raise _away(address, problem) from None


def _away(address: RowAddress, problem: Exception) -> Refused:
    return Refused(
        "not_available",
        f"The database '{address.database}' does not answer: {problem}.",
        "Bind again when it does.",
    )
