"""Code-point arithmetic over pieces of output: which of them a range needs. No I/O here."""

from __future__ import annotations

from collections.abc import Iterable

from watchglass_sync.records import Chunk


def cut(chunks: Iterable[Chunk], skip: int, limit: int) -> list[Chunk]:
    """`limit` code points after the first `skip`; neighbours of one stream become one piece."""
    taken: list[Chunk] = []
    for chunk in chunks:
        if limit <= 0:
            break
        text = chunk.text[skip : skip + limit]
        skip = max(0, skip - len(chunk.text))
        limit -= len(text)
        if text:
            taken.append(Chunk(chunk.name, text))
    return joined(taken)


def joined(chunks: Iterable[Chunk]) -> list[Chunk]:
    """The same text in as few pieces as the order of the streams allows."""
    runs: list[tuple[str, list[str]]] = []
    for chunk in chunks:
        if not chunk.text:
            continue
        if runs and runs[-1][0] == chunk.name:
            runs[-1][1].append(chunk.text)
        else:
            runs.append((chunk.name, [chunk.text]))
    return [Chunk(name, "".join(texts)) for name, texts in runs]
