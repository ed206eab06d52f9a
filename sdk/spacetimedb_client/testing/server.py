"""A real server on a free port of this machine, for tests; the only file that starts a process."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from spacetimedb_bsatn import SpacetimeDBError
from spacetimedb_client.errors import ConnectTimeout

BINARY: Final = "spacetimedb-standalone"
BINARY_VARIABLE: Final = "SPACETIMEDB_BIN"
START_SECONDS: Final = 20.0
STOP_SECONDS: Final = 5.0
LOOPBACK: Final = "127.0.0.1"
# With the default settings every error that a module deals with is a line in a file.
CONFIG: Final = '[logs]\nlevel = "error"\ndirectives = []\n'


class ServerNotFound(SpacetimeDBError):
    """There is no server program on this machine."""


def server_binary() -> Path:
    """The program that SPACETIMEDB_BIN names, or the one in PATH."""
    named = os.environ.get(BINARY_VARIABLE)
    found = named or shutil.which(BINARY)
    if not found or not Path(found).exists():
        raise ServerNotFound(
            f"no {BINARY}: cargo install {BINARY} --version 1.2.0 --locked, "
            f"or set {BINARY_VARIABLE}"
        )
    return Path(found)


class Server:
    """One server process; what it keeps lies in `folder`."""

    def __init__(
        self, folder: Path, *, binary: Path | None = None, in_memory: bool = True, port: int = 0
    ) -> None:
        self._folder = folder
        self._binary = binary
        self._in_memory = in_memory
        self._port = port
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def uri(self) -> str:
        return f"http://{LOOPBACK}:{self._port}"

    @property
    def port(self) -> int:
        return self._port

    @property
    def pid(self) -> int:
        """Of its process, while it runs."""
        assert self._process is not None, "the server is not running"
        return self._process.pid

    def start(self) -> None:
        """Returns when it answers; a server that was stopped starts again on its port."""
        data = self._folder / "data"
        data.mkdir(parents=True, exist_ok=True)
        (data / "config.toml").write_text(CONFIG)
        self._port = self._port or free_port()
        command = [
            str(self._binary or server_binary()), "start",
            "--data-dir", str(data), "--jwt-key-dir", str(self._folder / "keys"),
            "--listen-addr", f"{LOOPBACK}:{self._port}",
            *(["--in-memory"] if self._in_memory else []),
        ]  # fmt: skip
        (self._folder / "keys").mkdir(exist_ok=True)
        with (self._folder / "output.log").open("ab") as log:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
            )
        self._wait_until_it_answers()

    def _wait_until_it_answers(self) -> None:
        assert self._process is not None
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                break
            try:
                with urllib.request.urlopen(f"{self.uri}/v1/ping", timeout=1):
                    return
            except (urllib.error.URLError, OSError):
                time.sleep(0.01)
        self.kill()
        log = (self._folder / "output.log").read_text(errors="replace")
        raise ConnectTimeout(f"the server did not start; it said: {log[-2000:]}")

    def stop(self) -> None:
        """As an operator stops it."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """As a crash ends it."""
        self._end(signal.SIGKILL)

    def _end(self, how: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(how)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(STOP_SECONDS)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port
