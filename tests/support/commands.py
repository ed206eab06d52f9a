"""The `watchglass` command in a process of its own, with pipes or at a terminal of its own."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

COMMAND = str(Path(sys.executable).with_name("watchglass"))
WAIT_S = 40.0


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    status: int
    stdout: str
    stderr: str


class Commands:
    """Runs commands in a folder, with a home and settings of their own."""

    def __init__(self, folder: Path, cache_dir: Path, **settings: str) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.environment = {
            "HOME": str(folder / "home"),
            "PATH": os.environ.get("PATH", os.defpath),
            "XDG_CACHE_HOME": str(cache_dir),
            "TERM": "xterm",
            **{f"WATCHGLASS_{name}": value for name, value in settings.items()},
        }

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.write_text(text)
        return path

    def run(
        self, *arguments: str, stdin: str = "", settings: Mapping[str, str] | None = None
    ) -> Done:
        done = subprocess.run(
            [COMMAND, *arguments],
            cwd=self.folder,
            env={**self.environment, **(settings or {})},
            input=stdin,
            capture_output=True,
            text=True,
            timeout=WAIT_S,
            check=False,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [COMMAND, *arguments],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def terminal(self, *arguments: str) -> TerminalRun:
        return TerminalRun([COMMAND, *arguments], self.folder, self.environment)


class TerminalRun:
    """A command at a terminal: keys go in, and what is on the screen is waited for."""

    def __init__(self, command: list[str], folder: Path, environment: Mapping[str, str]) -> None:
        ours, theirs = pty.openpty()
        self._keyboard = ours
        self._process = subprocess.Popen(
            command,
            cwd=folder,
            env={**environment, "NO_COLOR": "1"},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            preexec_fn=_take_terminal,
        )
        os.close(theirs)
        self.screen = ""
        self._read_to = 0

    def press(self, keys: str) -> None:
        os.write(self._keyboard, keys.encode())

    def until(self, text: str, wait_s: float = WAIT_S) -> str:
        """Wait for text behind what was waited for before; return what came up to it."""
        deadline = time.monotonic() + wait_s
        while text not in self.screen[self._read_to :]:
            if not self._read(deadline):
                raise AssertionError(f"no {text!r} on the screen: {self.screen[self._read_to :]!r}")
        end = self.screen.index(text, self._read_to) + len(text)
        passed, self._read_to = self.screen[self._read_to : end], end
        return passed

    def ended(self) -> int:
        """Wait for its end; return the exit status."""
        while self._read(time.monotonic() + WAIT_S):
            pass
        return self._process.wait(WAIT_S)

    def _read(self, deadline: float) -> bool:
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([self._keyboard], [], [], left)[0]:
            return False
        try:
            self.screen += os.read(self._keyboard, 65536).decode(errors="replace")
        except OSError:  # Linux says so when the other end is closed
            return False
        return True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGKILL)
        self._process.wait()
        os.close(self._keyboard)


def _take_terminal() -> None:
    """Make the new terminal the one whose Ctrl+C is a signal for this process."""
    os.close(os.open(os.ttyname(0), os.O_RDWR))
