"""A real `watchglass serve` in a process of its own, on a free port and a folder of its own."""

from __future__ import annotations

import os
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from watchglass_server.mirror_process import PROGRAM

READY = re.compile(r"watchglass is ready at (http://127\.0\.0\.1:(\d+))/#token=(\S+)\n")


class Serving:
    """Start it, kill it, start it again on the same data: `url` and `token` follow."""

    def __init__(
        self,
        folder: Path,
        *arguments: str,
        cache_dir: Path | None = None,
        command: str | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.data_dir = folder / "data"
        self.home = folder / "home"
        self.log = folder / "server.log"
        self.url = ""
        self.token = ""
        self._arguments = arguments
        self._command = command or str(Path(sys.executable).with_name("watchglass"))
        self._environment = {
            "HOME": str(self.home),
            "PATH": os.environ.get("PATH", os.defpath),
            "XDG_CACHE_HOME": str(cache_dir or folder / "cache"),
            **(environment or {}),
        }
        self._process: subprocess.Popen[str] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None, "the server is not running"
        return self._process.pid

    @property
    def address(self) -> str:
        """What a person opens: the page with the server token."""
        return f"{self.url}/#token={self.token}"

    def start(self, *, port: int = 0, wait_s: float = 60) -> None:
        self.home.mkdir(parents=True, exist_ok=True)
        where = ("--port", str(port), "--data-dir", str(self.data_dir))
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [self._command, "serve", *where, *self._arguments],
                cwd=self.home,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        line = self._first_line(self._process, wait_s)
        ready = READY.fullmatch(line)
        if ready is None:
            self.kill()
            raise AssertionError(f"instead of the ready line: {line!r}; its log:\n{self.words()}")
        self.url, self.token = ready[1], ready[3]

    @property
    def port(self) -> int:
        return int(self.url.rsplit(":", 1)[1])

    def stop(self, *, wait_s: float = 20) -> tuple[int, str]:
        """By SIGTERM: its exit status, and what it printed after the ready line."""
        process = self._process
        assert process is not None, "the server is not running"
        process.terminate()
        try:
            rest, _ = process.communicate(timeout=wait_s)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"still there {wait_s} s after SIGTERM:\n{self.words()}") from None
        self._process = None
        return process.returncode, rest

    def kill(self) -> None:
        """By SIGKILL, as a power cut would; nothing happens if it has ended already."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.communicate()
            self._process = None

    def words(self) -> str:
        return self.log.read_text(errors="replace")[-8000:]

    def children(self) -> list[int]:
        """The Node processes, by id: those of the zygote, and without a jail the server's own."""
        found = []
        for child in children_of(self.pid):
            command = command_of(child)
            if b"watchglass_jail" in command:
                found += children_of(child)
            elif PROGRAM.encode() not in command:
                found.append(child)
        return found

    def mirrors(self) -> list[int]:
        """The process of the mirror, by id, if there is one."""
        return mirrors_of(self.pid)

    def _first_line(self, process: subprocess.Popen[str], wait_s: float) -> str:
        assert process.stdout is not None
        deadline = time.monotonic() + wait_s
        while time.monotonic() < deadline:
            if select.select([process.stdout], [], [], 0.2)[0]:
                return process.stdout.readline()
        return f"nothing in {wait_s} s"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._process is not None:
            self.kill() if error else self.stop()


def mirrors_of(pid: int) -> list[int]:
    """The processes of mirrors that it has started."""
    return [child for child in children_of(pid) if PROGRAM.encode() in command_of(child)]


def command_of(pid: int) -> bytes:
    """By what it was started; its words end with zeros."""
    return Path(f"/proc/{pid}/cmdline").read_bytes()


def children_of(pid: int) -> list[int]:
    """The processes that it has started."""
    listing = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(pid) for pid in listing.split()]
