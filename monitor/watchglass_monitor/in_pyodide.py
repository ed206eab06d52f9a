"""Pyodide ⇄ kernel: the kernel on Pyodide's own loop, streams and stack switching."""

import asyncio
import builtins
import getpass
import importlib
import random
import sys
import tempfile
import time
import uuid
from typing import Any

from watchglass_monitor.host import Host
from watchglass_monitor.kernel import Kernel
from watchglass_monitor.prompt import StandardInput

MAIN = "__main__"
# Pyodide leaves this name in the namespace of the user.
LEFTOVER = "_pyodide_core"


def start(host: Host) -> Kernel:
    """Make the kernel of this process, on the namespace of the real __main__."""
    ffi = importlib.import_module("pyodide.ffi")
    namespace = vars(sys.modules[MAIN])
    namespace.pop(LEFTOVER, None)
    loop: Any = asyncio.get_event_loop_policy().get_event_loop()
    kernel = Kernel(host, loop, namespace)
    kernel.enter = lambda: _claim(loop)
    kernel.suspender.run_sync = ffi.run_sync
    kernel.suspender.can_run_sync = ffi.can_run_sync
    kernel.install()
    _replace_waiting(kernel, ffi)
    _seed(host.entropy())
    return kernel


def _claim(loop: Any) -> None:
    """Each stack has a thread state of its own, which has to be told of the loop."""
    loop._install_running_loop()
    loop._install_asyncgen_hooks()


def _replace_waiting(kernel: Kernel, ffi: Any) -> None:
    """Put what waits without blocking in the place of what would block."""
    webloop = importlib.import_module("pyodide.webloop")
    original = ffi.run_sync

    def run_sync(awaitable: Any) -> Any:
        """Wait for an awaitable, or a JavaScript promise; can be interrupted."""
        if kernel.watches.evaluating:
            raise RuntimeError("a watch cannot wait: take what is there already")
        if kernel.ownership.current is None or not ffi.can_run_sync():
            return original(awaitable)
        if isinstance(awaitable, ffi.JsProxy):
            awaitable = _settled(awaitable)
        return kernel.suspender.wait_for(awaitable)

    for module in (ffi, webloop):
        setattr(module, "run_sync", run_sync)  # noqa: B010
    time.sleep = kernel.suspender.sleep
    builtins.input = kernel.prompt.input
    getpass.getpass = kernel.prompt.getpass
    sys.stdin = StandardInput(kernel.prompt)


async def _settled(promise: Any) -> Any:
    return await promise


def _seed(entropy: str) -> None:
    """An image holds the random state of the process that it was taken in."""
    random.seed(entropy)
    tempfile._name_sequence = None  # type: ignore[attr-defined]
    uuid._node = None  # type: ignore[attr-defined]
    uuid._last_timestamp = None  # type: ignore[attr-defined]
