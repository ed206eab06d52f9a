"""What a server answers over HTTP, as values and errors. No I/O here."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from spacetimedb_bsatn import DecodeError, Identity, SpacetimeDBError, TimeDuration, Timestamp
from spacetimedb_client.errors import (
    AuthError,
    DatabaseNotFound,
    HttpError,
    OutOfEnergy,
    PermissionDenied,
    QueryError,
    ReducerError,
    ReducerInternalError,
)
from spacetimedb_client.schema_difference import SchemaDifference
from spacetimedb_client.web import Response

MAX_ERROR_CHARACTERS: Final = 2000
USER_ERROR: Final = 530  # the server's own status: a reducer refused, or crashed
PANIC: Final = "The Wasm instance encountered a fatal error"
NO_DATABASE: Final = "No such database"
# How servers say, with several statuses, that somebody else owns the database.
NOT_OWNER: Final = ("does not own database", "Permission denied", "Only owners are")
ENERGY, DURATION = "spacetime-energy-used", "spacetime-execution-duration-micros"
MINTED_IDENTITY, MINTED_TOKEN = "spacetime-identity", "spacetime-identity-token"


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who one is, and the proof of it."""

    identity: Identity
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Published:
    """What publishing did: `created` or `updated`, and what is another than before."""

    database_identity: Identity
    operation: str
    difference: SchemaDifference | None = None
    owner: Credentials | None = None  # whom the server made, where we had no token: keep it


@dataclass(frozen=True, slots=True)
class LogLine:
    """A line that the module, or the server about it, has logged."""

    level: str
    message: str
    at: Timestamp
    target: str = ""
    file: str = ""
    line: int | None = None


@dataclass(frozen=True, slots=True)
class CallResult:
    """What a call cost, and what a procedure returned."""

    value: Any = None
    duration: TimeDuration | None = None
    energy: int | None = None


def refusal(answer: Response, asked: str) -> SpacetimeDBError:
    """The error that a status means; `asked` is what was wanted, and where."""
    text = answer.text()[:MAX_ERROR_CHARACTERS].strip()
    if any(each in text for each in NOT_OWNER):
        words = f"{asked}: {text}; take the token of the database's owner"
        return PermissionDenied(answer.status, words)
    match answer.status:
        case 401:
            return AuthError(
                f"{asked}: the server does not accept the token ({text}): get another one with "
                "create_identity()"
            )
        case 404 if not text or text.startswith(NO_DATABASE):
            return DatabaseNotFound(f"{asked}: there is no such database; publish it first")
        case 404 if "/call/" in asked:
            return ReducerInternalError(text)
        case code if code == USER_ERROR:
            return ReducerInternalError(text) if text.startswith(PANIC) else ReducerError(text)
        case 402:
            return OutOfEnergy(text)
        case 400 if asked.endswith("/sql"):
            return QueryError(text)
    return HttpError(answer.status, f"{asked}: {text or 'the server refused, without a word'}")


def published(answer: Response, difference: SchemaDifference | None, *, minted: bool) -> Published:
    match answer.json():
        case {"Success": {"database_identity": str(identity), "op": str(operation)}}:
            owner = credentials_of(answer.headers) if minted else None
            return Published(Identity.from_hex(identity), operation, difference, owner)
    raise HttpError(answer.status, answer.text()[:MAX_ERROR_CHARACTERS])


def credentials_of(headers: Mapping[str, str]) -> Credentials | None:
    """Whom the server made for a request that came without a token."""
    if MINTED_IDENTITY in headers and MINTED_TOKEN in headers:
        return Credentials(Identity.from_hex(headers[MINTED_IDENTITY]), headers[MINTED_TOKEN])
    return None


def call_result(answer: Response, value: Any) -> CallResult:
    energy, micros = answer.headers.get(ENERGY), answer.headers.get(DURATION)
    return CallResult(
        value,
        TimeDuration(int(micros)) if micros and micros.isdigit() else None,
        int(energy) if energy and energy.isdigit() else None,
    )


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


def identity_of_token(token: str) -> Identity | None:
    """Whom a server's own token is of; None for those of other issuers, which only it can tell."""
    try:
        _, claims, _ = token.split(".")
        padded = claims + "=" * (-len(claims) % 4)
        told = json.loads(base64.urlsafe_b64decode(padded))
        return Identity.from_hex(told["hex_identity"])
    except (ValueError, KeyError, TypeError):
        return None
