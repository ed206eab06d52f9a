"""A client that sends anything at all: packets and calls that are wrong in some place."""

from __future__ import annotations

import json
from random import Random
from typing import Any

from engineio.payload import Payload
from socketio import packet

from tests.support.mutation import ODD, Mutation
from watchglass_server import json_wire
from watchglass_server.messages import CALLS, decode_command
from watchglass_server.refusals import Refused
from watchglass_server.socketio_server import MALFORMED, StrictPacket

PATH: list[Any] = ["units", {"index": 3}, {"attr": "hp"}, {"key": "gold"}]
CALLED: dict[str, dict[str, Any]] = {
    "server.info": {},
    "session.list": {},
    "session.create": {"name": "n", "limits": {"memory_bytes": 2**29, "wall_s": 1.5}},
    "session.join": {"session": "S", "token": "t", "name": "Ada", "since": 0},
    "session.leave": {"session": "S"},
    "session.rename": {"session": "S", "name": "n"},
    "session.destroy": {"session": "none"},
    "session.share": {"session": "S", "role": "viewer", "expires_in_s": 5, "max_uses": 1},
    "session.shares": {"session": "S"},
    "session.revoke": {"session": "S", "share": "s"},
    "participant.remove": {"session": "S", "participant": "p"},
    "execution.list": {"session": "S", "before": 5, "limit": 5},
    "execute": {"session": "S", "code": "x = 1", "execution": "e1"},
    "interrupt": {"session": "S", "execution": "e1"},
    "input.reply": {"session": "S", "request": 1, "text": "t"},
    "complete": {"session": "S", "code": "pri", "cursor": 3},
    "inspect": {"session": "S", "code": "print", "cursor": 3},
    "is_complete": {"session": "S", "code": "for i in x:"},
    "variable.get": {"session": "S", "path": PATH, "offset": 0, "limit": 5},
    "variable.set": {"session": "S", "name": "x", "value": [1, {"a": None}], "if_version": 1},
    "variable.repr": {"session": "S", "path": PATH},
    "frames": {"session": "S"},
    "view.set": {"session": "S", "names": ["x"], "windows": [{"path": PATH}], "line": True},
    "variable.delete": {"session": "S", "name": "x"},
    "variable.history": {"session": "S", "name": "x", "before_seq": 9, "limit": 2},
    "watch.add": {"session": "S", "expression": "x", "condition": "value > 1"},
    "watch.remove": {"session": "S", "watch": "w1"},
    "watch.history": {"session": "S", "watch": "w1"},
    "output.read": {"session": "S", "execution": "e1", "offset": 0, "limit": 5},
    "script.list": {"session": "S"},
    "script.load": {"session": "S", "path": "a.py", "kind": "script", "reload": "auto"},
    "session.fork": {"session": "S", "checkpoint": "c"},
}
_KINDS = "0123456789"


def call_packet(random: Random, session: str = "S") -> str:
    """A Socket.IO packet: mostly an event with a call in it, nearly right."""
    mutation = Mutation(random)
    name = random.choice(sorted(CALLED))
    example = dict(CALLED[name])
    if example.get("session") == "S":
        example["session"] = session
    arguments: list[Any] = [name, mutation.message(example)]
    chance = random.random()
    if chance < 0.05:
        arguments[random.randrange(2)] = random.choice(ODD)
    elif chance < 0.08:
        arguments += [random.choice(ODD)] * random.choice((1, 3))
    elif chance < 0.1:
        del arguments[random.randrange(2)]
    text = mutation.text(arguments).decode("utf-8", "replace")
    kind = "2" if random.random() < 0.9 else random.choice(_KINDS)
    middle = random.choice(
        ("", "1", "17", "17", "17", "17", "999999", "9" * 200, "/x,", "/,5", "3-")
    )
    return kind + (middle if random.random() < 0.3 else "17") + text


def payload(random: Random, session: str = "S") -> bytes:
    """What is posted in long polling: some packets, at times damaged."""
    packets = [
        random.choice(("4", "4", "4", "4", "b", "1", "2", "6", "")) + call_packet(random, session)
        for _ in range(random.choice((1, 2, 3, 20)))
    ]
    data = "\x1e".join(packets).encode("utf-8", "surrogatepass")
    return Mutation(random).damaged(data) if random.random() < 0.5 else data


def take(encoded: str | bytes) -> str:
    """Decode a packet as the gateway does; return what became of it. Raises nothing."""
    read = StrictPacket(encoded_packet=encoded)
    if read.packet_type != packet.EVENT:
        return "no event"
    event, *arguments = read.data
    assert isinstance(event, str)
    if event == MALFORMED:
        json_wire.dumps(arguments)
        return "malformed"
    try:
        command = decode_command(event, arguments[0] if arguments else None)
    except Refused as refused:
        words = refused.error
        assert words.message, "a refusal without words"
        assert len(json_wire.dumps([words.message, words.hint, words.field])) < 5000
        return refused.error.code
    assert isinstance(command, CALLS[event].command)
    return "taken"


def take_payload(data: bytes) -> None:
    """Decode what was posted, as Engine.IO does. Raises what the server takes for malformed."""
    for one in Payload(encoded_payload=data.decode("utf-8")).packets:
        if isinstance(one.data, str | bytes):
            take(one.data)


def written(value: Any) -> str:
    """The value as a client writes it."""
    return json.dumps(value, separators=(",", ":"))
