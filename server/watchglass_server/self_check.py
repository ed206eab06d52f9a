"""The check at each start: a jailed Node without Pyodide tries to reach decoys of ours."""

import contextlib
import json
import os
import socket
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from watchglass_server.child import Launcher, Reach, run_to_end

__all__ = ["Attempt", "SelfCheckFailed", "check_jail", "read_attempts"]

TIMEOUT_S: Final = 20.0
SCRIPT: Final = "self_check.mjs"
ATTEMPTS: Final = 17


@dataclass(frozen=True, slots=True)
class Attempt:
    """One way to the host: whether it got out, or why not."""

    name: str
    got_out: bool
    why: str


class SelfCheckFailed(Exception):
    """The check could not be made: what is not known to hold is not said to hold."""


async def check_jail(launcher: Launcher, node: Path, folder: Path) -> list[Attempt]:
    """Make every attempt in one process; return what came of each. Raises SelfCheckFailed."""
    script = folder / SCRIPT
    with _decoys() as decoys:
        argv = [str(node), str(script), json.dumps(decoys.described())]
        try:
            exit_code, output = await run_to_end(
                argv, timeout=TIMEOUT_S, launcher=launcher, reach=Reach(read=(script,))
            )
        except OSError as error:
            raise SelfCheckFailed(f"no process could be started in the jail: {error}") from error
        attempts = read_attempts(output)
        if len(attempts) != ATTEMPTS:
            how = "was not done in time" if exit_code is None else f"ended with {exit_code}"
            raise SelfCheckFailed(
                f"the check of the jail {how} after {len(attempts)} of {ATTEMPTS} attempts: "
                f"{output.strip()[-300:]}"
            )
        return [*attempts, *decoys.witnessed()]


def read_attempts(output: str) -> list[Attempt]:
    """Return the attempts that the script printed, one JSON object a line."""
    attempts = []
    for line in output.splitlines():
        with contextlib.suppress(ValueError, KeyError, TypeError):
            told = json.loads(line)
            attempts.append(Attempt(str(told["name"]), bool(told["got_out"]), str(told["why"])))
    return attempts


@dataclass(frozen=True, slots=True)
class _Decoys:
    folder: Path
    tcp: socket.socket
    udp: socket.socket
    unix: socket.socket

    def described(self) -> dict[str, object]:
        return {
            "file": str(self.folder / "file"),
            "folder": str(self.folder),
            "socket": str(self.folder / "socket"),
            "tcp": self.tcp.getsockname()[1],
            "udp": self.udp.getsockname()[1],
            "pid": os.getpid(),
        }

    def witnessed(self) -> Iterator[Attempt]:
        """What has reached a decoy, whatever the process says of it."""
        for name, decoy in (("TCP", self.tcp), ("UDP", self.udp), ("Unix", self.unix)):
            with contextlib.suppress(BlockingIOError):
                decoy.recv(1) if name == "UDP" else decoy.accept()[0].close()
                yield Attempt(f"reach a {name} socket", True, "")
        if (self.folder / "written").exists():
            yield Attempt("leave a file", True, "")
        if (self.folder / "file").read_text() != "decoy":
            yield Attempt("leave text in a file", True, "")


@contextlib.contextmanager
def _decoys() -> Iterator[_Decoys]:
    """Files that the modes leave open to everybody, and sockets that answer."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="watchglass-check-")))
        folder.chmod(0o777)
        (folder / "file").write_text("decoy")
        (folder / "file").chmod(0o666)
        tcp = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        udp = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        udp.bind(("127.0.0.1", 0))
        unix = stack.enter_context(socket.socket(socket.AF_UNIX))
        unix.bind(str(folder / "socket"))
        (folder / "socket").chmod(0o777)
        unix.listen()
        for decoy in (tcp, udp, unix):
            decoy.setblocking(False)
        yield _Decoys(folder, tcp, udp, unix)
