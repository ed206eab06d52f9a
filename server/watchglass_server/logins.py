"""Who holds which token: every token and every code that comes in is looked at here."""

from __future__ import annotations

import math

from watchglass_server.login_limits import LoginLimits
from watchglass_server.refusals import Refused
from watchglass_server.shares import Grant, Shares
from watchglass_server.tokens import StoredShare, is_same

TOKEN_LENGTH_MOST = 512


class Logins:
    """The server token's hash, the shares, and the patience with those who guess."""

    def __init__(self, token_hash: str, shares: Shares, limits: LoginLimits) -> None:
        self._token_hash = token_hash
        self._shares = shares
        self._limits = limits

    def admit(self, token: object, address: str | None) -> Grant | None:
        """What the token opens; None for the server token. Raises Refused."""
        if not isinstance(token, str) or not 0 < len(token) <= TOKEN_LENGTH_MOST:
            raise _no_token()
        self._must_not_wait(address)
        if is_same(token, self._token_hash):
            return None
        grant = self._shares.grant(token)
        if grant is None:
            self._limits.failed(address)
            raise _no_token()
        return grant

    async def exchange(self, code: str, address: str | None) -> tuple[StoredShare, str]:
        """The share of a link's code, and its token. Raises Refused."""
        self._must_not_wait(address)
        try:
            return await self._shares.exchange(code)
        except Refused as refusal:
            if refusal.error.code == "unauthorized":
                self._limits.failed(address)
            raise

    def _must_not_wait(self, address: str | None) -> None:
        wait_s = math.ceil(self._limits.wait_s(address))
        if wait_s > 0:
            raise Refused(
                "rate_limited",
                "Too many wrong tokens came from this address.",
                f"Try again in {wait_s} s.",
                retry_after_s=wait_s,
            )


def _no_token() -> Refused:
    return Refused(
        "unauthorized",
        "This token opens nothing: it was revoked, has expired, or is not complete.",
        "Use the address that the server printed, or ask an owner of the session for a new link.",
    )
