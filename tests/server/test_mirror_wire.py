"""Every message of the server and its mirror's process comes back as it was sent."""

from __future__ import annotations

from typing import Any, get_args, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchglass_server import mirror_wire as wire
from watchglass_sync.remote_commands import RemoteCommand

KINDS = (*get_args(wire.ToMirror), *get_args(wire.FromMirror))
SECONDS = st.floats(allow_nan=False, allow_infinity=False)
COMMANDS = st.builds(
    RemoteCommand, arguments=st.dictionaries(st.text(), st.none() | st.text() | st.integers())
)


KNOWN: dict[Any, st.SearchStrategy[Any]] = {float: SECONDS, RemoteCommand: COMMANDS}


def message_of(kind: type[wire.Message]) -> st.SearchStrategy[wire.Message]:
    hints = get_type_hints(kind)
    return st.builds(
        kind, **{name: KNOWN[of] if of in KNOWN else st.from_type(of) for name, of in hints.items()}
    )


MESSAGES = st.sampled_from(KINDS).flatmap(message_of)


@given(MESSAGES)
def test_a_message_is_one_line_and_comes_back(message: wire.Message) -> None:
    line = wire.encoded(message)
    assert line.index(b"\n") == len(line) - 1
    reads = wire.to_mirror if isinstance(message, get_args(wire.ToMirror)) else wire.from_mirror
    assert reads(line) == message


def test_halves_of_surrogate_pairs_come_back() -> None:
    message = wire.Forgotten("\ud800 é \udfff")
    assert wire.from_mirror(wire.encoded(message)) == message


@pytest.mark.parametrize("line", [b"", b"{", b'{"is":"begin"}', b'{"is":"?"}', b"[]", b"\xff"])
def test_what_is_no_message_is_refused(line: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        wire.to_mirror(line)
