"""One child of the operating system: start it, keep its last words, wait for it, signal it.

The only file that imports subprocess.
"""

import asyncio
import contextlib
import functools
import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

__all__ = [
    "ENVIRONMENT",
    "Child",
    "ChildExit",
    "Launcher",
    "PlainChild",
    "PlainLauncher",
    "Reach",
    "run_to_end",
]

OUTPUT_KEPT_BYTES: Final = 8 * 2**10
# Nothing is inherited: a session must not see the server's tokens. OpenSSL's file is outside of
# what the process may read; the three of malloc give back what a burst took (runtime.md, 3).
ENVIRONMENT: Final = {
    "OPENSSL_CONF": "/dev/null",
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_TRIM_THRESHOLD_": "65536",
    "MALLOC_MMAP_THRESHOLD_": "65536",
}


@dataclass(frozen=True, slots=True)
class ChildExit:
    """What wait() of the operating system said; a signal is negative, as in subprocess.

    `max_rss_bytes`: the most memory that it held, 0 if that is not known.
    `was_out_of_memory`: the kernel has killed it at its control group's limit of memory.
    """

    returncode: int
    max_rss_bytes: int
    was_out_of_memory: bool = False


@dataclass(frozen=True, slots=True)
class Reach:
    """What of this machine a child needs: the files it reads and writes, and all it may allocate.

    Beyond `data_bytes` an allocation fails there, in whatever language, and hurts no other process.
    """

    read: tuple[Path, ...] = ()
    write: tuple[Path, ...] = ()
    data_bytes: int | None = None


class Child:
    """A child process in a session of its own, so that the terminal's Ctrl+C passes it by."""

    def __init__(self, pid: int, output: int) -> None:
        self._loop = asyncio.get_running_loop()
        self._pipe = output
        self._output = bytearray()
        self._output_is_closed = False
        self.pid = pid
        self.exited: asyncio.Future[ChildExit] = self._loop.create_future()
        self._watch_output()

    @property
    def output(self) -> str:
        """The last of what it printed, outside of any protocol."""
        return self._output.decode("utf-8", "replace")

    def kill(self) -> None:
        """End it, and what it started itself, now."""
        if not self.exited.done():  # afterwards the number may be somebody else's
            with contextlib.suppress(ProcessLookupError, PermissionError):
                self._kill()

    async def wait(self) -> ChildExit:
        """Wait until it has ended."""
        return await asyncio.shield(self.exited)

    def _kill(self) -> None:
        os.killpg(self.pid, signal.SIGKILL)

    def _watch_output(self) -> None:
        os.set_blocking(self._pipe, False)
        self._loop.add_reader(self._pipe, self._read_output)

    def _read_output(self) -> bool:
        try:
            data = os.read(self._pipe, 2**16)
        except BlockingIOError:
            return False
        self._output += data
        del self._output[:-OUTPUT_KEPT_BYTES]
        if not data:
            self._close_output()
        return bool(data)

    def _close_output(self) -> None:
        if not self._output_is_closed:
            self._output_is_closed = True
            self._loop.remove_reader(self._pipe)
            os.close(self._pipe)

    def _ended(self, exit_: ChildExit) -> None:
        # At most what the pipe holds: a grandchild that still writes is not waited for.
        for _ in range(32):
            if self._output_is_closed or not self._read_output():
                break
        self._close_output()
        self.exited.set_result(exit_)


class PlainChild(Child):
    """A child of our own, with an empty environment and no jail."""

    def __init__(self, process: subprocess.Popen[bytes], output: int, inherited_rss: int) -> None:
        super().__init__(process.pid, output)
        self._process = process
        self._inherited_rss = inherited_rss
        self._watch_exit()

    @classmethod
    def start(
        cls,
        argv: Sequence[str],
        inherited: socket.socket | None = None,
        data_bytes: int | None = None,
    ) -> "PlainChild":
        """Start the program; the socket keeps its number in it. Raises OSError."""
        output, theirs = os.pipe()
        inherited_rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        try:
            process = subprocess.Popen(
                [*_death_with_parent(), *argv],
                env=ENVIRONMENT,
                stdin=subprocess.DEVNULL,
                stdout=theirs,
                stderr=subprocess.STDOUT,
                pass_fds=() if inherited is None else (inherited.fileno(),),
                start_new_session=True,
                cwd="/",
            )
        except BaseException:
            os.close(output)
            raise
        finally:
            os.close(theirs)
        _limit(process.pid, data_bytes)
        return cls(process, output, inherited_rss)

    def _watch_exit(self) -> None:
        try:
            descriptor = os.pidfd_open(self.pid)
        except (AttributeError, OSError):  # not Linux, or an old one: a thread waits instead
            threading.Thread(target=self._wait_in_thread, daemon=True).start()
            return
        self._loop.add_reader(descriptor, self._reap_by, descriptor)

    def _reap_by(self, descriptor: int) -> None:
        self._loop.remove_reader(descriptor)
        os.close(descriptor)
        self.kill()  # what it started: its number is still its own, as nobody has reaped it
        self._ended(self._reap())

    def _wait_in_thread(self) -> None:
        exit_ = self._reap()
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody asks any more
            self._loop.call_soon_threadsafe(self._ended, exit_)

    def _reap(self) -> ChildExit:
        # wait4 instead of Popen.wait, for it also says how much memory was held at most. Until the
        # program starts, a child is in its parent's memory, and that counts as its own.
        _, status, usage = os.wait4(self.pid, 0)
        self._process.returncode = returncode = os.waitstatus_to_exitcode(status)
        is_own = usage.ru_maxrss > self._inherited_rss
        return ChildExit(returncode, usage.ru_maxrss * 1024 if is_own else 0)


class Launcher(Protocol):
    """Starts children, each within its reach or without a bound."""

    def number_inside(self, inherited: socket.socket) -> int:
        """Return the number by which the child finds the socket that it inherits."""
        ...

    async def start(
        self, argv: Sequence[str], reach: Reach, inherited: socket.socket | None = None
    ) -> Child:
        """Start the program, named by its path. Raises OSError, which says what to do."""
        ...


class PlainLauncher:
    """Starts children with a memory limit and an empty environment, and no jail."""

    def number_inside(self, inherited: socket.socket) -> int:
        """Return the number that the socket has here."""
        return inherited.fileno()

    async def start(
        self, argv: Sequence[str], reach: Reach, inherited: socket.socket | None = None
    ) -> Child:
        """Start the program. Raises OSError."""
        return PlainChild.start(argv, inherited, reach.data_bytes)


def _limit(pid: int, data_bytes: int | None) -> None:
    if sys.platform != "linux":
        return
    with contextlib.suppress(OSError):  # it may have ended already
        # A crash of V8 would write gigabytes.
        resource.prlimit(pid, resource.RLIMIT_CORE, (0, 0))
        if data_bytes is not None:
            resource.prlimit(pid, resource.RLIMIT_DATA, (data_bytes, data_bytes))


async def run_to_end(
    argv: Sequence[str],
    *,
    timeout: float,
    launcher: Launcher | None = None,
    reach: Reach | None = None,
) -> tuple[int | None, str]:
    """Run a program; return its exit code (None: too late) and the last of its output."""
    child = await (launcher or PlainLauncher()).start(argv, reach or Reach())
    try:
        async with asyncio.timeout(timeout):
            exit_ = await child.wait()
    except TimeoutError:
        return None, child.output
    finally:
        child.kill()
        await child.wait()
    return exit_.returncode, child.output


@functools.cache
def _death_with_parent() -> tuple[str, ...]:
    """Return the words before a command that end it when we are killed, where they are known.

    The end of the socket ends a process too, but not one that is deep in a long call in C.
    """
    setpriv = shutil.which("setpriv", path="/usr/bin:/bin:/usr/local/bin")
    if setpriv is None:
        return ()
    words = (setpriv, "--pdeathsig", "KILL", "--")
    program = shutil.which("true", path="/usr/bin:/bin")
    if program is None or not Path(program).is_file():
        return ()
    try:
        tried = subprocess.run([*words, program], capture_output=True, timeout=5, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ()
    return words if tried.returncode == 0 else ()
