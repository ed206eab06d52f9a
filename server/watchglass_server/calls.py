"""What each call does: a checked command of one client → what it is acknowledged with."""

from __future__ import annotations

from typing import Protocol

import msgspec

from watchglass_server import commands as c
from watchglass_server import replies as r
from watchglass_server import session_inputs as i
from watchglass_server.binding_calls import BindingCalls
from watchglass_server.bindings import Bindings
from watchglass_server.call_answers import (
    executions_page,
    joined_events,
    output_page,
)
from watchglass_server.config import Config
from watchglass_server.fields import MAX_ANSWER_BYTES, MAX_MESSAGE_BYTES, OF_COMMANDS, Role
from watchglass_server.given_scripts import GivenScripts
from watchglass_server.live_session import LiveSession
from watchglass_server.live_views import LiveViews
from watchglass_server.logins import Logins
from watchglass_server.manager import PyodideManager
from watchglass_server.messages import CALLS, NOT_AVAILABLE
from watchglass_server.names import clean_name
from watchglass_server.refusals import Refused, bad_request, no_token
from watchglass_server.rooms import Caller, Client, Membership, Rooms
from watchglass_server.script_calls import ScriptCalls
from watchglass_server.session_limits import server_limits, shown_limits
from watchglass_server.session_process_link import wake
from watchglass_server.session_view import session_state
from watchglass_server.sessions import Sessions
from watchglass_server.shares import Grant, Shares, shown_share
from watchglass_server.tokens import new_id
from watchglass_server.variable_calls import Perform, PerformForAny, VariableCalls, author_of
from watchglass_server.version import VERSION
from watchglass_server.watch_calls import WatchCalls
from watchglass_sync.journal import Journal


class Drops(Protocol):
    """Ends connections."""

    async def drop(self, client: Client) -> None:
        """End one."""
        ...

    async def drop_share(self, share: str) -> None:
        """End those that came in by a share."""
        ...


class Calls:
    """Performs calls. Roles were checked before (gateway.py)."""

    def __init__(
        self,
        config: Config,
        *,
        sessions: Sessions,
        shares: Shares,
        logins: Logins,
        rooms: Rooms,
        journal: Journal,
        manager: PyodideManager,
        drops: Drops,
        views: LiveViews,
        scripts: GivenScripts,
        bindings: Bindings,
    ) -> None:
        self._config = config
        self._sessions = sessions
        self._shares = shares
        self._logins = logins
        self._rooms = rooms
        self._journal = journal
        self._manager = manager
        self._drops = drops
        variables = VariableCalls(sessions, journal, views)
        self._performs_for_any: dict[type[c.Command], PerformForAny] = {
            c.ExecuteCommand: self._execute,
            c.InterruptCommand: self._interrupt,
            c.SessionDestroyCommand: self._destroy,
            **variables.performs_for_any,
        }
        self._performs: dict[type[c.Command], Perform] = {
            **self._performs_for_any,
            c.ServerInfoCommand: self._server_info,
            c.SessionCreateCommand: self._create,
            c.SessionListCommand: self._list,
            c.SessionJoinCommand: self._join,
            c.SessionLeaveCommand: self._leave,
            c.SessionRenameCommand: self._rename,
            c.SessionUsageCommand: self._usage,
            c.SessionShareCommand: self._share,
            c.SessionSharesCommand: self._list_shares,
            c.SessionRevokeCommand: self._revoke,
            c.ParticipantRemoveCommand: self._remove_participant,
            c.ExecutionListCommand: self._list_executions,
            c.RestartCommand: self._restart,
            c.InputReplyCommand: self._reply_input,
            c.OutputReadCommand: self._read_output,
            **variables.performs,
            **ScriptCalls(sessions, scripts, author_of).performs,
            **WatchCalls(sessions, journal).performs,
            **BindingCalls(sessions, bindings).performs,
        }

    async def perform(self, client: Client, event: str, command: c.Command) -> r.Reply:
        """Perform a call. Raises Refused."""
        if isinstance(command, c.SessionCommand):
            self._keep_pace(client, event, command.session)
        if event in NOT_AVAILABLE:
            if isinstance(command, c.SessionCommand):
                await self._open(command)
            raise Refused(
                "not_available",
                f"'{event}' is not available: {NOT_AVAILABLE[event]}.",
                "Call server.info for the calls that this server answers.",
            )
        return await self._performs[type(command)](client, command)

    async def perform_for_any(
        self, caller: Caller, event: str, command: c.SessionCommand
    ) -> r.Reply:
        """Perform one of the calls that need no connection. Raises Refused."""
        self._keep_pace(caller, event, command.session)
        return await self._performs_for_any[type(command)](caller, command)

    async def create(self, command: c.SessionCreateCommand, session: str | None) -> LiveSession:
        """Make a session, with this id if it is not None; one that has it already is the one."""
        if session is not None and self._sessions.exists(session):
            return await self._sessions.open(session)
        return await self._sessions.create(_named(command.name), command.limits, session)

    def _keep_pace(self, caller: Caller, event: str, session: str) -> None:
        """Refuse a call that comes too soon after others, where the session has its own limit."""
        live = self._sessions.in_memory(session)
        per_s = live.state.limits.calls_per_s if live is not None else None
        if per_s is not None and per_s != self._config.max_rate:
            caller.keep_pace(event, f"A connection to session '{session}'", per_s, session)

    async def open(self, command: c.SessionCommand) -> None:
        """Have the session in memory, so that the call waits for nothing before it begins."""
        await self._open(command)

    def leave_all(self, client: Client) -> None:
        """A connection is gone."""
        for session in list(client.memberships):
            self._out(client, session)

    # --- the server

    async def _server_info(self, client: Client, command: c.ServerInfoCommand) -> r.Reply:
        config, ready = self._config, self._manager.ready
        return r.ServerInfoReply(
            version=VERSION,
            python=ready.python if ready else None,
            pyodide=ready.pyodide if ready else None,
            node=ready.node if ready else None,
            watcher=ready.rung if ready else None,
            isolation=config.isolation,
            limits=r.ServerLimits(
                **msgspec.to_builtins(shown_limits(server_limits(config))),
                message_bytes=MAX_MESSAGE_BYTES,
                answer_bytes=MAX_ANSWER_BYTES,
                idle_s=config.idle_limit,
                interrupt_grace_s=config.interrupt_grace,
                processes=config.pool_max_size,
                sessions=config.max_sessions,
            ),
            features=[name for name in CALLS if name not in NOT_AVAILABLE],
        )

    # --- sessions

    async def _create(self, client: Client, command: c.SessionCreateCommand) -> r.Reply:
        live = await self.create(command, None)
        made: dict[Role, str] = {}
        roles: tuple[Role, ...] = ("owner", "editor", "viewer")
        for role in roles:
            new = self._shares.make(live.session, role, label=role)
            await self._shares.store(new.share)
            made[role] = new.token
        member = Membership(new_id("p"), "owner", None)
        self._rooms.enter(client, live.session, member)
        live.apply(i.Join(member.participant, None, "owner"))
        state = session_state(live.state.fold, shown_limits(live.state.limits))
        self._rooms.promise(client, live.session, state.seq)
        await live.durable()
        return r.SessionCreateReply(
            session=live.session,
            role="owner",
            tokens=r.SessionTokens(**made),
            state=state,
        )

    async def _list(self, client: Client, command: c.SessionListCommand) -> r.Reply:
        if client.is_server:
            return r.SessionListReply(sessions=self._sessions.summaries())
        only = set(client.memberships)
        if client.grant is not None:
            only.add(client.grant.session)
        return r.SessionListReply(sessions=self._sessions.summaries(frozenset(only)))

    async def _join(self, client: Client, command: c.SessionJoinCommand) -> r.Reply:
        role, share = self.role_for_join(client, command)
        live = await self._open(command)
        if not client.is_server:
            live.keep_join_pace(share)
        member = client.memberships.get(live.session)
        if member is None:
            _refuse_when_full(live)
            member = Membership(new_id("p"), role, share)
            self._rooms.enter(client, live.session, member)
        else:
            member.role, member.share = role, share
        self._rooms.withhold(client, live.session)
        live.apply(i.Join(member.participant, _named(command.name), role))
        wake(live)
        return await self._joined(client, live, member, command.since)

    def role_for_join(
        self, client: Client, command: c.SessionJoinCommand
    ) -> tuple[Role, str | None]:
        """The role that the command's token gives, or else the connection's own. Raises Refused."""
        if command.token is not None and not client.is_server:
            grant = self._grant(client, command.token)
            if grant is None or grant.session != command.session:
                raise Refused(
                    "unauthorized",
                    f"This token does not open session '{command.session}'.",
                    "Ask an owner of the session for a new link.",
                    field="token",
                )
            return grant.role, grant.share
        role = client.role_in(command.session)
        if role is None:
            raise no_token(command.session)
        member = client.memberships.get(command.session)
        if member is not None:
            return role, member.share
        return role, client.grant.share if client.grant else None

    def _grant(self, client: Client, token: str) -> Grant | None:
        try:
            return self._logins.admit(token, client.address)
        except Refused as refusal:
            if refusal.error.code == "rate_limited":
                raise
            return None

    async def _joined(
        self, client: Client, live: LiveSession, member: Membership, since: int | None
    ) -> r.Reply:
        """Say what the client has missed; the events that come later are kept for it."""
        seq = live.state.fold.seq
        if since is None or since > seq:
            state = session_state(live.state.fold, shown_limits(live.state.limits))
            self._rooms.promise(client, live.session, seq)
            await live.durable()
            return r.SessionJoinReply(
                role=member.role, seq=seq, participant=member.participant, state=state
            )
        self._rooms.promise(client, live.session, seq)
        await live.durable()
        events = await joined_events(self._journal, live.session, since, seq)
        reached = events[-1].seq if events else seq
        if reached < seq:
            self._rooms.withhold(client, live.session)
        return r.SessionJoinReply(
            role=member.role,
            seq=reached,
            participant=member.participant,
            events=events,
            more=reached < seq,
        )

    async def _leave(self, client: Client, command: c.SessionLeaveCommand) -> r.Reply:
        await self._open(command)
        self._out(client, command.session)
        return r.EmptyReply()

    def _out(self, client: Client, session: str) -> None:
        member = self._rooms.leave(client, session)
        live = self._sessions.in_memory(session)
        if member is not None and live is not None:
            live.apply(i.Leave(member.participant))

    async def _rename(self, client: Client, command: c.SessionRenameCommand) -> r.Reply:
        live = await self._open(command)
        live.apply(i.Rename(clean_name(command.name)))
        await live.durable()
        return r.EmptyReply()

    async def _destroy(self, caller: Caller, command: c.SessionDestroyCommand) -> r.Reply:
        live = await self._open(command)
        await self._sessions.destroy(live, f"{author_of(caller, live) or 'somebody'} ended it")
        # Whoever came in by a share of it has nothing left here, but keeps its other sessions.
        self._shares.forget(command.session)
        return r.EmptyReply()

    async def _usage(self, client: Client, command: c.SessionUsageCommand) -> r.Reply:
        live = await self._open(command)
        return r.SessionUsageReply(limits=shown_limits(live.state.limits), usage=live.usage())

    # --- shares and people

    async def _share(self, client: Client, command: c.SessionShareCommand) -> r.Reply:
        await self._open(command)
        made = self._shares.make(
            command.session,
            command.role,
            label=_named(command.label),
            expires_in_s=command.expires_in_s,
            max_uses=command.max_uses,
        )
        await self._shares.store(made.share)
        return r.SessionShareReply(
            share=made.share.share,
            link=f"{client.origin}/#code={made.code}",
            token=made.token,
            expires_at=made.share.expires_at,
        )

    async def _list_shares(self, client: Client, command: c.SessionSharesCommand) -> r.Reply:
        await self._open(command)
        found = self._shares.of(command.session)
        return r.SessionSharesReply(shares=[shown_share(share) for share in found])

    async def _revoke(self, client: Client, command: c.SessionRevokeCommand) -> r.Reply:
        await self._open(command)
        await self._shares.revoke(command.session, command.share, self._drops.drop_share)
        return r.EmptyReply()

    async def _remove_participant(
        self, client: Client, command: c.ParticipantRemoveCommand
    ) -> r.Reply:
        await self._open(command)
        for other in self._rooms.members(command.session):
            if other.memberships[command.session].participant == command.participant:
                await self._drops.drop(other)
                return r.EmptyReply()
        raise bad_request(
            "participant",
            f"Nobody in this session is '{command.participant}'.",
            "See `participants` in the session's state.",
        )

    # --- executions

    async def _execute(self, caller: Caller, command: c.ExecuteCommand) -> r.Reply:
        live = await self._open(command)
        key = command.execution or new_id("e")
        if isinstance(caller, Client) and OF_COMMANDS.fullmatch(key):
            raise bad_request(
                "execution",
                f"Ids like '{key}' are for commands of the mirror.",
                "Choose one that begins with another letter.",
            )
        async with live.executing:
            known = await self._stored_execution(live, command, key)
            if known is None:
                author = author_of(caller, live)
                live.apply(i.Execute(key, command.code, author, by_owner=caller.is_server))
        await live.durable()
        return self._accepted(live, key, known)

    async def _stored_execution(
        self, live: LiveSession, command: c.ExecuteCommand, key: str
    ) -> int | None:
        """The number of an execution so long ago that only the journal knows it."""
        fold = live.state.fold
        if command.execution is None or fold.execution(key) is not None:
            return None
        if fold.execution_count <= len(fold.executions):
            return None
        stored = await self._journal.execution(live.session, key)
        if stored is None:
            return None
        if stored.data.get("code") != command.code:
            raise Refused(
                "conflict",
                f"Execution '{key}' was sent before with other code.",
                "Choose a new id for new code.",
            )
        return stored.number

    def _accepted(self, live: LiveSession, key: str, number: int | None) -> r.Reply:
        fold = live.state.fold
        one = fold.execution(key)
        unfinished = [other for other in fold.executions if other.finished_at is None]
        behind = 0
        if one is not None and one.finished_at is None:
            behind = sum(other.number < one.number for other in unfinished)
        return r.ExecuteReply(
            execution=key,
            number=one.number if one is not None else number or 0,
            queued_behind=behind,
        )

    async def _interrupt(self, caller: Caller, command: c.InterruptCommand) -> r.Reply:
        live = await self._open(command)
        running = live.state.running
        hits = running is not None and command.execution in (None, running.execution)
        live.apply(i.Interrupt(command.execution))
        return r.InterruptReply(interrupted=hits)

    async def _restart(self, client: Client, command: c.RestartCommand) -> r.Reply:
        live = await self._open(command)
        live.apply(i.Restart())
        await live.durable()
        return r.EmptyReply()

    async def _reply_input(self, client: Client, command: c.InputReplyCommand) -> r.Reply:
        live = await self._open(command)
        live.apply(i.AnswerInput(command.request, command.text))
        await live.durable()
        return r.EmptyReply()

    async def _list_executions(self, client: Client, command: c.ExecutionListCommand) -> r.Reply:
        live = await self._open(command)
        await live.durable()
        fold = live.state.fold
        return await executions_page(self._journal, fold, command.before, command.limit)

    async def _read_output(self, client: Client, command: c.OutputReadCommand) -> r.Reply:
        live = await self._open(command)
        await live.durable()
        known = live.state.fold.execution(command.execution)
        if known is None and not await self._journal.execution(live.session, command.execution):
            raise bad_request(
                "execution",
                f"There is no execution '{command.execution}' in this session.",
                "Call execution.list to see them.",
            )
        return await output_page(
            self._journal, live.session, command.execution, command.offset, command.limit
        )

    # --- inside

    async def _open(self, command: c.SessionCommand) -> LiveSession:
        return await self._sessions.open(command.session)


def _refuse_when_full(live: LiveSession) -> None:
    most = live.state.limits.participants
    if len(live.state.fold.participants) >= most:
        raise Refused(
            "limit_exceeded",
            f"{most:,} are in this session already (`participants`).",
            "Come back when somebody has left, or ask an owner to remove somebody.",
            field="participants",
        )


def _named(name: str | None) -> str | None:
    return None if name is None else clean_name(name)
