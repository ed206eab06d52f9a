"""How many wrong tokens and codes one address, and all of them together, may try. No I/O here."""

from __future__ import annotations

import ipaddress
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

ADDRESS_TRIES = 20
ADDRESS_TRY_EVERY_S = 3.0
ALL_TRIES = 200
ALL_TRY_EVERY_S = 0.3
ADDRESSES_KEPT = 10_000


@dataclass(slots=True)
class Tries:
    """What is left of a number of tries that comes back with time."""

    most: int
    every_s: float
    left: float
    at_s: float

    def wait_s(self, now_s: float) -> float:
        """How long until the next try; 0: now."""
        self._refill(now_s)
        return 0.0 if self.left >= 1 else (1 - self.left) * self.every_s

    def take(self, now_s: float) -> None:
        """Use one."""
        self._refill(now_s)
        self.left = max(0.0, self.left - 1)

    def is_full(self, now_s: float) -> bool:
        """True when nothing has to be remembered."""
        self._refill(now_s)
        return self.left >= self.most

    def _refill(self, now_s: float) -> None:
        self.left = min(self.most, self.left + max(0.0, now_s - self.at_s) / self.every_s)
        self.at_s = now_s


class LoginLimits:
    """Wrong tokens by address. An address that has sent none is never kept waiting.

    So whoever guesses from many addresses has one try from each once the tries of all are used
    up, and whoever has the right token from elsewhere always comes in.
    """

    def __init__(self, now_s: Callable[[], float]) -> None:
        self._now_s = now_s
        self._by_address: OrderedDict[str, Tries] = OrderedDict()
        self._all = Tries(ALL_TRIES, ALL_TRY_EVERY_S, ALL_TRIES, now_s())

    def __len__(self) -> int:
        """How many addresses are remembered."""
        return len(self._by_address)

    def wait_s(self, address: str | None) -> float:
        """How long this address has to wait before it may try a token; 0: not at all."""
        now = self._now_s()
        tries = self._by_address.get(_network(address))
        if tries is None:
            return 0.0
        return max(tries.wait_s(now), 0.0 if tries.is_full(now) else self._all.wait_s(now))

    def failed(self, address: str | None) -> None:
        """Count a wrong token or code."""
        now, key = self._now_s(), _network(address)
        tries = self._by_address.pop(key, None)
        if tries is None:
            tries = Tries(ADDRESS_TRIES, ADDRESS_TRY_EVERY_S, ADDRESS_TRIES, now)
        tries.take(now)
        self._all.take(now)
        self._by_address[key] = tries
        while len(self._by_address) > ADDRESSES_KEPT:
            self._by_address.popitem(last=False)


def _network(address: str | None) -> str:
    """One host is free to choose among 2**64 addresses of IPv6."""
    try:
        known = ipaddress.ip_address((address or "").partition("%")[0])
    except ValueError:
        return address or ""
    if known.version == 4:
        return str(known)
    if known.ipv4_mapped is not None:
        return str(known.ipv4_mapped)
    return str(ipaddress.ip_network((known, 64), strict=False))
