"""Which pages may talk to this server, and under which names it may be called. No I/O here."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

_LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
_PORTS = {"http": 80, "https": 443}
# RFC 9110, 7.2, without what no browser sends: user names, escapes, a zone of an address.
_HOST = re.compile(r"(?:\[([0-9a-fA-F:.]{2,45})\]|([0-9A-Za-z._-]{1,253}))(?::([0-9]{1,5}))?")
_ORIGIN = re.compile(r"(https?)://([^/?#@\\\s]+)")


@dataclass(frozen=True, slots=True)
class Host:
    """A name or address, in small letters, and the port that was written behind it."""

    name: str
    port: int | None


def read_host(text: str) -> Host | None:
    """What a Host header says; None when it is none that a browser would send."""
    found = _HOST.fullmatch(text)
    if found is None or (found[3] is not None and int(found[3]) > 65535):
        return None
    if found[1] is not None and _address(found[1]) is None:
        return None
    return Host((found[1] or found[2]).lower(), None if found[3] is None else int(found[3]))


class Origins:
    """The rules for the headers Origin, Host and Sec-Fetch-Site."""

    def __init__(
        self, host: str, allowed: tuple[str, ...], machine_names: tuple[str, ...] = ()
    ) -> None:
        """`host`: what the server listens at; `allowed`: origins beside its own."""
        self.allowed = frozenset(one.lower() for one in allowed)
        self._is_local = is_loopback(host)
        names = {host, *machine_names, *(f"{name}.local" for name in machine_names)}
        self._names = _LOCAL_NAMES | {name.lower() for name in names if name}
        for one in self.allowed:
            if known := read_host(one.partition("://")[2]):
                self._names |= {known.name}

    def is_allowed(self, origin: str, host: str) -> bool:
        """True for the server's own page, and for those that were allowed."""
        return origin.lower() in self.allowed or self.is_own(origin, host)

    def is_own(self, origin: str, host: str) -> bool:
        """True when a page of this server sent it."""
        parts = _ORIGIN.fullmatch(origin)
        if parts is None:
            return False
        page, called = read_host(parts[2]), read_host(host)
        if page is None or called is None or page.name != called.name:
            return False
        # Behind a proxy the scheme may differ from ours; name and port may not.
        usual = _PORTS[parts[1]]
        return (page.port or usual) == (called.port or usual)

    def is_host_known(self, host: str) -> bool:
        """False for a foreign name that was made to point at this server (DNS rebinding)."""
        called = read_host(host)
        if called is None:
            return False
        # Nobody can make an address point elsewhere: only names are asked for.
        return called.name in self._names or (
            not self._is_local and _address(called.name) is not None
        )

    def is_site_foreign(self, site: str | None, origin: str | None, host: str) -> bool:
        """True when a browser says (Sec-Fetch-Site) that another page asks, which is not allowed.

        Script elements and images of foreign pages ask without an Origin.
        """
        if site in (None, "same-origin", "none"):
            return False
        return origin is None or not self.is_allowed(origin, host)


def is_loopback(host: str) -> bool:
    """True when only this machine can reach the address."""
    if host == "localhost":
        return True
    address = _address(host)
    return address is not None and address.is_loopback


def shown_host(host: str) -> str:
    """The host as it stands in an address that a person can open."""
    if host in ("0.0.0.0", "::", ""):
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
