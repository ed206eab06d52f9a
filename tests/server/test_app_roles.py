"""Every call × every role × no token, at a real server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from socketio.exceptions import ConnectionError as SocketConnectionError

from tests.support.served import Wire
from tests.support.serving import Serving
from watchglass_server.messages import CALLS, NOT_AVAILABLE
from watchglass_server.roles import LEAST_ROLE

pytestmark = pytest.mark.slow

RANK = {"viewer": 1, "editor": 2, "owner": 3, "server": 4}

# What a person with the right may send; it may still be refused for another reason.
FIELDS: dict[str, dict[str, Any]] = {
    "session.rename": {"name": "renamed"},
    "session.share": {"role": "viewer"},
    "session.revoke": {"share": "none"},
    "participant.remove": {"participant": "none"},
    "execute": {"code": "1", "execution": "the-one"},
    "input.reply": {"request": 1, "text": ""},
    "complete": {"code": "", "cursor": 0},
    "inspect": {"code": "", "cursor": 0},
    "is_complete": {"code": "1"},
    "variable.get": {"path": ["x"]},
    "variable.set": {"name": "x", "value": 1},
    "variable.repr": {"path": ["x"]},
    "variable.delete": {"name": "x"},
    "variable.history": {"name": "x"},
    "view.set": {"names": None, "windows": []},
    "watch.add": {"expression": "x"},
    "watch.remove": {"watch": "w"},
    "watch.history": {"watch": "w"},
    "session.bind": {"name": "x", "table": "t", "key": 1},
    "session.unbind": {"name": "x"},
    "output.read": {"execution": "the-one", "offset": 0, "limit": 10},
    "checkpoint.restore": {"checkpoint": "c"},
    "checkpoint.name": {"checkpoint": "c", "name": "n"},
    "script.load": {"path": "a.py"},
    "script.set": {"path": "a.py", "reload": "auto"},
}
WITHOUT_SESSION = {"server.info", "session.create", "session.list"}
# These end what the next row needs; they have tests of their own below.
ENDING = {"session.destroy", "session.leave", "restart"}


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory, cache_dir: Path) -> Iterator[Serving]:
    folder = tmp_path_factory.mktemp("roles")
    with Serving(folder, "--pool-min-size", "1", cache_dir=cache_dir) as server:
        yield server


def fields_of(call: str, session: str) -> dict[str, Any]:
    fields = FIELDS.get(call, {})
    return fields if call in WITHOUT_SESSION else {"session": session, **fields}


def may(role: str, call: str) -> bool:
    least = LEAST_ROLE[call]
    return least == "token" or RANK[role] >= RANK[least]


async def test_each_role_may_call_what_the_table_says_and_nothing_else(serving: Serving) -> None:
    async with await Wire(serving.url).connect(serving.token) as server:
        made = await server.call("session.create")
        session, tokens = made["session"], made["tokens"]
        for role, token in (*tokens.items(), ("server", serving.token)):
            async with await Wire(serving.url).connect(token) as wire:
                for call in sorted(CALLS.keys() - ENDING):
                    answer = await wire.call(call, fields_of(call, session))
                    # A watch that is granted may have an error of its own, which is text.
                    forbidden = not answer["ok"] and answer["error"]["code"] == "forbidden"
                    assert forbidden is not may(role, call), (role, call, answer)
                    if may(role, call) and call in NOT_AVAILABLE:
                        assert answer["error"]["code"] == "not_available", (call, answer)


async def test_a_forbidden_call_changes_nothing(serving: Serving) -> None:
    async with await Wire(serving.url).connect(serving.token) as owner:
        made = await owner.call("session.create")
        session, tokens = made["session"], made["tokens"]
        async with await Wire(serving.url).connect(tokens["viewer"]) as viewer:
            joined = await viewer.call("session.join", session=session)
            for call in sorted(CALLS.keys() - WITHOUT_SESSION):
                if not may("viewer", call):
                    error = await viewer.error(call, fields_of(call, session))
                    assert error["code"] == "forbidden", (call, error)
            again = await viewer.call("session.join", session=session)
            assert again["state"]["seq"] == joined["seq"]


async def test_no_token_opens_no_connection(serving: Serving) -> None:
    for token in (None, "", "wrong", serving.token + "x", 5, ["a"], {"a": 1}):
        wire = Wire(serving.url)
        with pytest.raises(SocketConnectionError):
            await wire.connect(token)
        await wire.close()
        assert {"message": "unauthorized"} in wire.refusals, token


async def test_a_session_token_opens_no_other_session(serving: Serving) -> None:
    async with await Wire(serving.url).connect(serving.token) as server:
        one, other = await server.call("session.create"), await server.call("session.create")
        async with await Wire(serving.url).connect(one["tokens"]["owner"]) as wire:
            for call in sorted(CALLS.keys() - WITHOUT_SESSION):
                for session in (other["session"], "nosuchsession"):
                    error = await wire.error(call, fields_of(call, session))
                    assert error["code"] == "unauthorized", (call, error)
            listed = (await wire.call("session.list"))["sessions"]
            assert [row["session"] for row in listed] == [one["session"]]


async def test_a_connection_holds_several_sessions_each_with_its_role(serving: Serving) -> None:
    async with await Wire(serving.url).connect(serving.token) as server:
        one, other = await server.call("session.create"), await server.call("session.create")
        async with await Wire(serving.url).connect(one["tokens"]["viewer"]) as wire:
            bad = await wire.error("session.join", session=other["session"], token="wrong")
            assert (bad["code"], bad["field"]) == ("unauthorized", "token")
            crossed = one["tokens"]["owner"]
            bad = await wire.error("session.join", session=other["session"], token=crossed)
            assert bad["code"] == "unauthorized"
            editor = other["tokens"]["editor"]
            joined = await wire.call("session.join", session=other["session"], token=editor)
            assert joined["role"] == "editor"
            assert (await wire.call("execute", session=other["session"], code="1"))["ok"]
            error = await wire.error("execute", session=one["session"], code="1")
            assert error["code"] == "forbidden"
            listed = (await wire.call("session.list"))["sessions"]
            assert {row["session"] for row in listed} == {one["session"], other["session"]}


async def test_unknown_sessions_are_told_as_such_to_the_server_token(serving: Serving) -> None:
    async with await Wire(serving.url).connect(serving.token) as server:
        for call in sorted(CALLS.keys() - WITHOUT_SESSION):
            error = await server.error(call, fields_of(call, "nosuchsession"))
            assert error["code"] == "session_not_found", (call, error)
            assert "nosuchsession" in error["message"]


async def test_leaving_restarting_and_destroying_need_their_roles(serving: Serving) -> None:
    async with await Wire(serving.url).connect(serving.token) as server:
        made = await server.call("session.create")
        session, tokens = made["session"], made["tokens"]
        async with (
            await Wire(serving.url).connect(tokens["viewer"]) as viewer,
            await Wire(serving.url).connect(tokens["editor"]) as editor,
            await Wire(serving.url).connect(tokens["owner"]) as owner,
        ):
            for wire in (viewer, editor):
                for call in ("restart", "session.destroy"):
                    assert (await wire.error(call, session=session))["code"] == "forbidden"
                assert (await wire.call("session.leave", session=session))["ok"]
            assert (await owner.call("restart", session=session))["ok"]
            assert (await owner.call("session.destroy", session=session))["ok"]
            gone = await server.error("session.join", session=session)
            assert gone["code"] == "session_not_found"
