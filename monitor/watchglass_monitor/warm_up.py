"""What is done once before the image is taken: all that a session will use."""

import asyncio
import builtins
import gc
import json
import linecache
import sys

from watchglass_monitor import in_pyodide
from watchglass_monitor.display import set_publisher
from watchglass_monitor.host import DUMP_REQUEST_ID, Gate
from watchglass_monitor.kernel import Kernel
from watchglass_monitor.native_layout import facts

_EXAMPLES = (
    "x = 1",
    "x + 1",
    "def double(value): return 2 * value\nclass Unit:\n    hp = 10",
    "units = [Unit() for _ in range(3)]; table = {'gold': 1.5}; table['gold'] = double(2)",
    "print('warm', file=__import__('sys').stderr); print('warm')",
    "1 / 0",
    "1 +",
    "x?",
    "import math, json, datetime, dataclasses",
)
_QUERIES: tuple[tuple[str, dict[str, object]], ...] = (
    ("complete", {"code": "uni", "cursor": 3}),
    ("inspect", {"code": "double(", "cursor": 7}),
    ("is_complete", {"code": "for i in x:"}),
    ("variables", {}),
    ("variable_get", {"path": ["units"], "offset": 0, "limit": 10}),
    ("variable_set", {"path": ["x"], "value": 2}),
    ("variable_repr", {"path": ["units"]}),
    ("watch_check", {"expression": "x * 2"}),
    ("watches", {"watches": [{"watch": "w", "expression": "x * 2", "condition": "value > 1"}]}),
    ("dump", {}),
    ("ping", {}),
)


class SilentHost:
    """A host that asks what it is given to ask, and tells nobody the answers."""

    def __init__(self) -> None:
        self.inbox: list[str] = []
        self.dump = b""
        self.sent: list[str] = []

    def send(self, text: str) -> None:
        self.sent.append(text)

    def send_blob(self, request_id: int, data: bytes) -> None:
        if request_id == DUMP_REQUEST_ID:
            self.dump = bytes(data)

    def take(self) -> str | None:
        return self.inbox.pop(0) if self.inbox else None

    def take_blob(self, request_id: int) -> "SilentBuffer":
        return SilentBuffer(self.dump)

    def due(self) -> int:
        return 0

    def pressed(self) -> int:
        return 0

    def stray(self) -> int:
        return 0

    def delivered(self) -> None: ...

    def undelivered(self) -> bool:
        return False

    def own(self, request_id: int) -> None: ...

    def begin(self) -> None: ...

    def finish(self, status: str, duration_ms: float) -> None: ...

    def deadline(self, ms: float) -> None: ...

    def wake(self, ms: float) -> None: ...

    def schedule(self, ms: float) -> None: ...

    def wait(self, ms: float) -> None: ...

    def gate(self, ms: float) -> Gate:
        raise RuntimeError("nothing waits while an image is made")

    def poll_ms(self) -> float:
        return 250.0

    def variables(self) -> float:
        return 10_000

    def pace(self, ms: float) -> None:
        pass

    def watcher(self) -> None: ...

    def entropy(self) -> str:
        return ""

    def fingerprints(self) -> None:
        """An image holds nothing native: the walk in Python does the warming up."""


class SilentBuffer:
    """The bytes of a dump."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def to_bytes(self) -> bytes:
        return self._data


def warm_up() -> None:
    """Run everything once, and leave nothing of it but imported and specialised code."""
    namespace = vars(sys.modules["__main__"])
    namespace.pop(in_pyodide.LEFTOVER, None)
    before = set(namespace)
    names = set(vars(builtins))
    host = SilentHost()
    kernel = Kernel(host, asyncio.get_event_loop_policy().get_event_loop(), namespace)
    kernel.install()
    _use(kernel, host)
    kernel.monitor.stop()
    facts()
    _silence()
    for name in set(namespace) - before:
        del namespace[name]
    for name in set(vars(builtins)) - names:
        delattr(builtins, name)
    linecache.clearcache()
    gc.collect()


def _use(kernel: Kernel, host: SilentHost) -> None:
    for number, code in enumerate(_EXAMPLES * 3, 1):
        kernel.execute(number, number, code, True)
        kernel.tick()
    for request_id, (op, args) in enumerate(_QUERIES * 3, 100):
        query = {"type": "query", "request_id": request_id, "op": op, "args": args}
        host.inbox.append(json.dumps(query))
        kernel.serve()
        kernel.tick()
    restore = {"history": [{"number": 1, "code": "x = 1"}], "next_number": 2, "has_blob": True}
    query = {"type": "query", "request_id": 99, "op": "restore", "args": restore}
    host.inbox.append(json.dumps(query))
    kernel.serve()
    problems = [text for text in host.sent if '"internal"' in text]
    if problems:
        raise RuntimeError(f"the kernel does not work: {problems[0]}")


def _silence() -> None:
    sys.unraisablehook = sys.__unraisablehook__
    set_publisher(lambda publication: None)
