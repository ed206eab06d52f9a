"""Why a call is refused: an exception that carries what the caller is told."""

from __future__ import annotations

from watchglass_server.errors import WatchglassError
from watchglass_server.fields import ErrorCode
from watchglass_server.pictures import Variable
from watchglass_server.replies import WireError

# What a client made up is quoted, but not sent back whole.
MESSAGE_MOST = 400
FIELD_MOST = 200


class Refused(WatchglassError):
    """The call is refused and has changed nothing; `error` goes to the caller as it is."""

    def __init__(
        self,
        code: ErrorCode,
        message: str,
        hint: str,
        *,
        field: str | None = None,
        variable: Variable | None = None,
        id: str | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.error = WireError(
            code=code,
            message=message,
            hint=hint,
            field=field,
            variable=variable,
            id=id,
            retry_after_s=retry_after_s,
        )


def bad_request(field: str, message: str, hint: str = "") -> Refused:
    return Refused(
        "bad_request",
        message if len(message) <= MESSAGE_MOST else f"{message[:MESSAGE_MOST]}…",
        hint or "See docs/protocol.md for the fields of this call.",
        field=field[:FIELD_MOST],
    )


def too_fast(whose: str, per_s: float, wait_s: float) -> Refused:
    return Refused(
        "limit_exceeded",
        f"{whose} may make {per_s:g} calls a second (`calls_per_s`), and has made more.",
        f"Wait {wait_s:.2f} s, and call less often; an interrupt always passes.",
        field="calls_per_s",
        retry_after_s=round(wait_s, 3),
    )


def joined_too_often(wait_s: float) -> Refused:
    return Refused(
        "rate_limited",
        "Too many have joined this session by the same share within a short time.",
        f"Wait {wait_s:.2f} s and join again; whoever is in stays in.",
        retry_after_s=round(wait_s, 3),
    )


def session_not_found(session: str) -> Refused:
    return Refused(
        "session_not_found",
        f"There is no session '{session}'.",
        "Call session.list, or run `watchglass sessions`, to see those that there are.",
    )


def no_token(session: str) -> Refused:
    return Refused(
        "unauthorized",
        f"This connection holds no token for session '{session}'.",
        "Call session.join with a token of that session, or open its share link.",
    )


def process_gone(message: str) -> Refused:
    return Refused(
        "process_died", message, "Call execute: it starts a new process with what was kept."
    )
