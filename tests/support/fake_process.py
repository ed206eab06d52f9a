"""A fake Node host: a child process that speaks the real codec over the real socketpair.

`python fake_process.py [--flag…] …/main.mjs '<json>'`. The code of an execution says what to do,
as in "print hello" or "swallow"; flags say how it starts and ends.
"""

import json
import os
import signal
import socket
import sys
import time
import types
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

_SERVER = Path(__file__).resolve().parents[2] / "server" / "watchglass_server"

if __name__ == "__main__":  # a start takes 30 ms without the whole server
    _package = types.ModuleType("watchglass_server")
    _package.__path__ = [str(_SERVER)]
    sys.modules["watchglass_server"] = _package

from watchglass_server.frames import (  # noqa: E402
    MAX_CHUNK_BYTES,
    UNASKED_DUMP_ID,
    Blob,
    FrameReader,
    encode_blob,
    encode_message,
)

READY: dict[str, Any] = {
    "pyodide": "0.0.0",
    "python": "3.14.0",
    "node": "24.0.0",
    "rung": "polling",
    "image": True,
    "memory_bytes": 1000,
}
LINES = "".join(f"{number}\n" for number in range(1000))


class FakeHost:
    """One conversation, from the host's side."""

    def __init__(self, connection: socket.socket, flags: set[str]) -> None:
        self.connection = connection
        self.flags = flags
        self.reader = FrameReader()
        self.waiting: deque[dict[str, Any]] = deque()
        self.blob = b""
        self.running = 0

    def send(self, type: str, **fields: object) -> None:
        self.send_bytes(encode_message({"type": type, **fields}))

    def send_bytes(self, data: bytes) -> None:
        self.connection.sendall(data)

    def receive(self) -> dict[str, Any]:
        """Return the next message that is no chunk; the end of the socket ends the process."""
        while not self.waiting:
            data = self.connection.recv(2**16)
            if not data:
                while "--immortal" in self.flags:
                    time.sleep(1)
                os._exit(0)
            for frame in self.reader.receive_data(data):
                if isinstance(frame, Blob):
                    self.blob += frame.data
                else:
                    self.waiting.append(frame)
        return self.waiting.popleft()

    def serve(self) -> None:
        self.send("ready", **READY)
        if "--dies-idle" in self.flags:
            time.sleep(0.05)
            os._exit(9)
        if "--closes-idle" in self.flags:
            self.do_close("")
        while True:
            message = self.receive()
            match message["type"]:
                case "execute":
                    self.execute(message["request_id"], message["code"])
                case "query":
                    self.reply(message)
                case "interrupt":
                    self.acknowledge(message)
                case "configure":
                    self.send("stream", request_id=0, name="stdout", text=json.dumps(message))

    def reply(self, query: dict[str, Any]) -> None:
        request_id, op, args = query["request_id"], query["op"], query["args"]
        if op == "echo":
            self.send("reply", request_id=request_id, ok=True, result=args)
        elif op == "restore":
            result = {"bytes": len(self.blob), "first": self.blob[:1].hex()}
            self.send("reply", request_id=request_id, ok=True, result=result)
        elif op == "twice":
            self.send("reply", request_id=request_id, ok=True, result={})
            self.send("reply", request_id=request_id, ok=True, result={})
        elif op == "fail":
            error = {
                "code": "conflict",
                "message": "No.",
                "hint": "Try.",
                "variable": {"name": "x"},
            }
            self.send("reply", request_id=request_id, ok=False, error=error)
        elif op == "late":
            time.sleep(args["after"])
            self.send("reply", request_id=request_id, ok=True, result={})
        elif op == "die":
            os._exit(4)

    def acknowledge(self, interrupt: dict[str, Any]) -> None:
        request_id, attempt = interrupt["request_id"], interrupt["attempt"]
        self.send("interrupt_ack", request_id=request_id, attempt=attempt)

    def execute(self, request_id: int, code: str) -> None:
        self.running = request_id
        name, _, argument = code.partition(" ")
        do: Callable[[str], str] = getattr(self, f"do_{name.replace('-', '_')}")
        self.finish(do(argument))

    def finish(self, status: str) -> None:
        self.send(
            "finished",
            request_id=self.running,
            status=status,
            duration_ms=1.5,
            memory_bytes=1000,
        )

    def until_interrupted(self, deaf: int = 0) -> str:
        while True:
            message = self.receive()
            if message["type"] == "query":
                self.reply(message)
            elif message["type"] == "interrupt" and message["attempt"] > deaf:
                self.acknowledge(message)
                return "interrupted"

    # --- what the code of an execution can ask for

    def do_nothing(self, _: str) -> str:
        return "ok"

    def do_print(self, text: str) -> str:
        self.send("stream", request_id=self.running, name="stdout", text=text)
        return "ok"

    def do_result(self, text: str) -> str:
        self.send("execute_result", request_id=self.running, bundle={"text/plain": text})
        return "ok"

    def do_flood(self, frames: str) -> str:
        for _ in range(int(frames)):
            self.send("stream", request_id=self.running, name="stdout", text=LINES)
        return "ok"

    def do_sleep(self, _: str) -> str:
        return self.until_interrupted()

    def do_deaf(self, times: str) -> str:
        return self.until_interrupted(int(times))

    def do_swallow(self, _: str) -> str:
        while True:
            message = self.receive()
            if message["type"] == "interrupt":
                self.acknowledge(message)

    def do_hang(self, _: str) -> str:
        while True:
            time.sleep(1)

    def do_exit(self, status: str) -> str:
        os._exit(int(status))

    def do_signal(self, number: str) -> str:
        os.kill(os.getpid(), int(number))
        time.sleep(10)
        return "ok"

    def do_half_a_frame(self, _: str) -> str:
        self.send_bytes(encode_message({"type": "stream"})[:7])
        os._exit(0)

    def do_last_words(self, text: str) -> str:
        print(text, file=sys.stderr, flush=True)
        os._exit(1)

    def do_fatal(self, cause: str) -> str:
        self.send("fatal", cause=cause, message="The interpreter is lost.")
        self.send("stream", request_id=self.running, name="stdout", text="after the end")
        os._exit(1)

    def do_flood_and_fatal(self, cause: str) -> str:
        self.do_flood("20")
        return self.do_fatal(cause)

    def do_fatal_and_linger(self, cause: str) -> str:
        self.send("fatal", cause=cause, message="The interpreter is lost.")
        return self.do_hang("")

    def do_close(self, _: str) -> str:
        self.connection.close()
        return self.do_hang("")

    def do_raw(self, digits: str) -> str:
        self.send_bytes(bytes.fromhex(digits))
        return "ok"

    def do_send(self, message: str) -> str:
        self.send(**json.loads(message))
        return "ok"

    def do_input(self, prompt: str) -> str:
        self.send(
            "input_request", request_id=self.running, request=1, prompt=prompt, password=False
        )
        while True:
            message = self.receive()
            if message["type"] == "input_reply":
                return self.do_print(repr(message.get("text")))
            if message["type"] == "interrupt":
                self.send("input_cancelled", request_id=self.running, request=1)
                self.acknowledge(message)
                return "interrupted"

    def do_dump(self, size: str) -> str:
        left = int(size)
        while left:
            chunk = b"d" * min(left, MAX_CHUNK_BYTES)
            self.send_bytes(encode_blob(UNASKED_DUMP_ID, chunk))
            left -= len(chunk)
        entry = {"name": "x", "stored": True, "why": None, "kind": "value", "resource": False}
        self.send("dumped", number=1, request_id=self.running, bytes=int(size), variables=[entry])
        return "ok"

    def do_spawn(self, _: str) -> str:
        """Leave a grandchild behind that holds the socket and the output open."""
        child = os.fork()
        if child == 0:
            time.sleep(60)
        self.do_print(str(child))
        os.kill(os.getpid(), signal.SIGKILL)
        return "ok"

    def do_environment(self, _: str) -> str:
        held = {name: value for name, value in os.environ.items() if name != "LC_CTYPE"}
        return self.do_print(json.dumps(held, sort_keys=True))


def main(arguments: list[str]) -> None:
    """Run as one of the host's two scripts."""
    *flags, script, settings_json = arguments
    settings = json.loads(settings_json)
    if Path(script).name == "make_image.mjs":
        make_image(set(flags), Path(settings["out"]))
        return
    if "--dies-at-start" in flags:
        print("Error: cannot find the thing", file=sys.stderr)
        raise SystemExit(1)
    if "--needs-image" in flags and (settings["image"] is None):
        raise SystemExit("there is no image")
    if "--never-ready" in flags:
        time.sleep(60)
    if "--slow-start" in flags:
        time.sleep(0.3)
    connection = socket.socket(fileno=settings["fd"])
    connection.setblocking(True)
    FakeHost(connection, set(flags)).serve()


def make_image(flags: set[str], out: Path) -> None:
    """Write what stands for an image."""
    if "--no-image" in flags:
        raise SystemExit("an image cannot be made here")
    if "--empty-image" in flags:
        return
    out.write_bytes(b"image " * 1000)


if __name__ == "__main__":
    main(sys.argv[1:])
