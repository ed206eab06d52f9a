"""Server ⇄ zygote: one packet a message, as JSON; descriptors travel beside it. No I/O here."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from watchglass_jail.features import CONTROLLERS, Hierarchy, KernelFeatures
from watchglass_jail.policy import JailPolicy

__all__ = [
    "MAX_DESCRIPTORS",
    "MAX_PACKET_BYTES",
    "Ended",
    "Features",
    "FeaturesRequest",
    "Refused",
    "Reply",
    "Request",
    "StartRequest",
    "Started",
    "ZygoteWireError",
    "decode_reply",
    "decode_request",
    "encode_reply",
    "encode_request",
]

MAX_PACKET_BYTES: Final = 64 * 2**10
MAX_DESCRIPTORS: Final = 8
MAX_REQUEST_ID: Final = 2**53


class ZygoteWireError(ValueError):
    """A packet that is no message of this wire; `request_id` is whose it is, 0 when unknown."""

    def __init__(self, what: str, request_id: int = 0) -> None:
        super().__init__(what)
        self.request_id = request_id


@dataclass(frozen=True, slots=True)
class StartRequest:
    """Start this program in this jail. The descriptors beside it become 1 and 2, then 3, 4…

    In each of `cgroups` it gets a group of its own, limited as its policy says.
    """

    request_id: int
    argv: tuple[str, ...]
    environment: Mapping[str, str]
    policy: JailPolicy
    cgroups: tuple[Hierarchy, ...] = ()


@dataclass(frozen=True, slots=True)
class FeaturesRequest:
    """Try what this machine's kernel offers, and ask what this program consists of."""

    request_id: int
    program: str


@dataclass(frozen=True, slots=True)
class Started:
    """The program runs: its number as the server sees it, and a descriptor of it beside."""

    request_id: int
    pid: int


@dataclass(frozen=True, slots=True)
class Refused:
    """It was not started, or the request was none: which layer failed, of what, and what to do."""

    request_id: int
    layer: str
    what: str
    next_step: str


@dataclass(frozen=True, slots=True)
class Ended:
    """What wait() said of it; a signal is negative, as in subprocess.

    `was_out_of_memory`: the kernel has killed it at the limit of its group.
    """

    request_id: int
    returncode: int
    max_rss_bytes: int
    was_out_of_memory: bool = False


@dataclass(frozen=True, slots=True)
class Features:
    """What this machine's kernel offers, and the program with its libraries."""

    request_id: int
    features: KernelFeatures
    program: tuple[str, ...]


Request = StartRequest | FeaturesRequest
Reply = Started | Refused | Ended | Features

_REPLIES: Final[Mapping[str, type[Reply]]] = {
    "started": Started,
    "refused": Refused,
    "ended": Ended,
    "features": Features,
}


def encode_request(request: Request) -> bytes:
    """Return the packet. Raises ZygoteWireError when it would be too large."""
    message: dict[str, Any] = {"request_id": request.request_id}
    match request:
        case FeaturesRequest():
            message["type"] = "features"
            message["program"] = request.program
        case StartRequest():
            message["type"] = "start"
            message["argv"] = request.argv
            message["environment"] = dict(request.environment)
            message["policy"] = request.policy.to_json()
            message["cgroups"] = request.cgroups
    return _packet(message)


def decode_request(packet: bytes) -> Request:
    """Return the request, each field checked. Raises ZygoteWireError."""
    message = _message(packet)
    request_id = _request_id(message)
    try:
        match message.pop("type", None):
            case "features":
                _only(message, ("program",))
                return FeaturesRequest(request_id, _path(message["program"]))
            case "start":
                _only(message, ("argv", "environment", "policy", "cgroups"))
                return _start_request(request_id, message)
        raise ValueError("the type is neither 'start' nor 'features'")
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        raise ZygoteWireError(str(error), request_id) from error


def encode_reply(reply: Reply) -> bytes:
    """Return the packet."""
    name = next(name for name, kind in _REPLIES.items() if isinstance(reply, kind))
    message = {"type": name, **asdict(reply)}
    if isinstance(reply, Features):
        message["features"] = reply.features.to_json()
    return _packet(message)


def decode_reply(packet: bytes) -> Reply:
    """Return the reply. Raises ZygoteWireError."""
    message = _message(packet)
    kind = _REPLIES.get(str(message.pop("type", None)))
    try:
        if kind is Features:
            message["features"] = KernelFeatures.from_json(message["features"])
            message["program"] = tuple(message["program"])
        if kind is not None:
            return kind(**message)
    except (TypeError, ValueError, KeyError) as error:
        raise ZygoteWireError(str(error)) from error
    raise ZygoteWireError("the type is no reply's")


def _start_request(request_id: int, message: dict[str, Any]) -> StartRequest:
    argv, environment = message["argv"], message["environment"]
    if not argv or not isinstance(argv, list) or not all(map(_is_word, argv)):
        raise ValueError("argv is no list of words")
    _path(argv[0])
    if not isinstance(environment, dict) or not all(map(_is_word, environment.values())):
        raise ValueError("environment is no table of words")
    if not all(name and "=" not in name and _is_word(name) for name in environment):
        raise ValueError("environment has a name that cannot be")
    if not isinstance(message["policy"], str):
        raise ValueError("policy is no text")
    policy = JailPolicy.from_json(message["policy"])
    cgroups = tuple(map(_hierarchy, message["cgroups"]))
    return StartRequest(request_id, tuple(argv), environment, policy, cgroups)


def _hierarchy(given: object) -> Hierarchy:
    if not isinstance(given, list) or len(given) != 3:
        raise ValueError("cgroups has an entry that is no folder, controllers and version")
    folder, controllers, version = given
    if not isinstance(controllers, list) or not set(controllers) <= set(CONTROLLERS):
        raise ValueError(f"cgroups has other controllers than {', '.join(CONTROLLERS)}")
    if version not in (1, 2):
        raise ValueError("cgroups has a version that is neither 1 nor 2")
    return Hierarchy(_path(folder, "a group"), tuple(controllers), version)


def _path(value: object, what: str = "the program") -> str:
    if not isinstance(value, str) or not value.startswith("/") or "\0" in value:
        raise ValueError(f"{what} is not named from the root")
    return value


def _is_word(value: object) -> bool:
    # A zero would end it early where the kernel reads it.
    return isinstance(value, str) and "\0" not in value


def _only(message: dict[str, Any], names: tuple[str, ...]) -> None:
    if message.keys() != set(names):
        raise ValueError(f"the fields are not {', '.join(names) or 'none'}")


def _message(packet: bytes) -> dict[str, Any]:
    if len(packet) > MAX_PACKET_BYTES:
        raise ZygoteWireError(f"{len(packet)} bytes are more than {MAX_PACKET_BYTES}")
    try:
        message = json.loads(packet)
    except (ValueError, RecursionError) as error:
        raise ZygoteWireError(f"no JSON: {error}") from error
    if not isinstance(message, dict):
        raise ZygoteWireError("no JSON object")
    return message


def _request_id(message: dict[str, Any]) -> int:
    request_id = message.pop("request_id", None)
    if type(request_id) is not int or not 0 < request_id < MAX_REQUEST_ID:
        raise ZygoteWireError("request_id is no number from 1 up")
    return request_id


def _packet(message: dict[str, Any]) -> bytes:
    packet = json.dumps(message).encode()
    if len(packet) > MAX_PACKET_BYTES:
        raise ZygoteWireError(f"{len(packet)} bytes are more than {MAX_PACKET_BYTES}")
    return packet
