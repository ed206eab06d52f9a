"""The errors of the server, in one tree:

WatchglassError
├── PeerError                 the other side broke its rules, or is gone
│   ├── FrameError            bytes that are no frame (frames.py)
│   ├── HostProtocolError     a message that a Node host may not send now (host_protocol.py)
│   ├── AnswerError           an answer that is none to what was asked (host_answers.py)
│   ├── ProcessStartError     a process ended before it was ready
│   └── ProcessDied           a process ended with something still owed to us
├── QueryError                a Node host answered a query with an error
├── InvalidState              we called at the wrong time: a bug on our side
├── Unavailable               nothing free, or too late
│   ├── PoolClosed
│   ├── PoolTimeout
│   ├── TooManyRequests
│   └── QueryTimeout
└── SetupError                something on this machine is missing or broken
    ├── AssetsError           Node, Pyodide or our own files
    ├── ImageError            the base image cannot be built
    └── IsolationError        the isolation that was asked for does not hold
"""

from collections.abc import Mapping
from typing import Any

from watchglass_server.exit_info import ExitInfo


class WatchglassError(Exception):
    """The root of all errors of this package."""


# --- The other side broke its rules, or is gone.


class PeerError(WatchglassError):
    """The other side broke its rules, or is gone."""


class AnswerError(PeerError):
    """A process answered a question with something that is no answer to it."""


class ProcessStartError(PeerError):
    """The process ended, or was ended, before it was ready."""

    def __init__(self, exit_info: ExitInfo) -> None:
        super().__init__(exit_info.message)
        self.exit = exit_info


class ProcessDied(PeerError):
    """The process ended with something still owed to us."""

    def __init__(self, exit_info: ExitInfo) -> None:
        super().__init__(exit_info.message)
        self.exit = exit_info


class QueryError(WatchglassError):
    """The Node host answered a query with an error; `code` is one of docs/protocol.md's."""

    def __init__(self, code: str, message: str, hint: str, detail: Mapping[str, Any]) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint
        self.detail = detail  # fields beside these three: `conflict` carries "variable"


# --- We called wrongly.


class InvalidState(WatchglassError, RuntimeError):
    """We called at the wrong time: a bug on our side."""


# --- Nothing free, or too late.


class Unavailable(WatchglassError):
    """Nothing free, or too late: try again later, or allow more."""


class PoolClosed(Unavailable):
    """The pool is closed, or was closed while somebody waited."""


class PoolTimeout(Unavailable):
    """No process was free in time."""


class TooManyRequests(Unavailable):
    """Too many are waiting for a process already."""


class QueryTimeout(Unavailable):
    """The process did not answer a query in time."""


# --- This machine.


class SetupError(WatchglassError):
    """Something on this machine is missing or broken; the message says what to do."""


class AssetsError(SetupError):
    """Node, Pyodide or our own files are missing or broken."""


class ImageError(SetupError):
    """The base image cannot be built."""


class IsolationError(SetupError):
    """The isolation that was asked for does not hold on this machine."""
