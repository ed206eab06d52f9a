"""What a server does over HTTP: identities, publishing, SQL, calls, logs, names."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from types import TracebackType
from typing import Any, Final, Self, TypeVar, overload
from urllib.parse import quote

from spacetimedb_bsatn import Identity, Row, Schema, ValidationError, schema_of_json
from spacetimedb_client.bindings import Bindings, CallBinding, bindings_of
from spacetimedb_client.errors import ReducerInternalError
from spacetimedb_client.http_answers import (
    CallResult,
    Credentials,
    LogLine,
    Published,
    call_result,
    identity_of_token,
    log_line,
    published,
    refusal,
)
from spacetimedb_client.json_arguments import json_arguments, json_value
from spacetimedb_client.module import Module
from spacetimedb_client.module.migrations import migration_refused
from spacetimedb_client.schema_difference import SchemaDifference, difference
from spacetimedb_client.sql_rows import SqlResult, sql_result
from spacetimedb_client.sql_text import filled
from spacetimedb_client.transport import Http
from spacetimedb_client.web import Response

SCHEMA_VERSIONS: Final = ("10", "9")
WASM_MAGIC: Final = b"\0asm"
R = TypeVar("R", bound=Row)


class Admin:
    """One server, over HTTP: `async with Admin("http://127.0.0.1:3000", token=…) as admin:`."""

    def __init__(self, uri: str, *, token: str | None = None, timeout: float = 30.0) -> None:
        self._http = Http(uri, timeout=timeout)
        self._token = token
        self._known: dict[str, Bindings] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    def __repr__(self) -> str:
        """Without the token: what is printed is seen by others."""
        return f"Admin({self._http.uri!r}{', token=…' if self._token else ''})"

    async def close(self) -> None:
        await self._http.close()

    async def _ask(
        self,
        method: str,
        path: str,
        body: bytes | str | None = None,
        query: Mapping[str, str] | None = None,
        content_type: str | None = None,
    ) -> Response:
        answer = await self._http.request(
            method, path, token=self._token, body=body, query=query, content_type=content_type
        )
        if answer.status >= 300:
            raise refusal(answer, self._asked(method, path))
        return answer

    def _asked(self, method: str, path: str) -> str:
        return f"{method} {self._http.uri}{path}"

    async def ping(self) -> None:
        """Raises where no server answers."""
        await self._ask("GET", "/v1/ping")

    async def create_identity(self) -> Credentials:
        """A new one, which this server knows."""
        made = (await self._ask("POST", "/v1/identity")).json()
        return Credentials(Identity.from_hex(made["identity"]), made["token"])

    async def websocket_token(self) -> str:
        """One for a URL: it is good for a minute."""
        token: str = (await self._ask("POST", "/v1/identity/websocket-token")).json()["token"]
        return token

    async def public_key(self) -> str:
        """What tokens of this server are verified with, as PEM."""
        return (await self._ask("GET", "/v1/identity/public-key")).text()

    async def verify(self, identity: Identity) -> bool:
        """Whether our token is one of this identity."""
        path = f"/v1/identity/{identity}/verify"
        answer = await self._http.request("GET", path, token=self._token)
        if answer.status in (204, 400, 401):
            return answer.status == 204
        raise refusal(answer, self._asked("GET", path))

    async def databases(self, identity: Identity) -> list[Identity]:
        """Those that an identity owns."""
        found = (await self._ask("GET", f"/v1/identity/{identity}/databases")).json()
        return [Identity.from_hex(each) for each in found["identities"]]

    async def difference(self, database: str, module: bytes | Module) -> SchemaDifference | None:
        """What publishing would change; None where there is no such database.

        Of a compiled module only a server can tell the tables: it gets it as a database without a
        name, which is deleted at once. The module's `init` reducer runs in there.
        """
        answer = await self._newest_schema(database)
        if answer.status == 404:
            return None
        served = self._schema_of(answer, database)
        new = module.schema if isinstance(module, Module) else await self._looked_at(module)
        return difference(served, new)

    async def _looked_at(self, module: bytes) -> Schema:
        answer = await self._ask("POST", "/v1/database", checked(module))
        database = str(published(answer, None, minted=False).database_identity)
        made = published(answer, None, minted=self._token is None).owner
        token = made.token if made else self._token
        try:
            return await self.schema(database)
        finally:
            await self._http.request("DELETE", database_path(database), token=token)

    async def publish(
        self, database: str, module: bytes | Module, *, clear: bool = False, check: bool = True
    ) -> Published:
        """Makes the database, or gives it another module; `clear` drops all rows.

        With `check`, a change that would break a 1.2.0 server is refused with `MigrationRefused`
        before anything is sent, and what has changed is in the answer.
        """
        found = await self.difference(database, module) if check else None
        if found and found.refused and not clear:
            raise migration_refused(found.refused)
        query = {"clear": "true"} if clear else None
        answer = await self._ask("PUT", database_path(database), self._built(module), query)
        self._known.pop(database, None)
        return published(answer, found, minted=self._token is None)

    def _built(self, module: bytes | Module) -> bytes:
        if isinstance(module, Module):
            return module.build(identity_of_token(self._token) if self._token else None)
        return checked(module)

    async def delete(self, database: str) -> None:
        """With all rows, for good."""
        await self._ask("DELETE", database_path(database))

    async def database_identity(self, database: str) -> Identity:
        """The number behind the name."""
        answer = await self._ask("GET", database_path(database, "identity"))
        return Identity.from_hex(answer.text())

    async def names(self, database: str) -> list[str]:
        """All names of one database."""
        answer = await self._ask("GET", database_path(database, "names"))
        return list(answer.json()["names"])

    async def add_name(self, database: str, name: str) -> None:
        """One more name for it."""
        await self._ask("POST", database_path(database, "names"), name)

    async def describe(self, database: str) -> Mapping[str, Any]:
        """Owner, identity and kind, as the server says it."""
        described: Mapping[str, Any] = (await self._ask("GET", database_path(database))).json()
        return described

    async def schema(self, database: str) -> Schema:
        """What the module tells of itself, in the newest form that the server knows."""
        return self._schema_of(await self._newest_schema(database), database)

    async def schema_json(self, database: str) -> Any:
        """The same as the server's own JSON, which generated bindings keep."""
        answer = await self._newest_schema(database)
        self._schema_of(answer, database)
        return answer.json()

    async def bindings(self, database: str) -> Bindings:
        """What calls are made with: of the schema that was last seen."""
        if database not in self._known:
            self._known[database] = Bindings(await self.schema(database))
        return self._known[database]

    async def _newest_schema(self, database: str) -> Response:
        newest, *older = SCHEMA_VERSIONS
        answer = await self._schema(database, newest)
        for version in older:
            if answer.status == 400:
                answer = await self._schema(database, version)
        return answer

    async def _schema(self, database: str, version: str) -> Response:
        path = database_path(database, "schema")
        return await self._http.request("GET", path, token=self._token, query={"version": version})

    def _schema_of(self, answer: Response, database: str) -> Schema:
        if answer.status != 200:
            raise refusal(answer, self._asked("GET", database_path(database, "schema")))
        return schema_of_json(answer.json())

    @overload
    async def sql(
        self, database: str, statement: object, *parameters: object, into: None = None
    ) -> SqlResult[Any]: ...

    @overload
    async def sql(
        self, database: str, statement: object, *parameters: object, into: type[R], module: Any
    ) -> SqlResult[R]: ...

    async def sql(
        self,
        database: str,
        statement: object,
        *parameters: object,
        into: type[Any] | None = None,
        module: Any = None,
    ) -> SqlResult[Any]:
        """One statement; the owner may also insert, update and delete.

        Each `?` stands for a parameter. Rows are of a class made of the answer's own schema, or
        `into` one of the bindings in `module`.
        """
        text = filled(str(statement), parameters)
        answer = await self._ask("POST", database_path(database, "sql"), text)
        return sql_result(answer.json(), None if into is None else (bindings_of(module), into))

    async def call(self, database: str, reducer: str, *args: Any, **named: Any) -> CallResult:
        """Calls a reducer, or a procedure of a server from 2.0 on, with Python's values."""
        bindings, call = await self._call(database, reducer)
        path = database_path(database, f"call/{quote(reducer, safe='')}")
        body = json.dumps(json_arguments(bindings, call, args, named), allow_nan=False)
        answer = await self._ask("POST", path, body, content_type="application/json")
        is_procedure = reducer in bindings.procedures
        value = json_value(bindings, call, answer.json()) if is_procedure else None
        return call_result(answer, value)

    async def _call(self, database: str, name: str) -> tuple[Bindings, CallBinding]:
        """What is called, by the schema that we know, or else by the one of now."""
        for is_new in (False, True):
            if is_new:
                self._known.pop(database, None)
            bindings = await self.bindings(database)
            for calls in (bindings.reducers, bindings.procedures):
                if name in calls:
                    return bindings, calls[name]
        known = ", ".join([*bindings.reducers, *bindings.procedures]) or "none"
        raise ReducerInternalError(f"{database} has no such reducer; there is {known}", name)

    async def logs(
        self, database: str, *, lines: int | None = None, follow: bool = False
    ) -> AsyncIterator[LogLine]:
        """What the module printed; with `follow`, for as long as one listens."""
        query = {"follow": "true"} if follow else {}
        if lines is not None:
            query["num_lines"] = str(lines)
        path = database_path(database, "logs")
        answer = await self._http.lines(path, token=self._token, query=query)
        if refused := await answer.refusal():
            raise refusal(refused, self._asked("GET", path))
        try:
            async for line in answer:
                if line.strip():
                    yield log_line(line)
        finally:
            answer.close()


def database_path(database: str, part: str = "") -> str:
    path = f"/v1/database/{quote(database, safe='')}"
    return f"{path}/{part}" if part else path


def checked(module: bytes) -> bytes:
    """Something that a server can at least begin to read."""
    if not module.startswith(WASM_MAGIC):
        raise ValidationError(
            f"{len(module)} bytes that are no WebAssembly module (it begins with {module[:4]!r}): "
            "pass the .wasm file that the compiler wrote, or a spacetimedb_client.module.Module"
        )
    return module
