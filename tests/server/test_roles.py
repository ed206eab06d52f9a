"""The table of roles, against the contract's own table."""

from __future__ import annotations

import pytest

from watchglass_server.fields import Role
from watchglass_server.refusals import Refused
from watchglass_server.roles import at_least, check_role

ROLES: tuple[Role, ...] = ("viewer", "editor", "owner")
VIEWER = ("session.join", "execution.list", "output.read", "variable.get", "complete", "inspect")
EDITOR = (
    "execute", "interrupt", "input.reply", "variable.set", "variable.delete", "watch.add",
    "checkpoint.restore", "session.fork",
)  # fmt: skip
OWNER = (
    "session.rename", "restart", "session.hibernate", "session.destroy", "session.share",
    "participant.remove", "session.revoke",
)  # fmt: skip


@pytest.mark.parametrize(
    ("least", "calls"), [("viewer", VIEWER), ("editor", EDITOR), ("owner", OWNER)]
)
def test_a_role_may_call_what_needs_it_or_less(least: Role, calls: tuple[str, ...]) -> None:
    for call in calls:
        for role in ROLES:
            if at_least(role, least):
                check_role(call, role, server_token=False)
            else:
                with pytest.raises(Refused, match="forbidden"):
                    check_role(call, role, server_token=False)


def test_only_the_server_token_creates_sessions() -> None:
    check_role("session.create", None, server_token=True)
    for role in (None, *ROLES):
        with pytest.raises(Refused, match="forbidden"):
            check_role("session.create", role, server_token=False)


def test_no_role_is_less_than_every_role() -> None:
    with pytest.raises(Refused, match="forbidden"):
        check_role("session.join", None, server_token=False)
