"""Executions ⇄ a Jupyter notebook (nbformat 4.5). Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from watchglass_sync.errors import ImportFormatError
from watchglass_sync.places import Place
from watchglass_sync.transcript import Output, TranscriptExecution

CELL_ID = re.compile(r"[A-Za-z0-9_-]{1,64}\Z")
METADATA: dict[str, Any] = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python", "file_extension": ".py", "mimetype": "text/x-python"},
}


def write_notebook(name: str, executions: Sequence[TranscriptExecution]) -> bytes:
    """The notebook file: one code cell an execution."""
    notebook = {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {**METADATA, "title": name},
        "cells": [_cell(index, one) for index, one in enumerate(executions, start=1)],
    }
    try:
        return json.dumps(notebook, ensure_ascii=False, indent=1).encode() + b"\n"
    except UnicodeEncodeError:  # lone surrogates exist only as escapes
        return json.dumps(notebook, indent=1).encode() + b"\n"


def _cell(index: int, one: TranscriptExecution) -> dict[str, Any]:
    about = {"status": one.status, "author": one.author, "duration_ms": one.duration_ms}
    return {
        "cell_type": "code",
        # Ids must be unique: an execution's own may be none that nbformat takes.
        "id": one.execution if CELL_ID.match(one.execution) else f"cell-{index}",
        "execution_count": one.number,
        "metadata": {"watchglass": {name: value for name, value in about.items() if value}},
        "source": _lines(one.code),
        "outputs": [_output(one.number, output) for output in one.outputs],
    }


def _output(number: int, output: Output) -> dict[str, Any]:
    data = output.data
    match output.type:
        case "stream":
            return {"output_type": "stream", "name": data["name"], "text": _lines(data["text"])}
        case "input":  # nbformat has no such output: the dialogue as a terminal shows it
            said = f"{data['prompt']}{data['text'] or ''}\n"
            return {"output_type": "stream", "name": "stdout", "text": _lines(said)}
        case "error":
            return {
                "output_type": "error",
                "ename": data["name"],
                "evalue": data["message"],
                "traceback": list(data["traceback"]),
            }
        case "execute_result":
            shown = {"output_type": "execute_result", "execution_count": number}
        case _:
            shown = {"output_type": "display_data"}
    return {**shown, "metadata": {}, "data": _bundle(data["bundle"])}


def _bundle(bundle: Mapping[str, Any]) -> dict[str, Any]:
    return {kind: _content(kind, content) for kind, content in bundle.items()}


def _content(kind: str, content: Any) -> Any:
    if _is_json(kind):
        return content
    return _lines(content) if isinstance(content, str) else json.dumps(content)


def _is_json(kind: str) -> bool:
    return kind == "application/json" or (kind.startswith("application/") and kind[-5:] == "+json")


def _lines(text: str) -> list[str]:
    """Text as nbformat likes it: a list of lines, each with its end."""
    *lines, last = text.split("\n")
    return [line + "\n" for line in lines] + ([last] if last else [])


def read_notebook(data: bytes) -> tuple[str | None, list[TranscriptExecution]]:
    """The notebook's title and executions. Text cells become comments, as nbconvert does."""
    root = Place.parse(data, "the notebook")
    major = root.get("nbformat").integer()
    if major != 4:
        raise ImportFormatError(
            f"the notebook has nbformat {major}, 4 is needed: open it in Jupyter and save it once, "
            "which brings it up to date"
        )
    cells = [
        _read_cell(number, cell)
        for number, cell in enumerate(root.get("cells").items("cell"), start=1)
    ]
    title = root.get("metadata", {}).get("title", None)
    return title.string() if isinstance(title.value, str) else None, cells


def _read_cell(number: int, cell: Place) -> TranscriptExecution:
    kind = cell.get("cell_type").one_of("code", "markdown", "raw")
    source = cell.get("source").text()
    if kind != "code":
        comment = "\n".join(f"# {line}".rstrip() for line in source.split("\n"))
        return TranscriptExecution("", number, comment, status="ok")
    outputs = [
        output
        for place in cell.get("outputs", []).items("output")
        for output in [_read_output(place)]
    ]
    about = cell.get("metadata", {}).get("watchglass", {})
    one = TranscriptExecution("", number, source, outputs=outputs)
    status = about.get("status", None).value
    one.status = status if isinstance(status, str) else ("error" if one.error else "ok")
    return one


def _read_output(place: Place) -> Output:
    kind = place.get("output_type").one_of("stream", "display_data", "execute_result", "error")
    return Output(kind, _READERS[kind](place))


def _read_stream(place: Place) -> dict[str, Any]:
    name = place.get("name").one_of("stdout", "stderr")
    return {"name": name, "text": place.get("text").text()}


def _read_error(place: Place) -> dict[str, Any]:
    return {
        "name": place.get("ename").string(),
        "message": place.get("evalue").string(),
        "traceback": [line.string() for line in place.get("traceback").items("line")],
        "line": None,
    }


def _read_bundle(place: Place) -> dict[str, Any]:
    data = place.get("data")
    return {
        "bundle": {
            kind: data.get(kind).value if _is_json(kind) else data.get(kind).text()
            for kind in data.object()
        }
    }


_READERS: Mapping[str, Callable[[Place], dict[str, Any]]] = {
    "stream": _read_stream,
    "error": _read_error,
    "display_data": lambda place: {**_read_bundle(place), "display_id": None},
    "execute_result": _read_bundle,
}
