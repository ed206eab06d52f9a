"""A real server that watches a folder, and real processes: load, change, reload, import."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.client import Client, Json
from tests.support.served import refused
from tests.support.serving import Serving

pytestmark = pytest.mark.slow

EVENT_WITHIN_S = 5.0
Write = Callable[[str, str], None]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("scripts")


@pytest.fixture(scope="module")
def watching(
    tmp_path_factory: pytest.TempPathFactory, cache_dir: Path, folder: Path
) -> Iterator[Serving]:
    arguments = ("--pool-min-size", "1", "--watch", str(folder))
    with Serving(tmp_path_factory.mktemp("server"), *arguments, cache_dir=cache_dir) as serving:
        yield serving


@pytest.fixture
async def ada(watching: Serving) -> AsyncIterator[Client]:
    async with Client(watching.url, watching.token) as client:
        yield client


@pytest.fixture
def write(folder: Path) -> Write:
    def write(path: str, text: str) -> None:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)

    return write


async def listed(client: Client, session: str, path: str) -> Json:
    """The line of one file, as soon as the server has it."""
    answer: Json = {}
    for _ in range(100):
        answer = await client.call("script.list", session=session)
        for entry in answer["scripts"]:
            if entry["path"] == path:
                return dict(entry)
        await asyncio.sleep(0.05)
    raise AssertionError(f"no {path} in {answer}")


async def load(client: Client, session: str, path: str, **fields: Any) -> Json:
    await listed(client, session, path)
    answer = await client.call("script.load", session=session, path=path, **fields)
    await client.log(session).event("execution.finished", execution=answer["execution"])
    return answer


async def test_a_script_is_loaded_changed_and_reloaded_with_other_variables_kept(
    ada: Client, write: Write
) -> None:
    write("battle.py", "damage = 3\ndef hit(hp):\n    return hp - damage\n")
    session = await ada.create()
    await ada.run(session, "hp = 10")
    first = await load(ada, session, "battle.py")
    assert (await ada.run(session, "hit(hp)")).result == "7"
    write("battle.py", "damage = 5\ndef hit(hp):\n    return hp - damage\n")
    told = await ada.log(session).event("script.changed", timeout=EVENT_WITHIN_S)
    assert told["data"]["path"] == "battle.py"
    entry = await listed(ada, session, "battle.py")
    assert (entry["kind"], entry["reload"]) == ("script", "ask")
    assert entry["loaded"] == first["version"] != entry["version"] == told["data"]["version"]
    assert (await ada.run(session, "hit(hp)")).result == "7"
    await load(ada, session, "battle.py")
    assert (await ada.run(session, "hit(hp), hp")).result == "(5, 10)"
    entry = await listed(ada, session, "battle.py")
    assert entry["loaded"] == entry["version"]


async def test_with_auto_a_change_runs_by_itself_behind_what_runs(
    ada: Client, write: Write
) -> None:
    write("speed.py", "speed = 1\n")
    session = await ada.create()
    await load(ada, session, "speed.py", reload="auto")
    slow = await ada.submit(
        session,
        "import time\nuntil = time.time() + 2\nwhile time.time() < until: pass\nseen = speed",
    )
    await ada.log(session).event("execution.started", execution=slow)
    write("speed.py", "speed = 2\n")
    told = await ada.log(session).event("script.changed", timeout=EVENT_WITHIN_S)
    run = await ada.log(session).event("execution.queued", after=told["seq"], author="watch")
    assert run["data"]["code"] == "speed = 2\n"
    assert run["data"]["script"]["path"] == "speed.py"
    await ada.log(session).event("execution.finished", execution=run["data"]["execution"])
    assert await ada.value(session, "seen") == 1
    assert await ada.value(session, "speed") == 2
    await ada.call("script.set", session=session, path="speed.py", reload="ask")
    write("speed.py", "speed = 3\n")
    await ada.log(session).event(
        "script.changed", after=run["seq"], timeout=EVENT_WITHIN_S, path="speed.py"
    )
    assert await ada.value(session, "speed") == 2


async def test_a_syntax_error_is_shown_and_nothing_is_lost(ada: Client, write: Write) -> None:
    write("broken.py", "good = 1\n")
    session = await ada.create()
    await load(ada, session, "broken.py", reload="auto")
    write("broken.py", "good = 2\ndef (:\n")
    error = await ada.log(session).event("error", timeout=EVENT_WITHIN_S * 2)
    assert (error["data"]["name"], error["data"]["line"]) == ("SyntaxError", 2)
    assert 'File "broken.py <In[2]>", line 2' in "\n".join(error["data"]["traceback"])
    assert await ada.value(session, "good") == 1
    write("broken.py", "good = 3\n")
    finished = await ada.log(session).event(
        "execution.finished", after=error["seq"] + 1, status="ok", timeout=EVENT_WITHIN_S * 2
    )
    assert finished
    assert await ada.value(session, "good") == 3


async def test_a_module_is_imported_and_reloaded_with_its_instances_kept(
    ada: Client, write: Write
) -> None:
    write("game/units.py", "class Unit:\n    hp = 10\n    def show(self):\n        return 'old'\n")
    session = await ada.create()
    await listed(ada, session, "game/units.py")
    await ada.run(session, "from game import units\nfrom game.units import Unit\nada = Unit()")
    entry = await listed(ada, session, "game/units.py")
    assert (entry["kind"], entry["loaded"]) == ("module", entry["version"])
    write("game/units.py", "class Unit:\n    hp = 20\n    def show(self):\n        return 'new'\n")
    told = await ada.log(session).event("script.changed", timeout=EVENT_WITHIN_S)
    assert told["data"]["kind"] == "module"
    answer = await load(ada, session, "game/units.py")
    assert answer["kind"] == "module"
    shown = await ada.run(session, "ada.show(), Unit().show(), units.Unit is Unit, ada.hp")
    assert shown.result == "('old', 'new', True, 10)"
    entry = await listed(ada, session, "game/units.py")
    assert entry["loaded"] == entry["version"] == answer["version"]


async def test_an_imported_module_reloads_by_itself_and_its_traceback_names_the_file(
    ada: Client, write: Write
) -> None:
    write("dice.py", "def roll():\n    return 1\n")
    session = await ada.create()
    await listed(ada, session, "dice.py")
    await ada.run(session, "import dice")
    await ada.call("script.set", session=session, path="dice.py", reload="auto")
    write("dice.py", "# another\ndef roll():\n    return 1 / 0\n")
    run = await ada.log(session).event("execution.queued", author="watch", timeout=EVENT_WITHIN_S)
    await ada.log(session).event("execution.finished", execution=run["data"]["execution"])
    ran = await ada.execute(session, "dice.roll()")
    assert ran.error is not None
    text = "\n".join(ran.error["traceback"])
    assert 'File "/watched/dice.py", line 3, in roll\n    return 1 / 0' in text


async def test_a_restart_forgets_what_was_imported_and_not_how_to_import_it(
    ada: Client, write: Write
) -> None:
    write("weapons.py", "sharp = 1\n")
    session = await ada.create()
    await listed(ada, session, "weapons.py")
    await ada.run(session, "import weapons")
    write("weapons.py", "sharp = 2\n")
    await ada.log(session).event("script.changed", timeout=EVENT_WITHIN_S)
    await ada.call("restart", session=session)
    assert (await listed(ada, session, "weapons.py"))["loaded"] is None
    assert (await ada.run(session, "import weapons\nweapons.sharp")).result == "2"


async def test_the_page_about_scripts_says_what_happens(ada: Client, write: Write) -> None:
    page = (Path(__file__).parents[2] / "docs/scripts.md").read_text()
    file, code = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    (again,) = re.findall(r"with `(army.*?)`", page)
    write("units.py", file)
    session = await ada.create()
    await listed(ada, session, "units.py")
    await ada.run(session, code)
    write("units.py", file.replace("-= 3", "-= 100"))
    await ada.log(session).event("script.changed", path="units.py", timeout=EVENT_WITHIN_S)
    await ada.run(session, "before = [strongest]\n" + "%reload units.py")
    follows = "strongest is units.strongest, strongest is before[0]"
    hits = "army[0].hit(), units.Unit().hit()"
    shown = await ada.run(session, f"{follows}, {hits}")
    assert shown.result == "(True, False, 4, -90)"
    assert (await ada.run(session, f"{again}\narmy[0].hit()")).result == "-96"


async def test_a_deleted_file_is_told_and_can_no_longer_be_loaded(
    ada: Client, write: Write, folder: Path
) -> None:
    write("gone.py", "kept = 1\n")
    session = await ada.create()
    await load(ada, session, "gone.py")
    (folder / "gone.py").unlink()
    told = await ada.log(session).event("script.changed", timeout=EVENT_WITHIN_S)
    assert told["data"] == {"path": "gone.py", "version": None, "kind": "script"}
    assert (await listed(ada, session, "gone.py"))["version"] is None
    error = await refused(ada, "script.load", session=session, path="gone.py")
    assert (error["code"], error["field"]) == ("bad_request", "path")
    assert await ada.value(session, "kept") == 1


async def test_only_files_of_the_list_are_loaded_whatever_a_client_asks_for(
    ada: Client, write: Write, folder: Path
) -> None:
    (folder.parent / "outside.py").write_text("secret = 1\n")
    (folder / "leads_out.py").symlink_to(folder.parent / "outside.py")
    (folder / "huge.py").write_bytes(b"#" * 2_000_000)
    write("ok.py", "fine = 1\n")
    session = await ada.create()
    await listed(ada, session, "ok.py")
    refusals = (await ada.call("script.list", session=session))["refused"]
    why = {one["path"]: one["why"] for one in refusals}
    assert "leads out" in why["leads_out.py"]
    assert "2,000,000 bytes" in why["huge.py"]
    hostile = [
        *("../outside.py", str(folder.parent / "outside.py"), "./ok.py", "x/../ok.py", "OK.PY"),
        *("leads_out.py", "huge.py", "ok.py\x00", "/etc/passwd", "ok", "%2e%2e/outside.py"),
    ]
    for path in hostile:
        for call in ("script.load", "script.set"):
            fields = {"reload": "auto"}
            error = await refused(ada, call, session=session, path=path, **fields)
            assert (error["code"], error["field"]) == ("bad_request", "path"), path
    wrong: list[dict[str, Any]] = [
        {"path": ""},
        {"path": 7},
        {"path": "ok.py", "reload": "x"},
        {"path": "ok.py", "kind": "shell"},
        {},
    ]
    for fields in wrong:
        error = await refused(ada, "script.load", session=session, **fields)
        assert error["code"] == "bad_request", fields
    assert "secret" not in ada.log(session).variables


async def test_a_viewer_lists_and_an_editor_loads(
    ada: Client, watching: Serving, write: Write
) -> None:
    write("roles.py", "role = 1\n")
    created = await ada.call("session.create")
    session, tokens = created["session"], created["tokens"]
    await listed(ada, session, "roles.py")
    async with Client(watching.url, tokens["viewer"]) as viewer:
        assert (await viewer.call("script.list", session=session))["watching"] is True
        for call in ("script.load", "script.set"):
            error = await refused(viewer, call, session=session, path="roles.py", reload="auto")
            assert error["code"] == "forbidden"
    async with Client(watching.url, tokens["editor"]) as editor:
        answer = await editor.call("script.load", session=session, path="roles.py")
        assert answer["kind"] == "script"


async def test_what_changed_while_a_session_slept_is_reloaded_when_it_wakes(
    tmp_path: Path, cache_dir: Path
) -> None:
    folder = tmp_path / "scripts"
    folder.mkdir()
    (folder / "pace.py").write_text("pace = 1\n")
    (folder / "horses.py").write_text("class Horse:\n    legs = 4\n")
    arguments = ("--pool-min-size", "1", "--token", "t" * 20, "--watch", str(folder))
    serving = Serving(tmp_path, *arguments, cache_dir=cache_dir)
    with serving:
        async with Client(serving.url, serving.token) as client:
            session = await client.create()
            await load(client, session, "pace.py", reload="auto")
            await client.run(session, "import horses\nhorse = horses.Horse()\nother = 5")
    (folder / "pace.py").write_text("pace = 2\n")
    with serving:
        async with Client(serving.url, serving.token) as client:
            await client.join(session)
            run = await client.log(session).event("execution.queued", author="watch")
            await client.log(session).event(
                "execution.finished", execution=run["data"]["execution"]
            )
            shown = await client.run(session, "pace, other, type(horse) is horses.Horse")
            assert shown.result == "(2, 5, True)"
            entry = await listed(client, session, "horses.py")
            assert (entry["kind"], entry["loaded"]) == ("module", entry["version"])


async def test_a_folder_without_notifications_is_looked_at(tmp_path: Path, cache_dir: Path) -> None:
    folder = tmp_path / "scripts"
    folder.mkdir()
    (folder / "a.py").write_text("a = 1\n")
    by_looking = {"WATCHFILES_FORCE_POLLING": "true", "WATCHGLASS_WATCH": str(folder)}
    arguments = ("--pool-min-size", "1")
    with Serving(tmp_path, *arguments, cache_dir=cache_dir, environment=by_looking) as serving:
        async with Client(serving.url, serving.token) as client:
            session = await client.create()
            await load(client, session, "a.py")
            (folder / "a.py").write_text("a = 2222\n")
            await client.log(session).event("script.changed", timeout=EVENT_WITHIN_S)


async def test_a_folder_that_is_replaced_is_followed_again(tmp_path: Path, cache_dir: Path) -> None:
    folder = tmp_path / "scripts"
    folder.mkdir()
    (folder / "a.py").write_text("a = 1\n")
    arguments = ("--pool-min-size", "1", "--watch", str(folder))
    with Serving(tmp_path, *arguments, cache_dir=cache_dir) as serving:
        async with Client(serving.url, serving.token) as client:
            session = await client.create()
            await load(client, session, "a.py")
            log = client.log(session)
            folder.rename(tmp_path / "old")
            gone = await log.event("script.changed", version=None, timeout=EVENT_WITHIN_S)
            folder.mkdir()
            (folder / "a.py").write_text("a = 2\n")
            back = await log.event("script.changed", after=gone["seq"], timeout=EVENT_WITHIN_S)
            await asyncio.sleep(2)  # it is watched again by now
            (folder / "a.py").write_text("a = 3\n")
            await log.event("script.changed", after=back["seq"], timeout=EVENT_WITHIN_S)


async def test_without_watch_there_is_nothing_to_load(client: Client) -> None:
    session = await client.create()
    answer = await client.call("script.list", session=session)
    assert (answer["watching"], answer["scripts"]) == (False, [])
    error = await refused(client, "script.load", session=session, path="a.py")
    assert error["code"] == "not_available"
    assert "--watch" in error["hint"]


def test_a_folder_that_is_not_there_stops_the_start(tmp_path: Path, cache_dir: Path) -> None:
    missing = tmp_path / "missing"
    serving = Serving(tmp_path, "--watch", str(missing), cache_dir=cache_dir)
    with pytest.raises(AssertionError, match="there is no such folder"):
        serving.start()
