"""A range of the output is the same range of its text."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from watchglass_sync.outputs import cut, joined
from watchglass_sync.records import Chunk

CHUNKS = st.lists(
    st.builds(Chunk, st.sampled_from(("stdout", "stderr")), st.text(st.characters(), max_size=5))
)


def letters(chunks: list[Chunk]) -> list[tuple[str, str]]:
    return [(chunk.name, letter) for chunk in chunks for letter in chunk.text]


@given(CHUNKS, st.integers(0, 30), st.integers(-1, 30))
def test_a_range_has_exactly_its_letters_each_with_its_stream(
    chunks: list[Chunk], skip: int, limit: int
) -> None:
    expected = letters(chunks)[skip : skip + max(0, limit)]
    assert letters(cut(chunks, skip, limit)) == expected


@given(CHUNKS)
def test_joined_pieces_change_the_stream_each_time_and_lose_nothing(chunks: list[Chunk]) -> None:
    pieces = joined(chunks)
    assert letters(pieces) == letters(chunks)
    assert all(piece.text for piece in pieces)
    assert all(a.name != b.name for a, b in pairwise(pieces))
