"""Server ⇄ zygote: starts each session's process in its jail, a copy of this small one at first.

One thread and no state but its children: what a server holds, a session's process never had.
"""

import contextlib
import fcntl
import itertools
import json
import os
import selectors
import signal
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, NoReturn

from watchglass_jail.cgroups import enter_cgroups, was_out_of_memory
from watchglass_jail.confine import confine
from watchglass_jail.errors import JailError
from watchglass_jail.libraries import libraries_of
from watchglass_jail.namespaces import fork_into_namespaces
from watchglass_jail.program import execute
from watchglass_jail.server_groups import ServerGroups, process_limits, sessions_limits
from watchglass_jail.trials import read_features
from watchglass_jail.zygote_wire import (
    MAX_DESCRIPTORS,
    MAX_PACKET_BYTES,
    Ended,
    Features,
    FeaturesRequest,
    Refused,
    Reply,
    Started,
    StartRequest,
    ZygoteWireError,
    decode_request,
    encode_reply,
)

__all__ = ["Zygote"]

# Where a child keeps its descriptors while they are put in order.
FIRST_SPARE: Final = 64
MAX_STATUS_BYTES: Final = 4096
NOT_STARTED: Final = 127


@dataclass(eq=False, slots=True)
class _Child:
    request_id: int  # 0: nobody waits for it
    pid: int
    descriptor: int  # becomes readable when it ends
    status: int | None  # where it says what failed; closed by the start of its program
    groups: tuple[str, ...] = ()


class Zygote:
    """The children of one server, and the socket by which it asks for them."""

    def __init__(self, server: socket.socket) -> None:
        self._server = server
        self._selector = selectors.DefaultSelector()
        self._children: set[_Child] = set()
        self._groups: ServerGroups | None = None  # made for the first child that asks for some
        self._group_numbers = itertools.count(1)
        self._is_serving = True
        self._watch(server.fileno(), self._read)

    def serve(self) -> None:
        """Answer until the server has ended, then end every child."""
        try:
            while self._is_serving:
                for key, _ in self._selector.select():
                    if key.fd in self._selector.get_map():  # not if another one has closed it
                        key.data()
        except (BrokenPipeError, ConnectionResetError):
            pass
        finally:
            self._end_all()

    # --- requests

    def _read(self) -> None:
        packet, descriptors, flags, _ = socket.recv_fds(
            self._server, MAX_PACKET_BYTES + 1, MAX_DESCRIPTORS, socket.MSG_CMSG_CLOEXEC
        )
        try:
            if packet or descriptors:
                self._answer(packet, descriptors, flags)
            else:
                self._is_serving = False
        finally:
            for descriptor in descriptors:
                os.close(descriptor)

    def _answer(self, packet: bytes, descriptors: Sequence[int], flags: int) -> None:
        try:
            if flags & socket.MSG_CTRUNC:
                raise ZygoteWireError(f"there are more descriptors than {MAX_DESCRIPTORS}")
            request = decode_request(packet)
            if isinstance(request, FeaturesRequest):
                self._tell_features(request)
            elif descriptors:
                self._start(request, descriptors)
            else:
                raise ZygoteWireError("no descriptor for its output", request.request_id)
        except ZygoteWireError as error:
            step = "This is a fault of ours: report it."
            self._send(Refused(error.request_id, "request", str(error), step))

    def _tell_features(self, request: FeaturesRequest) -> None:
        try:
            program = libraries_of(request.program)
            features = read_features(movable=(os.getpid(), os.getppid()))
            self._send(Features(request.request_id, features, program))
        except (JailError, OSError) as error:
            self._send(_refused(request.request_id, error))

    def _start(self, request: StartRequest, descriptors: Sequence[int]) -> None:
        status, child_status = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        try:
            pid = fork_into_namespaces(request.policy)
            if pid == 0:
                _become(request, descriptors, child_status)
            descriptor = os.pidfd_open(pid)
        except (JailError, OSError) as error:
            os.close(status)
            self._send(_refused(request.request_id, error))
            return
        finally:
            os.close(child_status)
        child = _Child(request.request_id, pid, descriptor, status)
        self._children.add(child)
        self._watch(status, lambda: self._hear(child))
        self._watch(descriptor, lambda: self._reap(child))
        self._put_into_groups(child, request)

    # --- children

    def _put_into_groups(self, child: _Child, request: StartRequest) -> None:
        """Do it from here: the child, in a namespace of groups, could not leave ours.

        The first move after a while takes the kernel up to 25 ms. The child starts its program
        meanwhile, and what that allocates until then stays counted with us; that it has started
        is told afterwards, and before that a session's process gets nothing to do.
        """
        if not request.cgroups:
            return
        try:
            if self._groups is None:
                name = f"{os.getpid()}-{os.urandom(4).hex()}"  # numbers may be there twice
                self._groups = ServerGroups(request.cgroups, name, sessions_limits())
            limits = process_limits(request.policy)
            child.groups = self._groups.add(str(next(self._group_numbers)), limits)
            enter_cgroups(child.groups, child.pid)
        except JailError as error:
            child.request_id = 0
            os.kill(child.pid, signal.SIGKILL)
            self._send(_refused(request.request_id, error))

    def _hear(self, child: _Child) -> None:
        """Tell what the child said when it could not start; saying nothing, it has started."""
        if child.status is None:
            return
        said = os.read(child.status, MAX_STATUS_BYTES)
        self._unwatch(child.status)
        child.status = None
        if not child.request_id:
            return
        if said:
            layer, what, next_step = json.loads(said)
            self._send(Refused(child.request_id, layer, what, next_step))
            child.request_id = 0
        else:
            self._send(Started(child.request_id, child.pid), child.descriptor)

    def _reap(self, child: _Child) -> None:
        self._hear(child)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, signal.SIGKILL)  # its number is its own until it is waited for
        _, status, usage = os.wait4(child.pid, 0)
        self._unwatch(child.descriptor)
        self._children.remove(child)
        is_memory = was_out_of_memory(child.groups)
        self._remove_groups(child)
        if child.request_id:
            returncode = os.waitstatus_to_exitcode(status)
            max_rss_bytes = usage.ru_maxrss * 1024
            self._send(Ended(child.request_id, returncode, max_rss_bytes, is_memory))

    def _remove_groups(self, child: _Child) -> None:
        if self._groups is not None:
            self._groups.remove(child.groups)

    def _end_all(self) -> None:
        for child in self._children:
            for kill in (os.killpg, os.kill):
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    kill(child.pid, signal.SIGKILL)
        for child in self._children:
            os.waitpid(child.pid, 0)
            self._remove_groups(child)
        if self._groups is not None:
            self._groups.close()

    # --- descriptors

    def _send(self, reply: Reply, *descriptors: int) -> None:
        socket.send_fds(self._server, [encode_reply(reply)], descriptors)

    def _watch(self, descriptor: int, act: Callable[[], None]) -> None:
        self._selector.register(descriptor, selectors.EVENT_READ, act)

    def _unwatch(self, descriptor: int) -> None:
        self._selector.unregister(descriptor)
        os.close(descriptor)


def _become(request: StartRequest, descriptors: Sequence[int], status: int) -> NoReturn:
    """In the child: become the program, or say why not."""
    refused: Any = None
    try:
        status = _spare(status)
        numbers = _arrange(descriptors)
        confine(request.policy, keep=(*numbers, status))
        execute(request.argv, request.environment)
    except BaseException as error:
        refused = _refused(request.request_id, error)
        said = json.dumps((refused.layer, refused.what[:1000], refused.next_step[:1000]))
        os.write(status, said.encode())
    finally:
        os._exit(NOT_STARTED)


def _arrange(descriptors: Sequence[int]) -> list[int]:
    """Make the first one standard output and error, the others 3 and up; return their numbers."""
    nothing = _spare(os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC))
    spared = [_spare(descriptor) for descriptor in descriptors]
    for number, descriptor in enumerate((nothing, spared[0], *spared)):
        os.dup2(descriptor, number)
    return list(range(3, 2 + len(descriptors)))


def _spare(descriptor: int) -> int:
    """Return a copy with a number that is in nobody's way."""
    return fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, FIRST_SPARE)


def _refused(request_id: int, error: BaseException) -> Refused:
    if isinstance(error, JailError):
        return Refused(request_id, error.layer, error.what, error.next_step)
    if isinstance(error, OSError):
        step = "Look whether the file is there and may be run, and how much memory is left."
        return Refused(request_id, "program", str(error), step)
    return Refused(request_id, "program", repr(error), "This is a fault of ours: report it.")
