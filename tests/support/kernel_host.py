"""A Node host for the kernel's own tests: keeps what is sent, and turns by hand."""

import asyncio
import json
from collections import deque
from collections.abc import Callable
from typing import Any

from watchglass_monitor.host import DUE_INTERRUPT, DUE_MESSAGES


class HandGate:
    """A gate that the test, or a timer of the host, opens."""

    def __init__(self, host: "HandHost") -> None:
        self._host = host
        self.is_open = False
        self.promise: Any = self

    def open(self) -> None:
        self.is_open = True


class HandBlob:
    """Bytes on the other side."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def to_bytes(self) -> bytes:
        return self._data


class HandHost:
    """The host of one kernel, without Node: what is due is what the test says."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []
        self.blobs: list[bytes] = []
        self.inbox: deque[str] = deque()
        self.press = 0
        self.variables_most = 10_000
        self.strayed = 0
        self.bits = 0
        self.owners: list[int] = []
        self.finished: list[tuple[str, float]] = []
        self.acknowledged = 0
        self.delivered_to = 0
        self.deadlines: list[float] = []
        self.woken: list[float] = []
        self.scheduled: list[float] = []
        self.waits: list[float] = []
        self.paces: list[float] = []
        self.gates: list[HandGate] = []
        self.stored: dict[int, bytes] = {}
        self.on_wait: Callable[[], None] = _nothing

    def ask(self, op: str, request_id: int = 1, **args: object) -> None:
        """Put a query into the inbox."""
        query = {"type": "query", "request_id": request_id, "op": op, "args": args}
        self.inbox.append(json.dumps(query))

    def reply(self, request_id: int = 1) -> dict[str, Any]:
        """The reply to a query."""
        (found,) = [m for m in self.of("reply") if m["request_id"] == request_id]
        return found

    def of(self, kind: str) -> list[dict[str, Any]]:
        """The messages of that type, in order."""
        return [message for message in self.sent if message["type"] == kind]

    def send(self, text: str) -> None:
        assert text.isascii()
        self.sent.append(json.loads(text))

    def send_blob(self, request_id: int, data: bytes) -> None:
        assert request_id == 0xFFFFFFFF
        self.blobs.append(bytes(data))

    def take(self) -> str | None:
        return self.inbox.popleft() if self.inbox else None

    def take_blob(self, request_id: int) -> HandBlob | None:
        data = self.stored.pop(request_id, None)
        return None if data is None else HandBlob(data)

    def due(self) -> int:
        messages = DUE_MESSAGES if self.inbox else 0
        return self.bits | messages | (DUE_INTERRUPT if self.press else 0)

    def pressed(self) -> int:
        return self.press

    def stray(self) -> int:
        return self.strayed

    def delivered(self) -> None:
        self.acknowledged += 1
        self.delivered_to, self.press = self.press, 0

    def undelivered(self) -> bool:
        self.press, self.delivered_to = self.delivered_to, 0
        return self.press != 0

    def own(self, request_id: int) -> None:
        self.owners.append(request_id)

    def begin(self) -> None: ...

    def finish(self, status: str, duration_ms: float) -> None:
        self.finished.append((status, duration_ms))

    def deadline(self, ms: float) -> None:
        self.deadlines.append(ms)

    def wake(self, ms: float) -> None:
        self.woken.append(ms)

    def schedule(self, ms: float) -> None:
        self.scheduled.append(ms)

    def wait(self, ms: float) -> None:
        self.waits.append(ms)
        self.on_wait()

    def gate(self, ms: float) -> HandGate:
        self.gates.append(HandGate(self))
        return self.gates[-1]

    def poll_ms(self) -> float:
        return 250.0

    def variables(self) -> float:
        return self.variables_most

    def pace(self, ms: float) -> None:
        self.paces.append(ms)

    def watcher(self) -> None:
        """There is none outside of Pyodide."""

    def entropy(self) -> str:
        return ""

    def fingerprints(self) -> None:
        return None


class TurnedLoop:
    """A real event loop whose callbacks run only when the schedule is stepped."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()

    def __enter__(self) -> asyncio.AbstractEventLoop:
        asyncio._set_running_loop(self.loop)
        return self.loop

    def __exit__(self, *_: object) -> None:
        asyncio._set_running_loop(None)
        self.loop.close()


def _nothing() -> None:
    pass
