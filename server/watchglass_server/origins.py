"""Which pages may talk to this server, and under which names it may be called. No I/O here."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

_LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})


class Origins:
    """The rules for the headers Origin and Host."""

    def __init__(self, host: str, allowed: tuple[str, ...]) -> None:
        """`host`: what the server listens at; `allowed`: origins beside its own."""
        self.allowed = frozenset(allowed)
        self._is_local = is_loopback(host)
        self._names = _LOCAL_NAMES | {host} | {urlsplit(one).hostname or "" for one in allowed}

    def is_allowed(self, origin: str, host: str) -> bool:
        """True for the server's own page, and for those that were allowed."""
        return origin in self.allowed or self.is_own(origin, host)

    def is_own(self, origin: str, host: str) -> bool:
        """True when a page of this server sent it."""
        parts = urlsplit(origin)
        # Behind a proxy the scheme may differ from ours; name and port may not.
        return parts.scheme in ("http", "https") and bool(host) and parts.netloc == host

    def is_host_known(self, host: str) -> bool:
        """False for a foreign name that was made to point at a local server (DNS rebinding)."""
        return not self._is_local or (urlsplit(f"//{host}").hostname or "") in self._names


def is_loopback(host: str) -> bool:
    """True when only this machine can reach the address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def shown_host(host: str) -> str:
    """The host as it stands in an address that a person can open."""
    if host in ("0.0.0.0", "::", ""):
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host
