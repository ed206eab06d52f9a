"""Tokens and share codes: random, kept as hashes, compared in constant time. No I/O here."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping

import msgspec
from msgspec import Struct

from watchglass_server.fields import Role

SESSION_LENGTH = 12
_LETTERS = "abcdefghijklmnopqrstuvwxyz234567"


class StoredShare(Struct, frozen=True, kw_only=True):
    """One way into a session, as it is stored: nothing in it opens anything."""

    share: str
    session: str
    role: Role
    label: str | None
    created_at: str
    code_hash: str
    token_hash: str
    expires_at: str | None = None
    expires_epoch_s: float | None = None
    max_uses: int | None = None
    uses: int = 0
    salt: str = ""

    def is_over(self, now_s: float) -> bool:
        """True when its time has passed."""
        return self.expires_epoch_s is not None and now_s >= self.expires_epoch_s


def read_share(fields: Mapping[str, object]) -> StoredShare:
    """A share as the journal gives it back."""
    return msgspec.convert(fields, StoredShare)


def new_id(prefix: str = "") -> str:
    """A random id that cannot be guessed and is easy to read aloud."""
    return prefix + "".join(secrets.choice(_LETTERS) for _ in range(SESSION_LENGTH))


def new_secret() -> str:
    """A random token or code: 256 bits, safe in an address."""
    return secrets.token_urlsafe(32)


def hashed(secret: str) -> str:
    """What is kept of a secret: of 256 random bits one plain hash is enough."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def is_same(secret: str, expected_hash: str) -> bool:
    """True when the secret is the one whose hash this is; takes as long either way."""
    return hmac.compare_digest(hashed(secret), expected_hash)


def token_of(code: str, salt: str) -> str:
    """The session token that a share's code stands for: the same at every exchange.

    Only the server knows the salt: whoever has a link of which no use is left cannot make the
    token of it.
    """
    words = b"watchglass session token" + salt.encode()
    digest = hmac.digest(code.encode("utf-8", "surrogatepass"), words, "sha256")
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")
