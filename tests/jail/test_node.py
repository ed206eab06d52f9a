"""Tests of the whole jail around the real Node and the real host: enough is left, and no more."""

import asyncio
import json
import signal
import socket
import subprocess
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.jailed_node import jailed, node_policy, without_privileges
from tests.support.node_host import Conversation, node_config
from watchglass_jail import JailPolicy
from watchglass_server.process import ProcessConfig, PyodideProcess

pytestmark = pytest.mark.slow

ATTEMPTS = """
const fs = require("node:fs"), net = require("node:net"), child = require("node:child_process");
const results = {};
const tried = (name, attempt) => {
  try { const got = attempt(); results[name] = got?.error?.code ?? "done"; }
  catch (error) { results[name] = error.info?.code ?? error.code ?? String(error); }
};
tried("read", () => fs.readFileSync("/etc/passwd"));
tried("list", () => fs.readdirSync("/"));
tried("write", () => fs.writeFileSync(FOLDER + "/new", "x"));
tried("environment", () => fs.readFileSync("/proc/self/environ"));
tried("spawn", () => child.spawnSync("/bin/true"));
tried("spawn itself", () => child.spawnSync(process.execPath, ["-e", "0"]));
tried("kill", () => process.kill(VICTIM));
tried("rank", () => require("node:os").setPriority(5));
tried("user", () => process.setuid(0));
tried("load", () => process.dlopen({ exports: {} }, "/lib/x86_64-linux-gnu/libutil.so.1"));
const socket = net.connect(PORT, "127.0.0.1");
socket.on("connect", () => { results.connect = "done"; end(); });
socket.on("error", (error) => { results.connect = error.code; end(); });
const end = () => { socket.destroy(); console.log(JSON.stringify(results)); };
"""


@pytest.fixture
async def config(cache_dir: Path) -> ProcessConfig:
    return await node_config(cache_dir)


@pytest.fixture(params=["every layer", "without privileges"])
def policy(request: pytest.FixtureRequest, config: ProcessConfig) -> JailPolicy:
    strictest = node_policy(config)
    return strictest if request.param == "every layer" else without_privileges(strictest)


@pytest.fixture
async def talk(
    config: ProcessConfig, policy: JailPolicy, tmp_path: Path
) -> AsyncIterator[Conversation]:
    process = PyodideProcess(jailed(config, policy, tmp_path))
    await process.start()
    conversation = Conversation(process)
    yield conversation
    await conversation.close()


def run_node(program: Path, folder: Path) -> dict[str, str]:
    with (
        socket.create_server(("127.0.0.1", 0)) as listening,
        subprocess.Popen(["sleep", "60"]) as victim,
    ):
        values = {
            "FOLDER": json.dumps(str(folder)),
            "VICTIM": str(victim.pid),
            "PORT": str(listening.getsockname()[1]),
        }
        code = ATTEMPTS
        for name, value in values.items():
            code = code.replace(name, value)
        done = subprocess.run(
            [program, "-e", code],
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
            env={"OPENSSL_CONF": "/dev/null"},
        )
        victim.kill()
    assert done.returncode == 0, done.stderr
    results: dict[str, str] = json.loads(done.stdout)
    return results


async def test_all_attempts_of_javascript_succeed_without_a_jail(
    config: ProcessConfig, tmp_path: Path
) -> None:
    results = run_node(config.node, tmp_path)
    del results["user"]  # who is not root cannot
    assert results.pop("load") in ("done", "ERR_DLOPEN_FAILED")  # it is no add-on
    assert set(results.values()) == {"done"}


async def test_no_attempt_of_javascript_succeeds_in_it(
    config: ProcessConfig, policy: JailPolicy, tmp_path: Path
) -> None:
    program = jailed(config, policy, tmp_path).node
    results = run_node(program, tmp_path)
    refused = {"EACCES", "EPERM", "ENOENT", "EROFS", "ESRCH", "ERR_DLOPEN_FAILED"}
    assert set(results.values()) <= refused, results
    assert results["connect"] == results["list"] == "EACCES"
    assert results["spawn itself"] == "EPERM"
    assert not (tmp_path / "new").exists()


async def test_python_runs_in_it(talk: Conversation) -> None:
    assert talk.process.ready.image
    assert await talk.evaluate("1 + 1") == "2"
    await talk.execute("import asyncio, json, random, sqlite3, time, threading")
    await talk.execute(
        "time.sleep(0.05); await asyncio.sleep(0.05); open('/tmp/x', 'w').write('x')"
    )
    assert await talk.evaluate("sum(range(10**6)), open('/tmp/x').read()") == "(499999500000, 'x')"
    assert await talk.evaluate("len(bytearray(200_000_000))") == "200000000"


async def test_deep_recursion_and_full_memory_are_still_errors_of_python(
    talk: Conversation,
) -> None:
    await talk.execute("def f(): return f()")
    await talk.execute("try: f()\nexcept RecursionError as error: caught = error")
    assert await talk.evaluate("type(caught).__name__") == "'RecursionError'"
    await talk.execute("try: bytearray(2**31 - 1)\nexcept MemoryError as error: caught = error")
    assert await talk.evaluate("type(caught).__name__") == "'MemoryError'"


async def test_an_interrupt_still_reaches_a_busy_loop(talk: Conversation) -> None:
    request_id = talk.start("while True: pass")
    assert await talk.process.interrupt(request_id, grace=10)
    assert (await talk.finish(request_id)).status == "interrupted"
    assert await talk.evaluate("2 + 2") == "4"


async def test_a_process_that_is_killed_leaves_nothing_behind(
    config: ProcessConfig, policy: JailPolicy, tmp_path: Path
) -> None:
    process = PyodideProcess(jailed(config, policy, tmp_path))
    await process.start()
    launcher = process.pid
    (child,) = children_of(launcher)
    process.kill("killed", "by the test")
    assert (await process.wait()).signal == signal.SIGKILL
    assert await asyncio.to_thread(ends, child)


def children_of(pid: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def ends(pid: int) -> bool:
    """Whether it ends soon: the kernel does it when the launcher has ended."""
    latest = time.monotonic() + 5
    while is_running(pid):
        if time.monotonic() > latest:
            return False
        time.sleep(0.01)
    return True


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state not in "ZX"
