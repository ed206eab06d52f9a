"""Bench ⇄ Jupyter: a jupyter_server with ipykernel, over the kernels' WebSocket."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from socket import IPPROTO_TCP, TCP_QUICKACK
from typing import Any

import aiohttp

from bench.contender import BenchFailed
from bench.processes import children_of, ended

Json = dict[str, Any]
ROOT = Path(__file__).parents[1]
VENV = ROOT / ".bench"
TOKEN = "bench"
OPTIONS = (
    "--no-browser",
    "--allow-root",
    "--ServerApp.port=0",
    f"--IdentityProvider.token={TOKEN}",
    # With its default limits the server drops most of a flood, and the last line never arrives.
    "--ZMQChannelsWebsocketConnection.limit_rate=False",
)


class JupyterSession:
    def __init__(
        self, http: aiohttp.ClientSession, kernel: str, socket: aiohttp.ClientWebSocketResponse
    ) -> None:
        self._http, self._kernel, self._socket = http, kernel, socket

    async def _ask(self, kind: str, content: Json) -> str:
        header = {
            "msg_id": uuid.uuid4().hex,
            "msg_type": kind,
            "username": "bench",
            "session": "bench",
            "version": "5.3",
            "date": "2026-01-01T00:00:00Z",
        }
        await self._socket.send_json(
            {
                "header": header,
                "parent_header": {},
                "metadata": {},
                "content": content,
                "channel": "shell",
                "buffers": [],
            }
        )
        return header["msg_id"]

    async def _messages(self, msg_id: str) -> AsyncIterator[tuple[str, Json]]:
        acknowledge_at_once(self._socket)
        async for raw in self._socket:
            acknowledge_at_once(self._socket)
            message = json.loads(raw.data)
            if message["parent_header"].get("msg_id") == msg_id:
                yield message["header"]["msg_type"], message["content"]
        raise BenchFailed("the kernel's WebSocket was closed")

    async def ready(self) -> None:
        """Asked again until it is answered: what comes before the kernel listens is lost."""
        while True:
            msg_id = await self._ask("kernel_info_request", {})
            try:
                async with asyncio.timeout(0.25):
                    async for kind, _ in self._messages(msg_id):
                        if kind == "kernel_info_reply":
                            return
            except TimeoutError:
                continue

    async def execute(self, code: str) -> None:
        """Up to the reply, the earlier of the two ends: the idle status comes after it."""
        msg_id = await self._ask("execute_request", request(code))
        async for kind, content in self._messages(msg_id):
            if kind == "execute_reply":
                if content["status"] != "ok":
                    raise BenchFailed(f"{code!r} ended as {content['status']}")
                return

    async def flood(self, code: str) -> str:
        msg_id = await self._ask("execute_request", request(code))
        last = ""
        async for kind, content in self._messages(msg_id):
            if kind == "stream":
                last = content["text"].splitlines()[-1]
            elif kind == "status" and content["execution_state"] == "idle":
                break
        return last

    async def close(self) -> None:
        await self._socket.close()
        async with self._http.delete(f"/api/kernels/{self._kernel}"):
            pass


def acknowledge_at_once(socket: aiohttp.ClientWebSocketResponse) -> None:
    """In Jupyter's favour: its server leaves Nagle's algorithm on, and so waits 40 ms for the
    delayed acknowledgement of an ordinary client. The kernel undoes the option after each packet.
    """
    connection = socket.get_extra_info("socket")
    connection.setsockopt(IPPROTO_TCP, TCP_QUICKACK, 1)


def request(code: str) -> Json:
    return {"code": code, "silent": False, "store_history": True, "allow_stdin": False}


class Jupyter:
    name = "jupyter_server + ipykernel"

    def __init__(self, server_pid: int, http: aiohttp.ClientSession) -> None:
        self.server_pid = server_pid
        self._http = http

    async def open(self) -> JupyterSession:
        async with self._http.post("/api/kernels", json={"name": "python3"}) as answer:
            kernel = (await answer.json())["id"]
        socket = await self._http.ws_connect(f"/api/kernels/{kernel}/channels", max_msg_size=0)
        session = JupyterSession(self._http, kernel, socket)
        await session.ready()
        await session.execute("x = 1")
        return session

    def session_pids(self) -> list[int]:
        return children_of(self.server_pid)


def install() -> None:
    """From the pinned list into .bench/, once for each state of that list."""
    pins = Path(__file__).with_name("requirements.txt")
    done = VENV / "installed.txt"
    if done.exists() and done.read_bytes() == pins.read_bytes():
        return
    print("installing jupyter_server and ipykernel into .bench/", file=sys.stderr)
    subprocess.run([sys.executable, "-m", "venv", "--clear", VENV], check=True)
    pip = (VENV / "bin/python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    subprocess.run([*pip, "--require-hashes", "-r", pins], check=True)
    done.write_bytes(pins.read_bytes())


@asynccontextmanager
async def jupyter(folder: Path) -> AsyncIterator[Jupyter]:
    runtime = folder / "runtime"
    environment = {
        "HOME": str(folder),
        "PATH": f"{VENV / 'bin'}:/usr/bin:/bin",
        "JUPYTER_RUNTIME_DIR": str(runtime),
    }
    with (folder / "log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *(str(VENV / "bin/jupyter-server"), *OPTIONS),
            cwd=folder,
            env=environment,
            stdout=log,
            stderr=log,
        )
    try:
        url = await address(runtime / f"jpserver-{process.pid}.json")
        headers = {"Authorization": f"token {TOKEN}"}
        async with aiohttp.ClientSession(url, headers=headers) as http:
            yield Jupyter(process.pid, http)
    finally:
        await ended(process)


async def address(file: Path) -> str:
    for _ in range(600):
        if text := written(file):
            return str(json.loads(text)["url"])
        await asyncio.sleep(0.05)
    raise BenchFailed("jupyter_server did not start within 30 s")


def written(file: Path) -> str:
    return file.read_text() if file.exists() else ""
