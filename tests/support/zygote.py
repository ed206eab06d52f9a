"""A zygote spoken to by hand: packets in, packets out."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import watchglass_jail
from watchglass_jail.libraries import libraries_of
from watchglass_jail.policy import JailPolicy
from watchglass_jail.zygote_wire import (
    MAX_PACKET_BYTES,
    Ended,
    Refused,
    Reply,
    Started,
    StartRequest,
    decode_reply,
    encode_request,
)

PYTHON = os.path.realpath(sys.executable)
PACKAGES = str(Path(watchglass_jail.__file__).parents[1])


def python_policy(**changes: object) -> JailPolicy:
    """A jail in which this Python starts."""
    policy = {"read": (sys.base_prefix, "/dev/null"), "execute": libraries_of(PYTHON), **changes}
    return JailPolicy(**policy)  # type: ignore[arg-type]


class HandledZygote:
    """One in a process of its own; `stop` closes its socket, as the end of a server does."""

    def __init__(self) -> None:
        self.socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.socket.settimeout(20)
        with theirs:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "watchglass_jail", str(theirs.fileno())],
                env={"PYTHONPATH": PACKAGES},
                pass_fds=[theirs.fileno()],
                stderr=subprocess.PIPE,
            )

    def send(self, packet: bytes, descriptors: Sequence[int] = ()) -> None:
        socket.send_fds(self.socket, [packet], descriptors)

    def receive(self) -> tuple[Reply, list[int]]:
        packet, descriptors, _, _ = socket.recv_fds(self.socket, MAX_PACKET_BYTES, 8)
        assert packet, f"the zygote ended: {self.process.communicate(timeout=5)}"
        return decode_reply(packet), list(descriptors)

    def refused(self, packet: bytes, descriptors: Sequence[int] = ()) -> Refused:
        """Send what cannot be answered; return how it was refused."""
        self.send(packet, descriptors)
        reply, _ = self.receive()
        assert isinstance(reply, Refused), reply
        return reply

    def start(
        self, request_id: int, code: str, policy: JailPolicy | None = None, inherited: int = 0
    ) -> tuple[int, int]:
        """Have Python run the code; return its number and where its output comes."""
        output, theirs = os.pipe()
        argv = (PYTHON, "-I", "-S", "-c", code)
        request = StartRequest(request_id, argv, {}, policy or python_policy())
        self.send(encode_request(request), [theirs] * (1 + inherited))
        os.close(theirs)
        reply, descriptors = self.receive()
        assert isinstance(reply, Started), reply
        for descriptor in descriptors:
            os.close(descriptor)
        return reply.pid, output

    def run(self, code: str, policy: JailPolicy | None = None, inherited: int = 0) -> str:
        """Have Python run the code to its end; return what it printed."""
        _, output = self.start(1, code, policy, inherited)
        with open(output) as file:
            printed = file.read()
        ended, _ = self.receive()
        assert isinstance(ended, Ended), ended
        assert ended.returncode == 0, printed
        return printed

    def stop(self) -> int:
        self.socket.close()
        return self.process.wait(timeout=10)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()
        assert self.process.stderr is not None
        self.process.stderr.close()
