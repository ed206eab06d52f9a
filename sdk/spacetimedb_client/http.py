"""What a server does over HTTP: identities, publishing, SQL, calls, logs, names."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import quote

from spacetimedb_bsatn import (
    Classes,
    Codecs,
    DecodeError,
    Element,
    Identity,
    ProductType,
    Schema,
    Timestamp,
    schema_of_json,
)
from spacetimedb_bsatn.naming import with_names
from spacetimedb_bsatn.plain import encode_plain
from spacetimedb_bsatn.raw_module import PRODUCT_TYPE, RAW_TYPES
from spacetimedb_bsatn.sats_json import from_json
from spacetimedb_bsatn.schema import TypeName
from spacetimedb_bsatn.schema_reading import product_of_plain
from spacetimedb_client.errors import (
    AuthError,
    DatabaseNotFound,
    HttpError,
    OutOfEnergy,
    ReducerError,
    ReducerInternalError,
)
from spacetimedb_client.transport import Http, Response

MAX_ERROR_CHARACTERS: Final = 2000
USER_ERROR: Final = 530  # the server's own status: a reducer refused, or crashed
PANIC: Final = "The Wasm instance encountered a fatal error"
NO_DATABASE: Final = "No such database"
SCHEMA_VERSIONS: Final = ("10", "9")


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who one is, and the proof of it."""

    identity: Identity
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Published:
    """What publishing did: `created` or `updated`."""

    database_identity: Identity
    operation: str


@dataclass(frozen=True, slots=True)
class LogLine:
    level: str
    message: str
    at: Timestamp
    target: str = ""
    file: str = ""
    line: int | None = None


@dataclass(frozen=True, slots=True)
class SqlResult:
    """Rows of a statement, each a tuple in the order of the columns."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    duration_micros: int = 0


class Admin:
    """One server, over HTTP."""

    def __init__(self, uri: str, *, token: str | None = None, timeout: float = 30.0) -> None:
        self._http = Http(uri, timeout=timeout)
        self._token = token

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

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
            raise refusal(answer, path)
        return answer

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
        return answer.status == 204

    async def databases(self, identity: Identity) -> list[Identity]:
        """Those that an identity owns."""
        found = (await self._ask("GET", f"/v1/identity/{identity}/databases")).json()
        return [Identity.from_hex(each) for each in found["identities"]]

    async def publish(self, database: str, module: bytes, *, clear: bool = False) -> Published:
        """Makes the database, or gives it another module; `clear` drops all rows."""
        query = {"clear": "true"} if clear else None
        answer = await self._ask("PUT", database_path(database), module, query)
        match answer.json():
            case {"Success": {"database_identity": str(identity), "op": str(operation)}}:
                return Published(Identity.from_hex(identity), operation)
        raise HttpError(answer.status, answer.text()[:MAX_ERROR_CHARACTERS])

    async def delete(self, database: str) -> None:
        await self._ask("DELETE", database_path(database))

    async def database_identity(self, database: str) -> Identity:
        return Identity.from_hex(
            (await self._ask("GET", database_path(database, "identity"))).text()
        )

    async def names(self, database: str) -> list[str]:
        answer = await self._ask("GET", database_path(database, "names"))
        return list(answer.json()["names"])

    async def add_name(self, database: str, name: str) -> None:
        await self._ask("POST", database_path(database, "names"), name)

    async def describe(self, database: str) -> Mapping[str, Any]:
        """Owner, identity and kind, as the server says it."""
        described: Mapping[str, Any] = (await self._ask("GET", database_path(database))).json()
        return described

    async def schema(self, database: str) -> Schema:
        """What the module tells of itself, in the newest form that the server knows."""
        path = database_path(database, "schema")
        newest, *older = SCHEMA_VERSIONS
        answer = await self._schema(path, newest)
        for version in older:
            if answer.status == 400:
                answer = await self._schema(path, version)
        if answer.status != 200:
            raise refusal(answer, path)
        return schema_of_json(answer.json())

    async def _schema(self, path: str, version: str) -> Response:
        return await self._http.request("GET", path, token=self._token, query={"version": version})

    async def sql(self, database: str, statement: str) -> SqlResult:
        """One statement; the owner may also insert, update and delete."""
        answer = await self._ask("POST", database_path(database, "sql"), statement)
        return sql_result(answer.json())

    async def call(self, database: str, reducer: str, *args: Any) -> None:
        """Calls a reducer with arguments as SATS-JSON."""
        path = database_path(database, f"call/{quote(reducer, safe='')}")
        await self._ask("POST", path, json.dumps(args), content_type="application/json")

    async def logs(
        self, database: str, *, lines: int | None = None, follow: bool = False
    ) -> AsyncIterator[LogLine]:
        """What the module printed; with `follow`, for as long as one listens."""
        query = {"follow": "true"} if follow else {}
        if lines is not None:
            query["num_lines"] = str(lines)
        path = database_path(database, "logs")
        answer = await self._http.lines(path, token=self._token, query=query)
        try:
            async for line in answer:
                if line.strip():
                    yield log_line(line)
        finally:
            answer.close()


def database_path(database: str, part: str = "") -> str:
    path = f"/v1/database/{quote(database, safe='')}"
    return f"{path}/{part}" if part else path


def refusal(answer: Response, path: str) -> Exception:
    """The error that a status means."""
    text = answer.text()[:MAX_ERROR_CHARACTERS].strip()
    match answer.status:
        case 401:
            return AuthError(f"the server does not accept the token: {text}")
        case 404 if not text or text.startswith(NO_DATABASE):
            return DatabaseNotFound(f"nothing is at {path}: publish the database first")
        case 404 if "/call/" in path:
            return ReducerInternalError(text)
        case code if code == USER_ERROR:
            return ReducerInternalError(text) if text.startswith(PANIC) else ReducerError(text)
        case 402:
            return OutOfEnergy(text)
    return HttpError(answer.status, text or f"{path} was refused")


def sql_result(answer: Any) -> SqlResult:
    """Rows as values, by the types that came with them."""
    match answer:
        case [{"schema": {} as described, "rows": list(rows)} as result]:
            row_type = product_of_plain(from_json(PRODUCT_TYPE, RAW_TYPES, described))
            schema = with_names(Schema((row_type,), (TypeName("Row", 0),)))
            names = tuple(each.name or f"column_{at}" for at, each in enumerate(row_type.elements))
            codec = Codecs(Classes(schema)).of(ProductType(fields_of(schema)), "a row")
            plain = (from_json(row_type, (), row) for row in rows)
            values = tuple(codec.decode(encode_plain(row_type, (), each)) for each in plain)
            return SqlResult(names, values, result.get("total_duration_micros", 0))
    raise DecodeError("the answer to a statement has another form than known")


def fields_of(schema: Schema) -> tuple[Element, ...]:
    """Of the first type, as a tuple has them: a row of an answer has no class."""
    row = schema.types[0]
    return row.elements if isinstance(row, ProductType) else ()


def log_line(line: bytes) -> LogLine:
    try:
        raw = json.loads(line)
        return LogLine(
            raw["level"],
            raw["message"],
            Timestamp(raw["ts"]),
            raw.get("target") or "",
            raw.get("filename") or "",
            raw.get("line_number"),
        )
    except (ValueError, KeyError, TypeError) as problem:
        raise DecodeError(f"a line of the log that cannot be read: {problem}") from None
