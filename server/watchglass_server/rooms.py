"""Who is in which session, and which of its events each has been promised."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

from watchglass_server import json_wire
from watchglass_server.fields import Role
from watchglass_server.live_sender import LiveSender
from watchglass_server.outbox import Outbox
from watchglass_server.rates import TokenBucket
from watchglass_server.refusals import too_fast
from watchglass_server.shares import Grant


@dataclass(slots=True)
class Membership:
    """One client in one session. `after`: the `seq` from which on it gets events, if it does."""

    participant: str
    role: Role
    share: str | None
    after: int | None = None
    held: list[tuple[int, str]] | None = None


@dataclass(eq=False, slots=True, kw_only=True)
class Caller:
    """Who makes calls, over whichever wire. `client`: an id of ours; `name`: where it has one."""

    client: str
    name: str | None = None
    # How fast it calls: in all (""), and to sessions with a limit of their own.
    rates: dict[str, TokenBucket] = field(default_factory=dict)

    @property
    def is_server(self) -> bool:
        """True when it may do all that the server token opens."""
        raise NotImplementedError

    def role_in(self, session: str) -> Role | None:
        """The role that it has there now."""
        raise NotImplementedError

    def participant_in(self, session: str) -> str | None:
        """Which participant it is there, if it can be one and has joined."""
        del session
        return None

    def keep_pace(self, event: str, whose: str, per_s: float, key: str = "") -> None:
        """Refuse a call that comes too soon after others, but never one that stops code."""
        if event == "interrupt":
            return
        clock = monotonic()
        bucket = self.rates.get(key)
        if bucket is None or bucket.per_s != per_s:
            bucket = self.rates[key] = TokenBucket(per_s, clock)
        wait_s = bucket.take(clock)
        if wait_s:
            raise too_fast(whose, per_s, wait_s)


@dataclass(eq=False, slots=True, kw_only=True)
class Client(Caller):
    """One live connection. `grant` None: it holds the server token."""

    grant: Grant | None
    outbox: Outbox
    live: LiveSender
    origin: str
    is_open: Callable[[str], bool]
    address: str | None = None
    memberships: dict[str, Membership] = field(default_factory=dict)
    calls: int = 0

    @property
    def is_server(self) -> bool:
        """True for the server token."""
        return self.grant is None

    def role_in(self, session: str) -> Role | None:
        """The role that this connection has there now: it ends with the share it came by."""
        if self.is_server:
            return "owner"
        member = self.memberships.get(session)
        if member is not None and member.share is not None:
            return member.role if self.is_open(member.share) else None
        if self.grant is not None and self.grant.session == session:
            return self.grant.role if self.is_open(self.grant.share) else None
        return None

    def participant_in(self, session: str) -> str | None:
        """Which participant it is there, if it has joined."""
        member = self.memberships.get(session)
        return member.participant if member is not None else None

    def came_by(self, share: str) -> bool:
        """True when this connection depends on the share."""
        if self.grant is not None and self.grant.share == share:
            return True
        return any(member.share == share for member in self.memberships.values())


class Rooms:
    """All clients, by session."""

    def __init__(self) -> None:
        self._rooms: dict[str, set[Client]] = {}

    def enter(self, client: Client, session: str, member: Membership) -> None:
        """Put a client into a session; it gets no events yet."""
        client.memberships[session] = member
        self._rooms.setdefault(session, set()).add(client)

    def leave(self, client: Client, session: str) -> Membership | None:
        """Take a client out of a session."""
        room = self._rooms.get(session, set())
        room.discard(client)
        if not room:
            self._rooms.pop(session, None)
        client.live.views.pop(session, None)
        client.rates.pop(session, None)
        return client.memberships.pop(session, None)

    def members(self, session: str) -> list[Client]:
        """The clients in a session."""
        return list(self._rooms.get(session, ()))

    def promise(self, client: Client, session: str, after: int) -> None:
        """From now on keep the events after this one for the client, until `release`."""
        member = client.memberships[session]
        member.after = after
        member.held = []

    def withhold(self, client: Client, session: str) -> None:
        """Send no events: the client is catching up page by page."""
        member = client.memberships.get(session)
        if member is not None:
            member.after = member.held = None

    def release(self, client: Client, session: str) -> None:
        """Send what was kept, and from now on everything at once."""
        member = client.memberships.get(session)
        if member is None or member.held is None:
            return
        held, member.held = member.held, None
        for seq, packet in held:
            if member.after is not None and seq > member.after:
                client.outbox.put(packet)

    def publish(self, session: str, events: Sequence[dict[str, Any]]) -> None:
        """Send stored events to everybody in the session; each is written as text once."""
        room = self._rooms.get(session)
        if not room:
            return
        packets = [(event["seq"], event_packet(event)) for event in events]
        for client in list(room):
            member = client.memberships[session]
            if member.after is None:
                continue
            if member.held is not None:
                member.held.extend(packets)
                continue
            for seq, packet in packets:
                if seq > member.after:
                    client.outbox.put(packet)


def event_packet(event: dict[str, Any]) -> str:
    """A Socket.IO EVENT packet (type 2) of the namespace `/`."""
    return "2" + json_wire.dumps(["event", event])
