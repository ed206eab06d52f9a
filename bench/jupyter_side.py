"""Bench ⇄ Jupyter: a jupyter_server with ipykernel, over the kernels' WebSocket."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp

from bench.contender import SETTLED_S, BenchFailed, Flood
from bench.jupyter_install import VENV
from bench.jupyter_wire import PROTOCOL, Json, decode_message, encode_request
from bench.processes import children_of, ended

TOKEN = "bench"
OPTIONS = (
    "--no-browser",
    "--allow-root",
    "--ServerApp.port=0",
    f"--IdentityProvider.token={TOKEN}",
    # With its default limits the server drops most of a flood, and the last line never arrives.
    "--ZMQChannelsWebsocketConnection.limit_rate=False",
)
Socket = aiohttp.ClientWebSocketResponse


class JupyterSession:
    def __init__(
        self, http: aiohttp.ClientSession, kernel: str, channels: Socket, *, is_quick: bool
    ) -> None:
        self._http, self._kernel, self._channels = http, kernel, channels
        self._is_quick = is_quick

    async def _messages(self, code: str) -> AsyncIterator[tuple[str, Json]]:
        """What belongs to an execution, by type and content."""
        content = {"code": code, "silent": False, "store_history": True, "allow_stdin": False}
        request, data = encode_request("execute_request", content)
        await self._channels.send_bytes(data)
        while True:
            if self._is_quick:
                acknowledge_at_once(self._channels)
            message = await self._channels.receive()
            if message.type is not aiohttp.WSMsgType.BINARY:
                raise BenchFailed(f"the kernel's WebSocket sent {message.type.name}")
            parent, kind, content = decode_message(message.data)
            if parent == request:
                yield kind, content

    async def execute(self, code: str) -> None:
        """Up to the reply, the earlier of the two ends: the idle status comes after it."""
        async for kind, content in self._messages(code):
            if kind == "execute_reply":
                if content["status"] != "ok":
                    raise BenchFailed(f"{code!r} ended as {content['status']}")
                return

    async def flood(self, code: str) -> Flood:
        began = seen = time.perf_counter()
        texts: list[str] = []
        async for kind, content in self._messages(code):
            if kind == "stream":
                texts.append(content["text"])
                seen = time.perf_counter()
            elif kind == "status" and content["execution_state"] == "idle":
                break
        return Flood(seen - began, seen - began, "".join(texts))

    async def interrupt(self, code: str) -> float:
        """By the call that JupyterLab uses; the clock runs until the reply to the execution."""
        began = asyncio.get_running_loop().create_future()
        loop = asyncio.create_task(self._interrupted(code, began))
        await began
        await asyncio.sleep(SETTLED_S)
        asked = time.perf_counter()
        async with self._http.post(f"{self._kernel}/interrupt"):
            pass
        return await loop - asked

    async def _interrupted(self, code: str, began: asyncio.Future[None]) -> float:
        """When the reply came."""
        async for kind, content in self._messages(code):
            if kind == "execute_input":
                began.set_result(None)
            elif kind == "execute_reply":
                if content.get("ename") != "KeyboardInterrupt":
                    raise BenchFailed(f"an interrupt ended {code!r} with {content}")
                break
        return time.perf_counter()

    async def close(self) -> None:
        await self._channels.close()
        async with self._http.delete(self._kernel):
            pass


def acknowledge_at_once(channels: Socket) -> None:
    """In Jupyter's favour: its server leaves Nagle's algorithm on, and so waits 40 ms for the
    delayed acknowledgement of an ordinary client. The kernel undoes the option after each packet.
    """
    connection = channels.get_extra_info("socket")
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)


class Jupyter:
    def __init__(
        self, name: str, server_pid: int, http: aiohttp.ClientSession, *, is_quick: bool = True
    ) -> None:
        self.name = name
        self.server_pid = server_pid
        self._http = http
        self._is_quick = is_quick

    def with_ordinary_client(self) -> Jupyter:
        return Jupyter(f"{self.name}, ordinary client", self.server_pid, self._http, is_quick=False)

    async def open(self) -> JupyterSession:
        """The server opens the WebSocket when the kernel has answered it: no need to ask again."""
        async with self._http.post("/api/kernels", json={"name": "python3"}) as answer:
            kernel = f"/api/kernels/{(await answer.json())['id']}"
        channels = await self._http.ws_connect(
            f"{kernel}/channels", max_msg_size=0, protocols=(PROTOCOL,)
        )
        if channels.protocol != PROTOCOL:
            raise BenchFailed(f"jupyter_server chose the protocol {channels.protocol!r}")
        session = JupyterSession(self._http, kernel, channels, is_quick=self._is_quick)
        await session.execute("x = 1")
        return session

    def session_pids(self) -> list[int]:
        return children_of(self.server_pid)


@asynccontextmanager
async def jupyter(name: str, folder: Path) -> AsyncIterator[Jupyter]:
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
            yield Jupyter(name, process.pid, http)
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
