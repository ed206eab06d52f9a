"""Several clients in one session of a real server: the same events, shares, people, the page."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import jsonschema
import pytest

from tests.support.client import Client
from tests.support.served import Wire, http, refused
from tests.support.serving import Serving

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
CALLS_SCHEMA: dict[str, Any] = json.loads((ROOT / "docs/schemas/calls.json").read_text())
EVENTS_SCHEMA: dict[str, Any] = json.loads((ROOT / "docs/schemas/events.json").read_text())


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory, cache_dir: Path) -> Iterator[Serving]:
    folder = tmp_path_factory.mktemp("sharing")
    arguments = ("--pool-min-size", "1", "--pool-max-size", "30")
    with Serving(folder, *arguments, cache_dir=cache_dir) as server:
        yield server


async def test_two_clients_see_the_same_events_in_the_same_order(serving: Serving) -> None:
    async with (
        Client(serving.url, serving.token, name="Ada") as ada,
        Client(serving.url, serving.token, name="Bob") as bob,
    ):
        session = await ada.create()
        await bob.join(session)
        await asyncio.gather(
            *(ada.run(session, f"a{n} = {n}; print('a', {n})") for n in range(10)),
            *(bob.run(session, f"b{n} = {n}; print('b', {n})") for n in range(10)),
        )
        one, other = ada.log(session), bob.log(session)
        last = max(one.seq, other.seq)
        await one.until(lambda: one.seq >= last, "everything")
        await other.until(lambda: other.seq >= last, "everything")
        shared = range(max(min(one.events), min(other.events)), last + 1)
        assert [one.events[seq] for seq in shared] == [other.events[seq] for seq in shared]
        assert one.variables == other.variables
        assert one.gaps == other.gaps == 0
        numbers = [
            event["data"]["number"]
            for _, event in sorted(one.events.items())
            if event["type"] == "execution.started"
        ]
        assert numbers == sorted(numbers)
        authors = {
            event["data"]["author"]
            for event in one.events.values()
            if event["type"] == "execution.queued"
        }
        assert authors == {"guest-1", "Bob"}


async def test_a_client_that_comes_back_by_since_has_missed_nothing(serving: Serving) -> None:
    async with (
        Client(serving.url, serving.token) as here,
        Client(serving.url, serving.token) as away,
    ):
        session = await here.create()
        await away.join(session)
        await here.run(session, "x = 1")
        await away.close()
        await here.run(session, "for n in range(100): print(n)\nx = 2")
        await away.reconnect()
        await here.run(session, "x = 3")
        one, other = here.log(session), away.log(session)
        await other.until(lambda: other.seq >= one.seq, "everything")
        shared = range(min(other.events), one.seq + 1)
        assert [one.events[seq] for seq in shared] == [other.events[seq] for seq in shared]
        assert other.variables["x"]["value"] == 3


async def test_a_join_by_since_pages_through_more_than_a_thousand_events(serving: Serving) -> None:
    async with await Wire(serving.url).connect(serving.token) as wire:
        session = (await wire.call("session.create"))["session"]
        for n in range(300):
            await wire.call("execute", session=session, code=f"x = {n}", execution=f"e{n}")
            if n % 50 == 49:
                last = f"e{n}"
                await wire.until(lambda: bool(wire.heard("execution.finished", execution=last)))  # noqa: B023
        async with await Wire(serving.url).connect(serving.token) as late:
            seq, seen, pages = 0, [], 0
            while True:
                answer = await late.call("session.join", session=session, since=seq)
                assert len(answer["events"]) <= 1000
                seen += answer["events"]
                pages += 1
                if not answer.get("more"):
                    break
                assert answer["seq"] == answer["events"][-1]["seq"]
                seq = answer["seq"]
            assert pages > 1
            assert [event["seq"] for event in seen] == list(range(1, answer["seq"] + 1))


async def test_joining_without_since_gives_what_the_events_add_up_to(serving: Serving) -> None:
    async with (
        Client(serving.url, serving.token) as first,
        Client(serving.url, serving.token) as late,
    ):
        session = await first.create(name="shown")
        await first.run(
            session, "x = [1, 2]; print('hello'); import sys; print('e', file=sys.stderr)"
        )
        await first.execute(session, "1 / 0")
        await first.run(session, "x")
        state = (await late.join(session))["state"]
        assert state["name"] == "shown"
        printed, failed, shown = state["executions"]
        assert [out["type"] for out in printed["outputs"]] == ["stream", "stream"]
        assert failed["status"] == "error"
        assert failed["outputs"][0]["name"] == "ZeroDivisionError"
        assert shown["outputs"][0]["bundle"]["text/plain"] == "[1, 2]"
        assert {v["name"]: v["value"] for v in state["variables"]}["x"] == [1, 2]
        assert {one["role"] for one in state["participants"]} == {"owner"}


async def test_participants_come_and_go_with_their_connections(serving: Serving) -> None:
    async with await Wire(serving.url).connect(serving.token) as wire:
        made = await wire.call("session.create")
        session = made["session"]
        async with await Wire(serving.url).connect(made["tokens"]["viewer"]) as guest:
            joined = await guest.call("session.join", session=session)
            names = [one["name"] for one in joined["state"]["participants"]]
            assert names == ["guest-1", "guest-2"]
            renamed = await guest.call("session.join", session=session, name="Eve", since=1)
            assert renamed["participant"] == joined["participant"]
        await wire.until(lambda: bool(wire.heard("participant.left", name="Eve")))
        assert [event["type"] for event in wire.events if "participant" in event["type"]] == [
            "participant.joined", "participant.left", "participant.joined", "participant.left",
        ]  # fmt: skip
        assert wire.events[-1]["data"]["name"] == "Eve"


async def test_a_share_link_opens_the_session_until_it_is_revoked(serving: Serving) -> None:
    async with await Wire(serving.url).connect(serving.token) as owner:
        session = (await owner.call("session.create"))["session"]
        share = await owner.call("session.share", session=session, role="viewer", label="class")
        link, _, code = share["link"].partition("/#code=")
        assert link == serving.url
        body = json.dumps({"code": code}).encode()
        status, headers, answer = http(f"{serving.url}/api/token", body=body)
        given = json.loads(answer)
        assert (status, headers["cache-control"]) == (200, "no-store")
        assert (given["session"], given["role"]) == (session, "viewer")
        assert given["token"] == share["token"]
        shares = (await owner.call("session.shares", session=session))["shares"]
        assert [one["label"] for one in shares] == ["owner", "editor", "viewer", "class"]

        by_link = await Wire(serving.url).connect(given["token"])
        await by_link.call("session.join", session=session)
        # Another connection came in by this share only for this session: it goes as well.
        joined_by = await Wire(serving.url).connect(
            (await owner.call("session.create"))["tokens"]["owner"]
        )
        await joined_by.call("session.join", session=session, token=given["token"])

        assert (await owner.call("session.revoke", session=session, share=share["share"]))["ok"]
        await by_link.dropped()
        await joined_by.dropped()
        with pytest.raises(Exception, match="failed to connect"):
            await Wire(serving.url).connect(given["token"])
        assert http(f"{serving.url}/api/token", body=body)[0] == 401
        assert owner.socket.connected


async def test_a_link_ends_after_its_uses_and_after_its_time(serving: Serving) -> None:
    async with await Wire(serving.url).connect(serving.token) as owner:
        session = (await owner.call("session.create"))["session"]
        once = await owner.call("session.share", session=session, role="viewer", max_uses=1)
        body = json.dumps({"code": once["link"].partition("code=")[2]}).encode()
        assert http(f"{serving.url}/api/token", body=body)[0] == 200
        assert http(f"{serving.url}/api/token", body=body)[0] == 403
        brief = await owner.call("session.share", session=session, role="viewer", expires_in_s=0.5)
        guest = await Wire(serving.url).connect(brief["token"])
        await guest.dropped()
        body = json.dumps({"code": brief["link"].partition("code=")[2]}).encode()
        assert http(f"{serving.url}/api/token", body=body)[0] == 401


async def test_an_owner_can_remove_a_participant(serving: Serving) -> None:
    async with await Wire(serving.url).connect(serving.token) as owner:
        made = await owner.call("session.create")
        guest = await Wire(serving.url).connect(made["tokens"]["editor"])
        joined = await guest.call("session.join", session=made["session"])
        removed = await owner.call(
            "participant.remove", session=made["session"], participant=joined["participant"]
        )
        assert removed["ok"]
        await guest.dropped()


async def test_a_destroyed_session_says_so_and_is_gone(serving: Serving) -> None:
    async with await Wire(serving.url).connect(serving.token) as owner:
        made = await owner.call("session.create")
        session = made["session"]
        guest = await Wire(serving.url).connect(made["tokens"]["viewer"])
        await guest.call("session.join", session=session)
        await owner.call("session.destroy", session=session)
        await guest.until(lambda: bool(guest.heard("session.destroyed")))
        listed = (await owner.call("session.list"))["sessions"]
        assert session not in {row["session"] for row in listed}
        with pytest.raises(Exception, match="failed to connect"):
            await Wire(serving.url).connect(made["tokens"]["owner"])
        await guest.close()


async def test_an_execution_id_is_executed_once_however_often_it_is_sent(
    serving: Serving,
) -> None:
    async with Client(serving.url, serving.token) as client:
        session = await client.create()
        await client.run(session, "count = 0")
        answers = await asyncio.gather(
            *(
                client.call("execute", session=session, code="count += 1", execution="once")
                for _ in range(10)
            )
        )
        assert {(a["execution"], a["number"]) for a in answers} == {("once", 2)}
        await client.run(session, "pass")
        assert await client.value(session, "count") == 1
        for n in range(60):  # until only the journal knows it
            await client.run(session, f"n = {n}")
        again = await client.call("execute", session=session, code="count += 1", execution="once")
        assert (again["number"], again["queued_behind"]) == (2, 0)
        assert await client.value(session, "count") == 1
        error = await refused(client, "execute", session=session, code="other", execution="once")
        assert error["code"] == "conflict"


async def test_input_is_answered_once_by_whoever_is_first(serving: Serving) -> None:
    async with (
        Client(serving.url, serving.token) as one,
        Client(serving.url, serving.token) as other,
    ):
        session = await one.create()
        await other.join(session)
        execution = await one.submit(session, "name = input('who? ')")
        asked = await other.log(session).event("input.requested")
        assert asked["data"]["prompt"] == "who? "
        state = (await Client.call(other, "session.join", session=session))["state"]
        assert state["inputs"][0]["request"] == asked["data"]["request"]
        await other.call("input.reply", session=session, request=1, text="Zoë 🐍")
        late = await refused(one, "input.reply", session=session, request=1, text="late")
        assert late["code"] == "conflict"
        await one.log(session).event("execution.finished", execution=execution, status="ok")
        assert await one.value(session, "name") == "Zoë 🐍"


async def test_a_flood_is_cut_for_everybody_and_kept_whole(serving: Serving) -> None:
    async with Client(serving.url, serving.token) as client:
        session = await client.create()
        ran = await client.run(session, "for n in range(300_000): print(n)")
        whole = "".join(f"{n}\n" for n in range(300_000))
        assert whole.startswith(ran.stdout)
        assert 200_000 < len(ran.stdout) < 600_000
        truncated = [
            event["data"]
            for event in client.log(session).events.values()
            if event["type"] == "stream.truncated"
        ][-1]
        tail = "".join(part["text"] for part in truncated["tail"])
        assert whole.endswith(tail)
        assert len(ran.stdout) + truncated["dropped_bytes"] + len(tail) == len(whole)
        read, text = 0, ""
        while True:
            page = await client.call(
                "output.read", session=session, execution=ran.execution, offset=read,
                limit=1_000_000,
            )  # fmt: skip
            text += "".join(chunk["text"] for chunk in page["chunks"])
            read = len(text)
            if read >= page["total"]:
                break
        assert text == whole


async def test_questions_are_answered_while_code_runs_and_interrupts_end_it(
    serving: Serving,
) -> None:
    async with Client(serving.url, serving.token) as client:
        session = await client.create()
        log = client.log(session)
        await client.run(session, "class Unit:\n    hp = 10\nunit = Unit()")
        execution = await client.submit(session, "while True: pass")
        await log.event("execution.started", execution=execution)
        found = await client.call("complete", session=session, code="unit.h", cursor=6)
        assert "hp" in [match["text"] for match in found["matches"]]
        assert (await client.call("is_complete", session=session, code="if x:"))["status"] == (
            "incomplete"
        )
        await client.call("variable.set", session=session, name="y", value=5)
        assert await client.value(session, "y") == 5
        after = asyncio.create_task(
            client.call("variable.set", session=session, name="z", value=6, when="after")
        )
        await asyncio.sleep(0.1)
        assert not after.done()
        assert (await client.call("interrupt", session=session, execution="other"))[
            "interrupted"
        ] is False
        assert (await client.call("interrupt", session=session))["interrupted"] is True
        await log.event("execution.finished", execution=execution, status="interrupted")
        assert (await after)["variable"]["value"] == 6


async def test_code_that_ignores_an_interrupt_is_ended_after_the_grace(serving: Serving) -> None:
    async with Client(serving.url, serving.token) as client:
        session = await client.create()
        log = client.log(session)
        await client.run(session, "kept = 1")
        stubborn = (
            "while True:\n    try:\n        print('in')\n        while True: pass\n"
            "    except BaseException: pass"
        )
        execution = await client.submit(session, stubborn)
        queued = await client.submit(session, "never = 1")
        await log.event("stream", execution=execution)
        await client.call("interrupt", session=session)
        told = await log.event("process.state", reason="interrupting")
        assert told["data"]["grace_s"] == 5
        await log.event("execution.finished", execution=execution, status="interrupted")
        await log.event("execution.finished", execution=queued, status="cancelled")
        dead = await log.event("process.state", state="dead")
        assert dead["data"]["exit"]["cause"] == "interrupt-ignored"
        error = await refused(client, "variable.get", session=session, path=["kept"])
        assert error["code"] == "process_died"
        assert (await client.run(session, "kept")).result == "1"
        reset = await log.event("state.reset")
        assert reset["data"]["reason"] == "recovered"


async def test_limits_end_an_execution_and_not_the_session(serving: Serving) -> None:
    async with Client(serving.url, serving.token) as client:
        session = await client.create(limits={"wall_s": 0.5})
        assert (await client.execute(session, "while True: pass")).status == "timeout"
        assert (await client.run(session, "1 + 1")).result == "2"
        session = await client.create(limits={"cpu_s": 0.5})
        assert (await client.execute(session, "while True: pass")).status == "timeout"
        assert (await client.run(session, "import time; time.sleep(1)")).status == "ok"


async def test_a_restart_empties_the_namespace_and_goes_on_counting(serving: Serving) -> None:
    async with Client(serving.url, serving.token) as client:
        session = await client.create()
        await client.run(session, "x = 1")
        running = await client.submit(session, "while True: pass")
        await client.call("restart", session=session)
        log = client.log(session)
        await log.event("execution.finished", execution=running, status="interrupted")
        await log.event("state.reset", reason="restarted")
        assert (await client.execute(session, "x")).error is not None
        listed = await client.call("execution.list", session=session)
        assert [one["number"] for one in listed["executions"]] == [1, 2, 3]


async def test_answers_and_events_are_what_the_schemas_say(serving: Serving) -> None:
    """Each acknowledgement and event of a session, held against docs/schemas."""
    async with await Wire(serving.url).connect(serving.token) as wire:

        async def checked(event: str, **fields: Any) -> Any:
            schema = CALLS_SCHEMA["calls"][event]
            answer = await wire.call(event, **fields)
            for part, value in (("command", fields), ("acknowledgement", answer)):
                rules = {**schema[part], "$defs": CALLS_SCHEMA["$defs"]}
                jsonschema.Draft202012Validator(rules).validate(value)
            return answer

        session = (await checked("session.create", name="s"))["session"]
        await checked("server.info")
        await checked("execute", session=session, code="x = [1]; print(x); x", execution="e1")
        await checked("execute", session=session, code="1/0", execution="e2")
        await checked("execute", session=session, code="input('?')", execution="e3")
        await wire.until(lambda: bool(wire.heard("input.requested")))
        await checked("input.reply", session=session, request=1, text="a")
        await wire.until(lambda: len(wire.heard("execution.finished")) == 3)
        await checked("complete", session=session, code="x.", cursor=2)
        await checked("inspect", session=session, code="print", cursor=5)
        await checked("is_complete", session=session, code="1")
        await checked("variable.get", session=session, path=["x"])
        await checked("variable.get", session=session, path=["x", {"index": 0}])
        await checked("variable.set", session=session, name="y", value={"a": [None, True, 1.5]})
        await checked("variable.set", session=session, path=["x", {"index": 0}], expression="2")
        await checked("variable.repr", session=session, path=["x"])
        await checked("variable.history", session=session, name="x")
        await checked("variable.delete", session=session, name="y")
        await checked("execution.list", session=session, limit=2)
        await checked("output.read", session=session, execution="e1", offset=0, limit=10)
        await checked("session.usage", session=session)
        await checked("session.list")
        await checked("session.rename", session=session, name="t")
        share = (await checked("session.share", session=session, role="viewer"))["share"]
        await checked("session.shares", session=session)
        await checked("session.revoke", session=session, share=share)
        await checked("interrupt", session=session)
        await checked("session.join", session=session, since=1)
        await checked("session.join", session=session)
        await checked("session.fork", session=session)
        await checked("restart", session=session)
        await checked("session.leave", session=session)
        await checked("session.destroy", session=session)
        assert len({event["type"] for event in wire.events}) >= 10
        for event in wire.events:
            jsonschema.Draft202012Validator(EVENTS_SCHEMA).validate(event)


async def test_a_client_that_does_not_read_is_dropped_and_the_others_go_on(
    serving: Serving,
) -> None:
    async with (
        Client(serving.url, serving.token) as client,
        aiohttp.ClientSession() as http_session,
    ):
        session = await client.create()
        url = serving.url.replace("http", "ws") + "/socket.io/?EIO=4&transport=websocket"
        deaf = await http_session.ws_connect(url, max_msg_size=2**26)
        await deaf.send_str("40" + json.dumps({"token": serving.token}))
        await deaf.send_str("420" + json.dumps(["session.join", {"session": session}]))
        await client.log(session).event("participant.joined", name="guest-2")
        connection = deaf._response.connection
        assert connection is not None
        connection.protocol.pause_reading()  # type: ignore[union-attr]
        large = "display({'text/plain': 'x' * 1_000_000}, raw=True)"
        for _ in range(60):
            await client.run(session, large)
        await client.log(session).event("participant.left", name="guest-2")
        assert (await client.run(session, "1 + 1")).result == "2"


# --- plain HTTP


def test_the_page_comes_with_headers_that_keep_it_safe(serving: Serving) -> None:
    status, headers, body = http(serving.url + "/")
    assert (status, headers["content-type"]) == (200, "text/html; charset=utf-8")
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["x-frame-options"] == "DENY"
    assert serving.token.encode() not in body


def test_health_and_figures_are_there(serving: Serving) -> None:
    status, _, body = http(f"{serving.url}/healthz")
    assert (status, json.loads(body)) == (200, {"status": "ok"})
    status, headers, body = http(f"{serving.url}/metrics", token=serving.token)
    assert status == 200
    assert headers["content-type"].startswith("text/plain")
    assert b'watchglass_pool_processes{state="warm"}' in body


async def test_a_session_is_exported_and_imported_again(serving: Serving) -> None:
    async with Client(serving.url, serving.token) as client:
        session = await client.create(name='a "name"\n/../ü')
        await client.run(session, "x = 41")
        await client.run(session, "print('hi'); x + 1")
        for file_format in ("py", "ipynb", "json"):
            path = f"{serving.url}/api/sessions/{session}/export?format={file_format}"
            status, headers, body = http(path, token=serving.token)
            assert status == 200, body
            assert "attachment" in headers["content-disposition"]
            name = f"{serving.url}/api/sessions/import?format={file_format}&name=again"
            status, _, answer = http(name, token=serving.token, body=body)
            assert status == 200, answer
            imported = json.loads(answer)["session"]
            state = (await client.join(imported))["state"]
            assert [one["code"].strip() for one in state["executions"]] == [
                "x = 41", "print('hi'); x + 1",
            ]  # fmt: skip
            assert state["name"] == "again"
            assert (await client.run(imported, "1 + 1")).result == "2"
        status, _, _ = http(
            f"{serving.url}/api/sessions/{session}/export?format=exe", token=serving.token
        )
        assert status == 400
