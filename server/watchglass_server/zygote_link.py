"""Server ⇄ zygote: has children started in their jails, and hears how they end."""

import asyncio
import itertools
import logging
import os
import signal
import socket
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import watchglass_jail
from watchglass_jail.features import Hierarchy
from watchglass_jail.policy import JailPolicy
from watchglass_jail.zygote_wire import (
    MAX_DESCRIPTORS,
    MAX_PACKET_BYTES,
    Ended,
    Features,
    FeaturesRequest,
    Refused,
    Reply,
    Request,
    Started,
    StartRequest,
    ZygoteWireError,
    decode_reply,
    encode_request,
)
from watchglass_server.child import ENVIRONMENT, Child, ChildExit, PlainChild

__all__ = ["JailRefused", "JailedChild", "ZygoteLink"]

_log = logging.getLogger(__name__)

# Isolated from the environment and from what else is installed: the standard library and ours.
_PROGRAM: Final = (
    "import sys; sys.path.append(sys.argv[1]); "
    "from watchglass_jail.__main__ import main; main(sys.argv[2:])"
)
_COMMAND: Final = (sys.executable, "-I", "-S", "-E", "-c", _PROGRAM)
_PACKAGE_FOLDER: Final = Path(watchglass_jail.__file__).resolve().parents[1]
CLOSE_GRACE_S: Final = 5.0
FULL_PAUSE_S: Final = 0.002
LOST: Final = "the zygote, which starts the processes of sessions, has ended; try again"


class JailRefused(OSError):
    """A child was not started, for a layer of its jail could not be put in force."""

    def __init__(self, refused: Refused) -> None:
        super().__init__(f"{refused.what} ({refused.layer}). {refused.next_step}")
        self.layer = refused.layer
        self.what = refused.what
        self.next_step = refused.next_step


class JailedChild(Child):
    """A child of the zygote. `descriptor` names the process, also when its number is reused."""

    def __init__(self, pid: int, output: int, descriptor: int) -> None:
        super().__init__(pid, output)
        self._descriptor = descriptor

    def _kill(self) -> None:
        # The zygote ends what it has started itself, and reaps both.
        signal.pidfd_send_signal(self._descriptor, signal.SIGKILL)

    def end(self, exit_: ChildExit) -> None:
        """Say how it has ended, as the zygote has it."""
        os.close(self._descriptor)
        self._ended(exit_)

    def end_without_zygote(self) -> None:
        """Wait for the end of which nobody tells: the kernel kills it with its zygote."""
        self.kill()
        self._loop.add_reader(self._descriptor, self._end_as_killed)

    def _end_as_killed(self) -> None:
        self._loop.remove_reader(self._descriptor)
        self.end(ChildExit(-signal.SIGKILL, 0))


class ZygoteLink:
    """One zygote: requests go in, replies come out, until it is lost, and its children with it."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setblocking(False)
        argv = [*_COMMAND, str(_PACKAGE_FOLDER), str(theirs.fileno())]
        try:
            self._process = PlainChild.start(argv, theirs)
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
        self._loop = asyncio.get_running_loop()
        self._socket = ours
        self._ids = itertools.count(1)
        self._sending = asyncio.Lock()
        self._waiting: dict[int, _Waiting] = {}
        self._children: dict[int, JailedChild] = {}
        self._is_closing = False
        self.is_lost = False
        self._loop.add_reader(ours, self._read)
        self._process.exited.add_done_callback(self._say_how_it_ended)

    @property
    def pid(self) -> int:
        """The number of the zygote."""
        return self._process.pid

    async def start(
        self,
        argv: Sequence[str],
        policy: JailPolicy,
        inherited: Sequence[int] = (),
        cgroups: tuple[Hierarchy, ...] = (),
    ) -> JailedChild:
        """Start the program; it finds what it inherits at 3 and up. Raises OSError."""
        request = StartRequest(next(self._ids), tuple(argv), ENVIRONMENT, policy, cgroups)
        output, theirs = os.pipe()
        try:
            child = await self._ask(request, output, (theirs, *inherited))
        finally:
            os.close(theirs)
        assert isinstance(child, JailedChild)
        return child

    async def features(self, program: str) -> Features:
        """Return what the kernel offers and what the program consists of. Raises OSError."""
        features = await self._ask(FeaturesRequest(next(self._ids), program), None, ())
        assert isinstance(features, Features)
        return features

    async def close(self) -> None:
        """End the zygote, and its children with it."""
        self._is_closing = True
        children = [child.exited for child in self._children.values()]
        self._lost()
        await asyncio.wait({self._process.exited}, timeout=CLOSE_GRACE_S)
        self._process.kill()
        await asyncio.gather(self._process.wait(), *children)

    # --- out

    async def _ask(
        self, request: Request, output: int | None, descriptors: Sequence[int]
    ) -> JailedChild | Features:
        answer: asyncio.Future[JailedChild | Features] = self._loop.create_future()
        self._waiting[request.request_id] = _Waiting(answer, output)
        try:
            await self._send(encode_request(request), descriptors)
        except BaseException as error:
            self._refuse(request.request_id, error)
            raise
        try:
            return await answer
        except ConnectionResetError:
            await asyncio.wait({self._process.exited}, timeout=CLOSE_GRACE_S)
            words = self._process.output.strip()[-300:]
            raise ConnectionResetError(f"{LOST}. Its last words: {words or 'none'}") from None

    async def _send(self, packet: bytes, descriptors: Sequence[int]) -> None:
        async with self._sending:
            while True:
                if self.is_lost:
                    raise ConnectionResetError(LOST)
                try:
                    socket.send_fds(self._socket, [packet], descriptors)
                    return
                except BlockingIOError:
                    await asyncio.sleep(FULL_PAUSE_S)
                except OSError as error:
                    self._lost()
                    raise ConnectionResetError(LOST) from error

    # --- in

    def _read(self) -> None:
        try:
            packet, descriptors, _, _ = socket.recv_fds(
                self._socket, MAX_PACKET_BYTES, MAX_DESCRIPTORS, socket.MSG_CMSG_CLOEXEC
            )
            if packet:
                self._take(decode_reply(packet), descriptors)
            else:
                self._lost()
        except BlockingIOError:
            pass
        except (OSError, ZygoteWireError) as error:
            _log.warning("the zygote cannot be understood and is ended: %s", error)
            self._process.kill()
            self._lost()

    def _take(self, reply: Reply, descriptors: Sequence[int]) -> None:
        match reply:
            case Started(request_id=request_id, pid=pid):
                self._started(self._waiting.pop(request_id), request_id, pid, descriptors[0])
            case Features(request_id=request_id):
                _answer(self._waiting.pop(request_id).answer, reply)
            case Refused(request_id=request_id):
                self._refuse(request_id, JailRefused(reply))
            case Ended(request_id=request_id):
                exit_ = ChildExit(reply.returncode, reply.max_rss_bytes, reply.was_out_of_memory)
                self._children.pop(request_id).end(exit_)

    def _started(self, waiting: "_Waiting", request_id: int, pid: int, descriptor: int) -> None:
        assert waiting.output is not None
        child = JailedChild(pid, waiting.output, descriptor)
        self._children[request_id] = child
        if not _answer(waiting.answer, child):
            child.kill()  # nobody waits for it any more

    def _refuse(self, request_id: int, error: BaseException) -> None:
        waiting = self._waiting.pop(request_id, None)
        if waiting is None:
            return
        if waiting.output is not None:
            os.close(waiting.output)
        if not waiting.answer.done():
            waiting.answer.set_exception(error)
            waiting.answer.exception()  # looked at: whoever asked may have given up

    # --- the end

    def _lost(self) -> None:
        if self.is_lost:
            return
        self.is_lost = True
        self._loop.remove_reader(self._socket)
        self._socket.close()
        for request_id in list(self._waiting):
            self._refuse(request_id, ConnectionResetError(LOST))
        for child in self._children.values():
            child.end_without_zygote()
        self._children.clear()

    def _say_how_it_ended(self, ended: "asyncio.Future[ChildExit]") -> None:
        if not self._is_closing and not ended.cancelled():
            _log.warning(
                "the zygote ended with %s, and all sessions' processes with it; the next start "
                "makes a new one. %s",
                ended.result().returncode,
                self._process.output.strip(),
            )


@dataclass(frozen=True, slots=True)
class _Waiting:
    answer: "asyncio.Future[JailedChild | Features]"
    output: int | None  # what the child will print


def _answer(
    waiting: "asyncio.Future[JailedChild | Features]", answer: JailedChild | Features
) -> bool:
    if waiting.done():
        return False
    waiting.set_result(answer)
    return True
