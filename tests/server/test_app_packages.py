"""%pip in sessions of a real server: installed, refused, there again, and not to be forged."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.client import Client
from tests.support.package_index import PackageIndex
from tests.support.serving import Serving
from tests.support.wheels import hostile_wheel, make_wheel

pytestmark = pytest.mark.slow

Start = Callable[..., Serving]


@pytest.fixture
def index() -> Iterator[PackageIndex]:
    with PackageIndex() as started:
        started.add(make_wheel("dice", "1.0"))
        game = {"game/__init__.py": b"import dice\nlevel = 1\n", "game/map.txt": b"##"}
        started.add(make_wheel("the-game", "2.0", requires=["dice"], files=game))
        yield started


def forget_packages(cache_dir: Path) -> None:
    shutil.rmtree(cache_dir / "watchglass" / "packages", ignore_errors=True)


@pytest.fixture
def start(tmp_path: Path, cache_dir: Path, index: PackageIndex) -> Iterator[Start]:
    """Starts a server on this test's folder, with an index on loopback."""
    forget_packages(cache_dir)
    started: list[Serving] = []

    def start(*arguments: str) -> Serving:
        fixed = ("--pool-min-size", "1", "--token", "t" * 20, "--package-index", index.url)
        serving = Serving(tmp_path, *fixed, *arguments, cache_dir=cache_dir)
        started.append(serving)
        serving.start()
        return serving

    yield start
    for serving in started:
        serving.kill()


async def guest_of(owner: Client, session: str) -> Client:
    """Somebody who came in by a share link, as an editor."""
    share = await owner.call("session.share", session=session, role="editor")
    guest = Client(owner.url, share["token"], name="Guest")
    await guest.connect()
    await guest.join(session)
    return guest


async def packages_of(client: Client, session: str) -> dict[str, Any]:
    state = (await client.call("session.join", session=session))["state"]
    return {one["name"]: one for one in state["packages"]}


async def test_a_package_is_installed_imported_listed_and_uninstalled(start: Start) -> None:
    serving = start()
    async with Client(serving.url, serving.token) as client:
        session = await client.create()
        ran = await client.run(session, "%pip install the-game")
        assert ran.stdout.splitlines()[:2] == ["Collecting the-game", "Collecting dice"]
        assert ran.stdout.endswith("Successfully installed dice-1.0 the-game-2.0\n")
        assert ran.stderr == ""
        ran = await client.run(session, "import game, dice; game.level, dice.version")
        assert ran.result == "(1, '1.0')"
        ran = await client.run(
            session,
            "import importlib.metadata as m\n"
            "(m.version('the-game'), m.requires('the-game'),"
            " m.distribution('dice').read_text('INSTALLER').strip())",
        )
        assert ran.result == "('2.0', ['dice'], 'watchglass')"
        listed = (await client.run(session, "!pip list")).stdout.split()
        assert listed == ["Package", "Version", "-" * 8, "-" * 7, "dice", "1.0", "the-game", "2.0"]
        again = await client.run(session, "pip install -q the-game")
        assert (again.stdout, again.stderr) == ("", "")
        removed = await client.run(session, "%pip uninstall -y the-game")
        assert "Successfully uninstalled the-game-2.0" in removed.stdout
        assert (await client.execute(session, "import game.map")).status == "error"
        assert (await client.run(session, "%pip freeze")).stdout == "dice==1.0\n"
        assert list(await packages_of(client, session)) == ["dice"]


async def test_the_page_about_packages_shows_what_happens(
    start: Start, index: PackageIndex
) -> None:
    page = (Path(__file__).parents[2] / "docs" / "packages.md").read_text()
    shown = page.split("```")[1].splitlines()
    index.add(make_wheel("mdurl", "0.1.2"))
    index.add(make_wheel("pygments", "2.21.0"))
    index.add(make_wheel("markdown-it-py", "4.3.0", requires=["mdurl~=0.1"]))
    needs = ["markdown-it-py>=2.2", "pygments>=2.13"]
    index.add(make_wheel("rich", "15.0.0", requires=needs, files={"rich.py": b"print = print"}))
    serving = start()
    async with Client(serving.url, serving.token) as client:
        session = await client.create()
        printed = ""
        for line in shown[1:]:
            if line.startswith("In ["):
                printed = (await client.run(session, line.partition(": ")[2])).stdout
            else:
                assert f"\n{line}" in f"\n{printed}"


async def test_an_upgrade_takes_the_place_of_the_old_files(
    start: Start, index: PackageIndex
) -> None:
    serving = start()
    async with Client(serving.url, serving.token) as client:
        session = await client.create()
        old = {"dice.py": b"version = 1", "gone.py": b""}
        index.files["dice"] = []
        index.add(make_wheel("dice", "0.9", files=old))
        index.add(make_wheel("dice", "1.0"))
        await client.run(session, "%pip install dice==0.9")
        await client.run(session, "import gone, dice")
        ran = await client.run(session, "%pip install -U dice")
        assert "Restart the session" in ran.stdout
        await client.call("restart", session=session)
        ran = await client.run(session, "import dice; dice.version")
        assert ran.result == "'1.0'"
        assert (await client.execute(session, "import gone")).status == "error"


async def test_who_came_by_a_link_installs_nothing_and_gets_no_hint(
    start: Start, index: PackageIndex
) -> None:
    serving = start()
    async with Client(serving.url, serving.token) as owner:
        session = await owner.create()
        guest = await guest_of(owner, session)
        ran = await guest.execute(session, "%pip install dice")
        assert "came in by a share link cannot install" in ran.stderr
        ran = await guest.execute(session, "import dice")
        assert "%pip" not in ran.error["traceback"][-1] if ran.error else False
        assert index.asked == []
        ran = await owner.execute(session, "import dice")
        assert ran.error
        assert ran.error["traceback"][-1].endswith("%pip install dice")
        await owner.run(session, "%pip install dice")
        assert (await guest.run(session, "import dice; dice.version")).result == "'1.0'"
        await guest.close()


async def test_a_list_holds_for_who_may_use_it(start: Start) -> None:
    serving = start("--packages", "listed", "--allow-package", "the_game")
    async with Client(serving.url, serving.token) as owner:
        session = await owner.create()
        await owner.run(session, "%pip install the-game")
        await owner.run(session, "import dice")
        ran = await owner.execute(session, "%pip install dice other")
        assert "dice, other is not on it" in ran.stderr


async def test_the_folder_of_wheels_serves_everyone_without_the_index(
    start: Start, index: PackageIndex, tmp_path: Path
) -> None:
    make_wheel("own-tools", files={"tools.py": b"x = 5"}).put(tmp_path / "wheels")
    serving = start("--packages", "off", "--wheel-dir", str(tmp_path / "wheels"))
    async with Client(serving.url, serving.token) as owner:
        session = await owner.create()
        guest = await guest_of(owner, session)
        ran = await guest.execute(session, "import tools")
        assert ran.error
        assert ran.error["traceback"][-1].endswith("%pip install own-tools")
        await guest.run(session, "%pip install own-tools")
        assert (await guest.run(session, "import tools; tools.x")).result == "5"
        refused = await owner.execute(session, "%pip install dice")
        assert "is not in the folder of --wheel-dir" in refused.stderr
        assert "--packages off" in refused.stderr
        assert index.asked == []
        await guest.close()


FORGED = """
import gc
from watchglass_monitor.kernel import Kernel
(kernel,) = [each for each in gc.get_objects() if type(each) is Kernel and each.execution]
def forge(words, request_id):
    kernel.send({"type": "package_request", "request_id": request_id, "request": 999,
                 "words": words})
"""


async def test_code_of_a_guest_cannot_ask_for_anything_in_the_name_of_the_owner(
    start: Start, index: PackageIndex
) -> None:
    serving = start()
    async with Client(serving.url, serving.token) as owner:
        session = await owner.create()
        guest = await guest_of(owner, session)
        await owner.run(session, "x = 1")
        await guest.run(session, FORGED)
        await guest.run(session, "forge(['install', 'dice'], 1)  # %pip install dice")
        await guest.run(session, "forge(['install', 'dice'], kernel.execution.request_id)")
        # It may also wait for the owner, and then still asks for what the owner did not type.
        await guest.run(
            session,
            "import asyncio\n"
            "async def wait():\n"
            "    while True:\n"
            "        await asyncio.sleep(0.01)\n"
            "        if kernel.execution: forge(['install', 'dice'], kernel.execution.request_id)\n"
            "task = asyncio.create_task(wait())",
        )
        await owner.run(session, "import time; time.sleep(0.2)")
        await guest.execute(session, "task.cancel()")
        assert index.asked == []
        assert await packages_of(owner, session) == {}
        await guest.close()


@pytest.mark.parametrize(
    "message",
    [
        {"type": "package_request", "request_id": 1, "request": -1, "words": []},
        {"type": "package_request", "request_id": 77, "request": 1, "words": []},
        {"type": "package_request", "request_id": 1, "request": 1, "words": ["w" * 1001]},
        {"type": "package_request", "request_id": 1, "request": 1, "words": ["w"] * 201},
        {"type": "package_cancelled", "request_id": 0, "request": 1},
    ],
)
async def test_a_request_that_cannot_be_ends_the_process(
    start: Start, message: dict[str, Any]
) -> None:
    serving = start()
    async with Client(serving.url, serving.token) as owner:
        session = await owner.create()
        await owner.run(session, FORGED)
        await owner.submit(session, f"kernel.send({message!r}); import time; time.sleep(10)")
        event = await owner.log(session).event("process.state", state="dead")
        assert event["data"]["exit"]["cause"] == "protocol"
        assert (await owner.run(session, "1 + 1")).result == "2"


async def test_an_install_is_interrupted_and_the_next_one_works(
    start: Start, index: PackageIndex
) -> None:
    serving = start()
    index.delay_s = 3.0
    async with Client(serving.url, serving.token) as owner:
        session = await owner.create()
        running = await owner.submit(session, "%pip install dice")
        await owner.log(session).event("stream", execution=running)
        await owner.call("interrupt", session=session)
        event = await owner.log(session).event("execution.finished", execution=running, timeout=2)
        assert event["data"]["status"] == "interrupted"
        index.delay_s = 0.0
        await owner.run(session, "%pip install dice")
        await owner.run(session, "import dice")


async def test_other_sessions_go_on_while_one_installs(start: Start, index: PackageIndex) -> None:
    serving = start()
    index.delay_s = 1.0
    async with Client(serving.url, serving.token) as owner:
        slow, quick = await owner.create(), await owner.create()
        installing = asyncio.create_task(owner.run(slow, "%pip install the-game"))
        for number in range(10):
            before = asyncio.get_running_loop().time()
            await owner.run(quick, f"{number} + 1")
            assert asyncio.get_running_loop().time() - before < 1.0
        assert not installing.done()
        await installing


# --- again


async def test_packages_are_there_again_after_the_process_and_the_server_died(
    start: Start, index: PackageIndex
) -> None:
    serving = start()
    async with Client(serving.url, serving.token) as owner:
        session = await owner.create()
        await owner.run(session, "%pip install the-game")
        await owner.run(session, "import game; kept = game.level")
        await owner.execute(session, "import os; os.abort()")
        assert (await owner.run(session, "game.level, kept")).result == "(1, 1)"
        index.asked.clear()
        serving.kill()
        serving.start()
        await owner.reconnect(serving.url)
        assert (await owner.run(session, "import dice; game.level, kept")).result == "(1, 1)"
        await owner.call("restart", session=session)
        assert (await owner.run(session, "import game; game.level")).result == "1"
        assert index.asked == []


async def test_what_is_in_no_cache_any_more_is_fetched_again_or_told_as_missing(
    start: Start, index: PackageIndex, cache_dir: Path
) -> None:
    serving = start()
    async with Client(serving.url, serving.token) as owner:
        session = await owner.create()
        await owner.run(session, "%pip install the-game")
        forget_packages(cache_dir)
        await owner.call("restart", session=session)
        assert (await owner.run(session, "import game; game.level")).result == "1"
        forget_packages(cache_dir)
        index.bodies.clear()
        await owner.call("restart", session=session)
        ran = await owner.execute(session, "import game")
        assert ran.error
        assert ran.error["name"] == "ModuleNotFoundError"
        missing = await packages_of(owner, session)
        assert {one["state"] for one in missing.values()} == {"missing"}
        assert "no longer in the cache, and: The index answers 404" in missing["dice"]["why"]
        event = await owner.log(session).event("stream", execution=None)
        assert "is missing now: it is no longer in the cache" in event["data"]["text"]


async def test_a_session_that_slept_has_its_packages(start: Start) -> None:
    serving = start("--idle-limit", "1s")
    async with Client(serving.url, serving.token) as owner:
        session = await owner.create()
        await owner.run(session, "%pip install dice")
        await owner.run(session, "import dice")
    async with Client(serving.url, serving.token) as owner:
        async with asyncio.timeout(15):
            while True:
                listed = (await owner.call("session.list"))["sessions"]
                if listed[0]["status"] == "hibernated":
                    break
                await asyncio.sleep(0.2)
        await owner.join(session)
        assert (await owner.run(session, "dice.version")).result == "'1.0'"


async def test_hostile_wheels_never_reach_a_session(start: Start, tmp_path: Path) -> None:
    folder = tmp_path / "wheels"
    hostile_wheel({"../../../../home/x": b""}).put(folder)
    serving = start("--packages", "off", "--wheel-dir", str(folder))
    async with Client(serving.url, serving.token) as owner:
        session = await owner.create()
        ran = await owner.execute(session, "%pip install evil")
        assert "There is no package 'evil'" in ran.stderr
    assert "leads out of the folder" in serving.words()
