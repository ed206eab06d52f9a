"""All shares of all sessions: which token opens what."""

from __future__ import annotations

import asyncio
import heapq
import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import msgspec
from msgspec.structs import replace

from watchglass_server.clock import Clock
from watchglass_server.fields import Role
from watchglass_server.pictures import Share
from watchglass_server.refusals import Refused, bad_request
from watchglass_server.tokens import (
    StoredShare,
    hashed,
    is_same,
    new_id,
    new_secret,
    read_share,
    token_of,
)
from watchglass_sync.journal import Journal
from watchglass_sync.records import ShareRecord, ShareRevoked

SHARES_PER_SESSION = 1000


@dataclass(frozen=True, slots=True)
class Grant:
    """What a session token gives: a role in one session, by a share."""

    session: str
    role: Role
    share: str


@dataclass(frozen=True, slots=True)
class NewShare:
    """A share just made, with its secrets, which are nowhere else."""

    share: StoredShare
    code: str = field(repr=False)
    token: str = field(repr=False)


class Shares:
    """The shares, in memory for the questions and in the journal for the next start."""

    def __init__(self, journal: Journal, clock: Clock) -> None:
        self._journal = journal
        self._clock = clock
        self._by_id: dict[str, StoredShare] = {}
        self._by_token: dict[str, str] = {}
        self._by_code: dict[str, str] = {}
        self._ends: list[tuple[float, str]] = []

    async def load(self) -> None:
        """Read what the journal has."""
        for row in await self._journal.shares():
            self._keep(read_share(row.fields))

    def make(
        self,
        session: str,
        role: Role,
        *,
        label: str | None,
        expires_in_s: float | None = None,
        max_uses: int | None = None,
    ) -> NewShare:
        """Make a share; `store` makes it last."""
        if len(self.of(session)) >= SHARES_PER_SESSION:
            raise Refused(
                "limit_exceeded",
                f"This session has {SHARES_PER_SESSION:,} shares.",
                "Revoke some with session.revoke.",
            )
        code, salt = new_secret(), new_secret()
        token = token_of(code, salt)
        expires = None if expires_in_s is None else self._clock.epoch_s() + expires_in_s
        share = StoredShare(
            share=new_id("s"),
            session=session,
            role=role,
            label=label,
            created_at=self._clock.now().time,
            code_hash=hashed(code),
            token_hash=hashed(token),
            expires_at=None if expires is None else self._clock.text(expires),
            expires_epoch_s=expires,
            max_uses=max_uses,
            salt=salt,
        )
        self._keep(share)
        return NewShare(share, code, token)

    def store(self, share: StoredShare) -> asyncio.Future[None]:
        """Write a share to the journal."""
        fields = msgspec.to_builtins(share)
        return self._journal.append(share.session, [ShareRecord(share.share, fields)])

    def grant(self, token: str) -> Grant | None:
        """What the token opens now; None when it opens nothing."""
        share = self._by_id.get(self._by_token.get(hashed(token), ""))
        if share is None or not is_same(token, share.token_hash):
            return None
        if share.is_over(self._clock.epoch_s()):
            return None
        return Grant(share.session, share.role, share.share)

    def is_open(self, share: str) -> bool:
        """True while the share opens its session."""
        known = self._by_id.get(share)
        return known is not None and not known.is_over(self._clock.epoch_s())

    async def exchange(self, code: str) -> tuple[StoredShare, str]:
        """The share of a link's code, and its token."""
        share = self._by_id.get(self._by_code.get(hashed(code), ""))
        if share is None or not is_same(code, share.code_hash):
            raise _opens_nothing()
        if share.is_over(self._clock.epoch_s()):
            raise Refused(
                "unauthorized",
                "This link is no longer valid: its time has passed.",
                "Ask the person who sent it for a new one.",
            )
        if share.max_uses is not None and share.uses >= share.max_uses:
            raise Refused(
                "limit_exceeded",
                "This link was used as often as it may be.",
                "Ask the person who sent it for a new one.",
            )
        # Counted before anything is waited for: of two at once only one gets the last use.
        used = replace(share, uses=share.uses + 1)
        self._by_id[used.share] = used
        await self.store(used)
        if not self.is_open(used.share):  # it was revoked meanwhile
            raise _opens_nothing()
        return used, token_of(code, share.salt)

    def of(self, session: str) -> list[StoredShare]:
        """The shares of a session that are open, the oldest first."""
        now = self._clock.epoch_s()
        return [
            one for one in self._by_id.values() if one.session == session and not one.is_over(now)
        ]

    async def revoke(
        self, session: str, share: str, ended: Callable[[str], Awaitable[None]]
    ) -> None:
        """End a share, telling of it at once; then make that last."""
        known = self._by_id.get(share)
        if known is None or known.session != session:
            raise bad_request(
                "share",
                f"There is no share '{share}' of this session.",
                "Call session.shares to see them.",
            )
        self._drop(known)
        await ended(share)
        await self._journal.append(session, [ShareRevoked(share)])

    def forget(self, session: str) -> list[str]:
        """End all shares of a session that is gone; the journal drops them with it."""
        gone = [one for one in self._by_id.values() if one.session == session]
        for one in gone:
            self._drop(one)
        return [one.share for one in gone]

    @property
    def next_end_s(self) -> float:
        """When, in seconds since 1970, the next share's time may be over; infinity: never."""
        return self._ends[0][0] if self._ends else math.inf

    async def end_expired(self, ended: Callable[[str], Awaitable[None]]) -> None:
        """Drop the shares whose time has passed, telling of each."""
        over: list[StoredShare] = []
        while self.next_end_s <= self._clock.epoch_s():
            _, share = heapq.heappop(self._ends)
            if (known := self._by_id.get(share)) is not None:
                self._drop(known)
                over.append(known)
        for one in over:
            await ended(one.share)
        for one in over:
            await self._journal.append(one.session, [ShareRevoked(one.share)])

    def _keep(self, share: StoredShare) -> None:
        self._by_id[share.share] = share
        self._by_token[share.token_hash] = share.share
        self._by_code[share.code_hash] = share.share
        if share.expires_epoch_s is not None:
            heapq.heappush(self._ends, (share.expires_epoch_s, share.share))

    def _drop(self, share: StoredShare) -> None:
        self._by_id.pop(share.share, None)
        self._by_token.pop(share.token_hash, None)
        self._by_code.pop(share.code_hash, None)


def _opens_nothing() -> Refused:
    return Refused(
        "unauthorized",
        "This link opens nothing: it was revoked, or is not complete.",
        "Ask the person who sent it for a new one.",
    )


def shown_share(share: StoredShare) -> Share:
    """A share as its owner sees it."""
    return Share(
        share=share.share,
        role=share.role,
        label=share.label,
        expires_at=share.expires_at,
        created_at=share.created_at,
        max_uses=share.max_uses,
        uses=share.uses,
    )
