"""What an escape probe is let loose on, and how the host sees that it got through.

Files in a temporary folder, listeners on loopback and a process that waits for its end: a probe
gets those that it names, new for each run, and is judged by what happened to them alone.
"""

import ast
import asyncio
import contextlib
import os
import secrets
import socket
import sys
import tempfile
from collections.abc import Callable, Iterable
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from watchglass_server.escape_library import library_that_makes

__all__ = ["Decoys"]

LOOPBACK: Final = "127.0.0.1"
START_S: Final = 10.0
# Where a session may try to leave a file that has nothing to do with the decoys' folder.
PLACES: Final = ("/", "/tmp", "/var/tmp", "/dev/shm", "/run")
# It asks for no permission of Yama to be read and traced, so that an attempt is not stopped by
# that module by chance; it ends when somebody writes to it, or when we end.
VICTIM: Final = """
import ctypes, sys
libc = ctypes.CDLL(None)
if hasattr(libc, "prctl"):
    libc.prctl(0x59616D61, ctypes.c_ulong(-1), 0, 0, 0)
file = open("secret.json")
print("ready", flush=True)
sys.stdin.readline()
"""


class Decoys:
    """One probe's decoys; `async with` sets them up and takes them away.

    `given` holds the variables that the probe finds in its session.
    """

    def __init__(self, named: Iterable[str], places: Iterable[Path] = ()) -> None:
        self._named = frozenset(named)
        self._places = [*map(Path, PLACES), *places]
        self._secret = secrets.token_hex(16)
        self._mark = f"watchglass-{secrets.token_hex(8)}"
        self._heard: list[str] = []
        self._victim: asyncio.subprocess.Process | None = None
        self._standing: object = None
        self._stack = AsyncExitStack()
        self.given: dict[str, object] = {"MARK": self._mark}

    @staticmethod
    def named_in(source: str) -> set[str]:
        """Return the names that a probe's source uses, among them those of its decoys."""
        return {node.id for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name)}

    async def __aenter__(self) -> Self:
        try:
            self._make_files()
            if "VICTIM_PID" in self._named:
                await self._start_victim()
            if self._named & {"TCP_PORT", "UNIX_PATH", "ABSTRACT_NAME"}:
                await self._listen()
            if "UDP_PORT" in self._named:
                await self._receive()
            if "LISTEN_PORT" in self._named:
                self.given["LISTEN_PORT"] = _free_port()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._stack.aclose()

    def assignments(self) -> str:
        """Return the code that makes the given variables in a session."""
        given = {name: value for name, value in self.given.items() if name in self._named}
        return "\n".join(f"{name} = {value!r}" for name, value in given.items())

    def evidence(self, said: str) -> str | None:
        """Return what shows, on the host, that the probe got through; None: nothing does."""
        if self._secret in said:
            return "it printed a secret of the host"
        if self._heard:
            return f"it reached {self._heard[0]}"
        return self._evidence_in_files() or self._evidence_at_victim() or self._evidence_of_port()

    # --- files

    def _make_files(self) -> None:
        root = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="watchglass-")))
        self._folder, self._writable = root / "secrets", root / "writable"
        self._folder.mkdir()
        self._writable.mkdir()
        (self._folder / "secret.json").write_text(f'"{self._secret}"\n')
        (self._folder / "secret.env").write_text(f"DECOY={self._secret}\n")
        (self._folder / "secret.mjs").write_text(f'export default "{self._secret}";\n')
        (self._folder / self._secret).touch()
        self._stack.callback(self._remove_marks)
        self.given |= {
            "SECRET_FILE": str(self._folder / "secret.json"),
            "SECRET_ENV_FILE": str(self._folder / "secret.env"),
            "SECRET_MODULE": str(self._folder / "secret.mjs"),
            "SECRET_FOLDER": str(self._folder),
            "WRITABLE": str(self._writable),
        }
        if library := library_that_makes(str(self._writable / "made_by_library")):
            self.given["LIBRARY"] = str(root / "library.so")
            (root / "library.so").write_bytes(library)
        self._before = self._state_of_files()

    def _state_of_files(self) -> dict[str, tuple[int, int, int]]:
        paths = [self._folder, *self._folder.iterdir()]
        return {str(path): _facts(path) for path in paths}

    def _marked(self) -> list[Path]:
        return [place / self._mark for place in self._places if (place / self._mark).exists()]

    def _remove_marks(self) -> None:
        for path in self._marked():
            path.unlink()

    def _evidence_in_files(self) -> str | None:
        if written := sorted(path.name for path in self._writable.iterdir()):
            return f"it wrote {written[0]!r} into a folder of the host"
        if marked := self._marked():
            return f"it wrote a file into {marked[0].parent}"
        if self._state_of_files() != self._before:
            return "it changed a file of the host"
        return None

    # --- a process

    async def _start_victim(self) -> None:
        theirs, ours = os.pipe()
        self._stack.callback(os.close, ours)
        try:
            victim = await asyncio.create_subprocess_exec(
                *(sys.executable, "-I", "-S", "-c", VICTIM, self._secret),
                cwd=self._folder,
                env={"DECOY": self._secret},
                stdin=theirs,
                stdout=asyncio.subprocess.PIPE,
            )
        finally:
            os.close(theirs)
        self._victim = victim
        self._stack.push_async_callback(_end, victim)
        assert victim.stdout is not None
        await asyncio.wait_for(victim.stdout.readline(), START_S)
        self.given["VICTIM_PID"] = victim.pid
        self._standing = _standing(victim.pid)

    def _evidence_at_victim(self) -> str | None:
        victim = self._victim
        if victim is None:
            return None
        if victim.returncode is not None:
            return "it ended another process"
        with contextlib.suppress(OSError):
            environment = Path(f"/proc/{victim.pid}/environ").read_bytes()
            if self._secret.encode() not in environment:
                return "it wrote into the memory of another process"
            if _standing(victim.pid) != self._standing:
                return "it changed what the system does with another process"
        return None

    # --- listeners

    async def _listen(self) -> None:
        path = str(self._writable.parent / "socket")
        self.given |= {"UNIX_PATH": path, "ABSTRACT_NAME": self._mark}
        servers = [
            await asyncio.start_server(self._hear("a TCP port"), LOOPBACK, 0),
            await asyncio.start_unix_server(self._hear("a Unix socket"), path),
        ]
        self.given["TCP_PORT"] = servers[0].sockets[0].getsockname()[1]
        if sys.platform == "linux":
            hear = self._hear("an abstract Unix socket")
            servers.append(await asyncio.start_unix_server(hear, f"\0{self._mark}"))
        for server in servers:
            self._stack.callback(server.close)

    def _hear(self, what: str) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], None]:
        def connected(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self._heard.append(what)
            writer.close()

        return connected

    async def _receive(self) -> None:
        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: _Datagrams(self._heard), (LOOPBACK, 0)
        )
        self._stack.callback(transport.close)
        self.given["UDP_PORT"] = transport.get_extra_info("sockname")[1]

    def _evidence_of_port(self) -> str | None:
        port = self.given.get("LISTEN_PORT")
        if isinstance(port, int) and not _is_free(port):
            return "it listens on a port of the host"
        return None


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, heard: list[str]) -> None:
        self._heard = heard

    def datagram_received(self, data: bytes, addr: object) -> None:
        self._heard.append("a UDP port")


def _facts(path: Path) -> tuple[int, int, int]:
    status = path.stat()
    return status.st_mode, status.st_nlink, status.st_mtime_ns


def _standing(pid: int) -> tuple[int, bytes, bool]:
    """Return the process's priority, how soon it is ended for memory, and whether it is halted."""
    priority = os.getpriority(os.PRIO_PROCESS, pid)
    process = Path(f"/proc/{pid}")
    is_halted = b"\nState:\tT" in (process / "status").read_bytes()
    return priority, (process / "oom_score_adj").read_bytes(), is_halted


async def _end(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.kill()
    await process.wait()


def _free_port() -> int:
    with socket.socket() as found:
        found.bind((LOOPBACK, 0))
        return int(found.getsockname()[1])


def _is_free(port: int) -> bool:
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(socket.AF_INET, kind) as tried:
            try:
                tried.bind((LOOPBACK, port))
            except OSError:
                return False
    return True
