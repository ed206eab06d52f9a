"""Kernel ⇄ Node host: what the kernel may ask of its host; twin of forKernel() in host.mjs."""

import re
from collections.abc import Awaitable
from json import JSONEncoder
from typing import Protocol

Message = dict[str, object]

# What host.due() tells: host.mjs has the same numbers.
DUE_MESSAGES = 1
DUE_INTERRUPT = 2
DUE_BLOCKED = 4
DUE_DEADLINE = 8
DUE_TICK = 16

SAFE_POINT_SIGNAL = 62
DUMP_REQUEST_ID = 0xFFFFFFFF  # the chunks of a dump: no request asked for them
MAX_MESSAGE_CHARACTERS = 16 * 2**20
MAX_CONTAINERS = 2**19  # what server/watchglass_server/frames.py takes
# Made at import: what user code puts in the place of json.dumps must not reach the server.
_write = JSONEncoder(allow_nan=False, separators=(",", ":")).encode
_JSON_STRING = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"')


class Gate(Protocol):
    """Something to suspend on until it is opened."""

    promise: Awaitable[object]

    def open(self) -> None: ...


class NativeWatcher(Protocol):
    """The part of the best watcher that is no Python; see `wasm_watcher.py`."""

    state: int

    def watch(self, namespace: int) -> bool:
        """Watch the dict at this address, or make sure of it; whether it is watched now."""
        ...

    def clear(self) -> None:
        """Stop, and give back what was noted."""

    def take(self) -> int:
        """Which of the two windows is to be read; the other one is written from here on."""
        ...


class Host(Protocol):
    """The Node side of this process."""

    def send(self, text: str) -> None:
        """Send a message whose JSON text this is, behind all output so far."""

    def send_blob(self, request_id: int, data: bytes) -> None: ...

    def take(self) -> str | None:
        """The next message for the kernel, or None."""

    def take_blob(self, request_id: int) -> "Buffer | None":
        """The bytes that came with a request."""

    def due(self) -> int:
        """Which of the DUE_ things wait for a safe point."""
        ...

    def pressed(self) -> int:
        """The execution whose interrupt is not yet delivered, or 0."""
        ...

    def stray(self) -> int:
        """The execution that is not running and was to be interrupted, or 0."""
        ...

    def delivered(self) -> None:
        """The interrupt has reached the user's code: acknowledge it."""

    def undelivered(self) -> bool:
        """It was lost there: it is due again. False when none was delivered to what runs."""
        ...

    def own(self, request_id: int) -> None:
        """Output belongs to this execution from now on."""

    def begin(self) -> None:
        """The user's code begins to run now: come by at its first step."""

    def finish(self, status: str, duration_ms: float) -> None:
        """The running execution has ended."""

    def deadline(self, ms: float) -> None:
        """Have DUE_DEADLINE after so long; 0 takes it back."""

    def wake(self, ms: float) -> None:
        """Call tick() within so long."""

    def schedule(self, ms: float) -> None:
        """Call step() after so long, or sooner if that was asked before."""

    def wait(self, ms: float) -> None:
        """Block the whole process until something is due, at most so long."""

    def gate(self, ms: float) -> Gate:
        """A gate that opens by itself after so long; 0: never."""
        ...

    def poll_ms(self) -> float:
        """How often variables are looked at while nothing tells of changes."""
        ...

    def variables(self) -> float:
        """Of how many variables the server wants to be told."""
        ...

    def pace(self, ms: float) -> None:
        """Have DUE_TICK after so long at most; 0: as long as at the start."""

    def watcher(self) -> NativeWatcher | None:
        """What notices stores natively, where there is such a thing."""

    def entropy(self) -> str:
        """A text that is another one in each process; good for dice, not for secrets."""
        ...

    def fingerprints(self) -> "Fingerprints | None":
        """The native walk over variables, or None."""
        ...


class Fingerprints(Protocol):
    """The walk in WebAssembly; twin of fingerprints.mjs. It is told addresses, those of `id`.

    Each gives -1 when the walk has failed.
    """

    def configure(self, facts: int) -> int:
        """Learn the layout of this interpreter; 1 when it can be used."""
        ...

    def scan(self, values: int, results: int, ms: float) -> int:
        """Walk over the small ones of a list of values; how many it came to in time."""
        ...

    def step(self, walk: int, value: int, results: int, ms: float) -> int:
        """Begin a walk over one value, or go on with it."""
        ...

    def drop(self, walk: int) -> int:
        """Give up a walk that is paused."""
        ...


class Buffer(Protocol):
    """Bytes on the JavaScript side."""

    def to_bytes(self) -> bytes: ...


def encode(message: Message) -> str:
    """The JSON text of a message: ASCII, so that lone surrogates survive."""
    try:
        text = _write(message)
    except (ValueError, TypeError, RecursionError):
        text = _write(_plain(message, 100))
    if len(text) > MAX_MESSAGE_CHARACTERS:
        return _write(_shortened(message, f"{len(text) / 2**20:.1f} MiB"))
    if _containers(text) > MAX_CONTAINERS:
        return _write(_shortened(message, f"More than {MAX_CONTAINERS:,} lists and objects"))
    return text


def _containers(text: str) -> int:
    """How many lists and objects the JSON has: mostly, counting them in all of it is enough."""
    found = text.count("[") + text.count("{")
    if found > MAX_CONTAINERS:
        outside = _JSON_STRING.sub("", text)
        found = outside.count("[") + outside.count("{")
    return found


def _shortened(message: Message, held: str) -> Message:
    """What is sent in place of a message that the server does not take."""
    said = f"{held} are more than one message holds."
    if message["type"] == "reply":
        hint = "Ask for a part of it."
        error = {"code": "too_large", "message": said, "hint": hint}
        return {"type": "reply", "request_id": message["request_id"], "ok": False, "error": error}
    if "bundle" in message:
        return {**message, "bundle": {"text/plain": f"[{said}]"}}
    if isinstance(changes := message.get("changes"), list):
        return {**message, "changes": [_without_value(change) for change in changes]}
    return message


def _without_value(change: Message) -> Message:
    if not isinstance(variable := change.get("variable"), dict):
        return change
    return {**change, "variable": {**variable, "value": None}}


def _plain(value: object, depth: int) -> object:
    """`value` with what JSON does not have told as text."""
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return value if value - value == 0 else repr(value)
    if depth == 0:
        return "…"
    if isinstance(value, dict):
        return {str(key): _plain(item, depth - 1) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item, depth - 1) for item in value]
    return f"<{type(value).__name__}>"
