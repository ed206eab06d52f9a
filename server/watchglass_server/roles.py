"""Who may call what: one table, checked in one place (gateway.py)."""

from __future__ import annotations

from typing import Literal

from watchglass_server.fields import Role
from watchglass_server.refusals import Refused

# "token": any valid token opens it. "server": the server token only.
Least = Literal["token", "viewer", "editor", "owner", "server"]

LEAST_ROLE: dict[str, Least] = {
    "server.info": "token",
    "session.list": "token",
    "session.create": "server",
    # session.join brings a token of its own; the gateway finds the role that it gives.
    "session.join": "viewer",
    "session.leave": "viewer",
    "session.usage": "viewer",
    "execution.list": "viewer",
    "complete": "viewer",
    "inspect": "viewer",
    "is_complete": "viewer",
    "variable.get": "viewer",
    "variable.repr": "viewer",
    "variable.history": "viewer",
    "watch.history": "viewer",
    "output.read": "viewer",
    "frames": "viewer",
    "view.set": "viewer",
    "checkpoint.list": "viewer",
    "script.list": "viewer",
    "execute": "editor",
    "interrupt": "editor",
    "input.reply": "editor",
    "variable.set": "editor",
    "variable.delete": "editor",
    "watch.add": "editor",
    "watch.remove": "editor",
    "checkpoint.restore": "editor",
    "checkpoint.name": "editor",
    "script.load": "editor",
    "script.set": "editor",
    "session.fork": "editor",
    "session.rename": "owner",
    "session.destroy": "owner",
    "session.hibernate": "owner",
    "session.share": "owner",
    "session.shares": "owner",
    "session.revoke": "owner",
    "session.bind": "owner",
    "session.unbind": "owner",
    "participant.remove": "owner",
    "restart": "owner",
}

# Over HTTP. A path that is not here needs the server token, so that none is forgotten.
LEAST_FOR_PATH: dict[str, Least | Literal["anyone"]] = {
    "/healthz": "anyone",
    "/{path}": "anyone",  # the files of the page, which are in every wheel
    "/api/token": "anyone",  # the code in the body decides
    "/socket.io/": "anyone",  # the token in the CONNECT packet decides (gateway.py)
    "/api/sessions/{session}/export": "viewer",
    "/api/sessions/import": "server",
    "/metrics": "server",
}

_RANK: dict[Role | None, int] = {None: 0, "viewer": 1, "editor": 2, "owner": 3}


def check_role(call: str, role: Role | None, *, server_token: bool) -> None:
    """Refuse the call unless the role, or the server token, allows it."""
    least = LEAST_ROLE[call]
    if least == "token" or server_token:
        return
    if least == "server":
        raise Refused(
            "forbidden",
            f"'{call}' needs the server token.",
            "Use the address that the server printed when it started.",
        )
    if _RANK[role] < _RANK[least]:
        raise Refused(
            "forbidden",
            f"'{call}' needs the role {least}; this connection is {role}.",
            f"Ask an owner of the session for a link with the role {least}.",
        )


def at_least(role: Role, least: Role) -> bool:
    """True when `role` may do all that `least` may."""
    return _RANK[role] >= _RANK[least]
