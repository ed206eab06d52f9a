"""What goes out as .py, .ipynb or .json comes in again; what is malformed is named."""

from __future__ import annotations

import ast
import contextlib
import itertools
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchglass_sync.errors import ExportError, ImportFormatError, SessionUnknown
from watchglass_sync.exports import NOTEBOOK_TEXT, Exported, export_session
from watchglass_sync.imports import SHOWN_TEXT, TAIL_TEXT, Imported, import_events, read_import
from watchglass_sync.journal import Journal
from watchglass_sync.records import Event, EventRecord, OutputRecord, Record, SessionRecord
from watchglass_sync.scripts import read_script, write_script
from watchglass_sync.transcript import Output, Transcript, TranscriptExecution

TIME = "2026-01-31T12:00:00.123456Z"
PNG = "iVBORw0KGgo="
SESSION: list[tuple[str, dict[str, Any]]] = [
    ("execution.queued", {"execution": "e1", "number": 1, "code": "x = 41", "author": "Ana"}),
    ("execution.started", {"execution": "e1", "number": 1, "code": "x = 41", "author": "Ana"}),
    (
        "variables.changed",
        {"changes": [{"op": "set", "name": n, "variable": {"name": n}} for n in "xy"]},
    ),
    ("variables.changed", {"changes": [{"op": "delete", "name": "y", "variable": None}]}),
    ("execution.finished", {"execution": "e1", "status": "ok", "duration_ms": 1.5}),
    ("execution.queued", {"execution": "e.2", "number": 2, "code": "show()\n1/0", "author": None}),
    ("stream", {"execution": "e.2", "name": "stdout", "text": "añ\n"}),
    ("stream", {"execution": "e.2", "name": "stdout", "text": "b\x00\ud800"}),
    ("stream", {"execution": "e.2", "name": "stderr", "text": "oh"}),
    ("stream", {"execution": None, "name": "stderr", "text": "nobody's"}),
    (
        "display_data",
        {"execution": "e.2", "bundle": {"text/plain": "old"}, "display_id": "d"},
    ),
    (
        "update_display_data",
        {
            "execution": None,
            "bundle": {"image/png": PNG, "application/json": {"a": [1]}},
            "display_id": "d",
        },
    ),
    (
        "input.requested",
        {"execution": "e.2", "request": 1, "prompt": "who? ", "password": False},
    ),
    (
        "input.answered",
        {"execution": "e.2", "request": 1, "prompt": "who? ", "password": False, "text": "me"},
    ),
    (
        "execute_result",
        {"execution": "e.2", "number": 2, "bundle": {"text/plain": "1", "text/html": "<b>1</b>"}},
    ),
    (
        "error",
        {
            "execution": "e.2",
            "name": "ZeroDivisionError",
            "message": "division by zero",
            "traceback": ["Traceback", "…"],
            "line": 2,
        },
    ),
    ("execution.finished", {"execution": "e.2", "status": "error", "duration_ms": 3.0}),
    ("execution.queued", {"execution": "e3", "number": 3, "code": "", "author": "Ana"}),
]


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[Journal]:
    async with await Journal.open(tmp_path) as journal:
        records: list[Record] = [
            EventRecord(seq, TIME, kind, data) for seq, (kind, data) in enumerate(SESSION, start=1)
        ]
        fields = {"name": "my: game", "created_at": TIME, "secret": "no"}
        await journal.append("s", [SessionRecord(fields), *records])
        yield journal


def again(exported: Exported) -> Imported:
    return read_import(exported.data, exported.filename.rpartition(".")[2])


async def test_a_script_has_each_execution_under_its_number(journal: Journal) -> None:
    exported = await export_session(journal, "s", "py")
    assert exported.filename == "my-game.py"
    assert exported.data.decode() == (
        "# A Watchglass session: my: game\n\n"
        "# In[1]\nx = 41\n\n# In[2]\nshow()\n1/0\n\n# In[3]\n\n\n"
    )
    imported = again(exported)
    assert imported.name == "my: game"
    assert [one.code for one in imported.executions] == ["x = 41", "show()\n1/0", ""]


async def test_a_notebook_is_valid_by_its_schema_and_keeps_all_outputs(journal: Journal) -> None:
    exported = await export_session(journal, "s", "ipynb")
    document = json.loads(exported.data)
    nbformat.validate(document, relax_add_props=False)
    assert (document["nbformat"], document["nbformat_minor"]) == (4, 5)
    outputs = document["cells"][1]["outputs"]
    assert [one["output_type"] for one in outputs] == [
        "stream",
        "stream",
        "display_data",
        "stream",
        "execute_result",
        "error",
    ]
    assert outputs[2]["data"] == {"image/png": [PNG], "application/json": {"a": [1]}}
    assert outputs[3]["text"] == ["who? me\n"]
    imported = again(exported)
    assert imported.name == "my: game"
    assert [one.status for one in imported.executions] == ["ok", "error", "queued"]
    assert imported.executions[1].outputs[0].data["text"] == "añ\nb\x00\ud800"


async def test_an_archive_is_complete_and_holds_no_secret(journal: Journal) -> None:
    exported = await export_session(journal, "s", "json")
    document = json.loads(exported.data)
    assert document["session"] == {"name": "my: game", "created_at": TIME}
    assert document["variables"] == [{"name": "x"}]
    assert [(one["type"], one["data"]) for one in document["events"]] == SESSION
    imported = again(exported)
    assert imported.executions[1].duration_ms == 3.0
    assert [output.type for output in imported.executions[1].outputs] == [
        "stream",
        "stream",
        "display_data",
        "input",
        "execute_result",
        "error",
    ]


async def test_an_imported_archive_exports_as_the_same_executions(journal: Journal) -> None:
    first = again(await export_session(journal, "s", "json"))
    ids = (f"n{number}" for number in itertools.count(1))
    log = import_events(first, "Ana", lambda: next(ids))
    events = [EventRecord(seq, TIME, *one) for seq, one in enumerate(log.events, start=1)]
    await journal.append("t", [SessionRecord({"name": "copy"}), *events, *log.outputs])
    second = again(await export_session(journal, "t", "json"))
    assert [one.code for one in second.executions] == [one.code for one in first.executions]
    assert [one.outputs for one in second.executions] == [one.outputs for one in first.executions]
    assert [one.status for one in second.executions] == ["ok", "error", "cancelled"]


async def test_output_that_was_cut_for_clients_is_whole_in_the_archive(journal: Journal) -> None:
    text = "0123456789" * (NOTEBOOK_TEXT // 10 + 1)
    code = {"execution": "f", "number": 1, "code": "flood()", "author": None}
    events = [
        EventRecord(1, TIME, "execution.queued", code),
        EventRecord(2, TIME, "stream", {"execution": "f", "name": "stdout", "text": text[:5]}),
        EventRecord(3, TIME, "stream.truncated", {"execution": "f", "dropped_bytes": 1}),
    ]
    await journal.append("t", [SessionRecord({}), OutputRecord("f", "stdout", text), *events])
    [archived] = again(await export_session(journal, "t", "json")).executions
    assert archived.outputs == [Output("stream", {"name": "stdout", "text": text})]
    [noted] = again(await export_session(journal, "t", "ipynb")).executions
    assert noted.outputs[0].data["text"] == text[:NOTEBOOK_TEXT]
    assert f"{len(text) - NOTEBOOK_TEXT} more characters" in noted.outputs[1].data["text"]


def test_an_imported_flood_is_cut_for_clients_and_kept_whole() -> None:
    parts = [("stdout", "a" * SHOWN_TEXT), ("stderr", "é" * 10), ("stdout", "z" * TAIL_TEXT)]
    outputs = [Output("stream", {"name": name, "text": text}) for name, text in parts]
    one = TranscriptExecution("", 1, "flood()", outputs=outputs)
    log = import_events(Imported(None, [one]), None, lambda: "e")
    shown = "".join(str(data["text"]) for kind, data in log.events if kind == "stream")
    assert shown == "a" * SHOWN_TEXT
    [cut] = [data for kind, data in log.events if kind == "stream.truncated"]
    assert cut["dropped_bytes"] == 20
    assert cut["tail"] == [{"name": "stdout", "text": "z" * TAIL_TEXT}]
    assert sum(len(record.text) for record in log.outputs) == sum(len(text) for _, text in parts)


async def test_an_unknown_format_and_session_are_named(journal: Journal) -> None:
    with pytest.raises(ExportError, match="choose one of py, ipynb, json"):
        await export_session(journal, "s", "pdf")
    with pytest.raises(SessionUnknown):
        await export_session(journal, "nobody", "py")
    with pytest.raises(ImportFormatError, match="choose one of"):
        read_import(b"", "pdf")


@given(st.lists(st.one_of(st.text(), st.from_regex(r"(# ?\\{0,2}(In ?\[\d\]:?|%%)\n?){1,3}"))))
def test_any_code_comes_back_from_a_script_as_it_was(codes: list[str]) -> None:
    executions = [TranscriptExecution("", n, code) for n, code in enumerate(codes, start=1)]
    name, found = read_script(write_script("a\nb", executions))
    assert name == "a b"
    assert [one.code for one in found] == codes


def test_code_that_was_no_python_is_a_comment_in_the_script_and_code_again_after() -> None:
    error = Output("error", {"name": "SyntaxError", "message": "", "traceback": []})
    broken = TranscriptExecution("", 1, "x = = 1\n# y", status="error", outputs=[error])
    good = TranscriptExecution("", 2, "await f()", status="error", outputs=[error])
    data = write_script("s", [broken, good])
    ast.parse(data.replace(b"await ", b""))
    assert [one.code for one in read_script(data)[1]] == ["x = = 1\n# y", "await f()"]


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("import this\n\nprint(1)\n", ["import this\n\nprint(1)"]),
        ("#!/usr/bin/env python\n# coding: utf-8\n\n# In[1]:\n\n\nx = 1\n\n\n# In[ ]:\n\n\ny\n",
         ["#!/usr/bin/env python\n# coding: utf-8", "x = 1", "y"]),
        ("# %%\na = 1\n\n# %% [markdown]\n# Text\n#%%\nb", ["a = 1", "# Text", "b"]),
        ("", []),
    ],
)  # fmt: skip
def test_scripts_of_others_are_cut_at_the_marks_that_they_know(text: str, codes: list[str]) -> None:
    assert [one.code for one in read_script(text.encode())[1]] == codes


def test_text_cells_of_a_notebook_become_comments() -> None:
    cells = [
        {"cell_type": "markdown", "metadata": {}, "source": ["# Title\n", "\n", "text"]},
        {"cell_type": "code", "metadata": {}, "source": "1", "outputs": []},
    ]
    document = {"nbformat": 4, "nbformat_minor": 2, "metadata": {}, "cells": cells}
    found = read_import(json.dumps(document).encode(), "ipynb").executions
    assert [one.code for one in found] == ["# # Title\n#\n# text", "1"]


def notebook(**cell: object) -> bytes:
    first = {"cell_type": "code", "source": "", "outputs": []}
    return json.dumps({"nbformat": 4, "cells": [first, {**first, **cell}]}).encode()


def archive(**execution: object) -> bytes:
    one = {"number": 1, "code": "", "status": "ok", "outputs": [], **execution}
    head = {"format": "watchglass-session", "version": 1}
    return json.dumps({**head, "executions": [one]}).encode()


@pytest.mark.parametrize(
    ("file_format", "data", "place"),
    [
        ("py", b"x = 1\n\xff", "line 2: the file is not UTF-8"),
        ("ipynb", b"\xff", "not UTF-8"),
        ("ipynb", b'{"cells": [}', "line 1, column 12"),
        ("ipynb", b"[" * 100_000, "cannot be read"),
        ("ipynb", b"[]", "the notebook: expected an object, found []"),
        ("ipynb", b"{}", "nbformat is missing"),
        ("ipynb", b'{"nbformat": 3}', "nbformat 3, 4 is needed"),
        ("ipynb", b'{"nbformat": true}', "nbformat: expected a whole number, found true"),
        ("ipynb", b'{"nbformat": 4, "cells": 1}', "cells: expected a list, found 1"),
        ("ipynb", notebook(cell_type="x"), "cell 2, cell_type: expected 'code' or"),
        ("ipynb", notebook(source=[1]), "cell 2, source: expected text"),
        ("ipynb", notebook(outputs=[3]), "cell 2, output 1: expected an object, found 3"),
        (
            "ipynb",
            notebook(outputs=[{"output_type": "stream", "name": "stdlog", "text": ""}]),
            "cell 2, output 1, name: expected 'stdout' or 'stderr', found \"stdlog\"",
        ),
        (
            "ipynb",
            notebook(outputs=[{"output_type": "display_data", "data": {"text/html": 5}}]),
            "cell 2, output 1, data, text/html: expected text, found 5",
        ),
        (
            "ipynb",
            notebook(outputs=[{"output_type": "error", "ename": "E", "evalue": ""}]),
            "cell 2, output 1, traceback is missing",
        ),
        ("json", b"{}", "no session that Watchglass exported"),
        ("json", b'{"format": "watchglass-session", "version": 9}', "newer than 1"),
        ("json", archive(status="odd"), "execution 1, status: expected 'ok' or"),
        ("json", archive(code=None), "execution 1, code: expected a string, found null"),
        ("json", archive(outputs=[{"type": "stream"}]), "execution 1, output 1, data is missing"),
        (
            "json",
            archive(outputs=[{"type": "input", "data": {"request": 1}}]),
            "execution 1, output 1, data, prompt is missing",
        ),
    ],
)
def test_a_malformed_file_is_refused_with_the_place(
    file_format: str, data: bytes, place: str
) -> None:
    with pytest.raises(ImportFormatError) as caught:
        read_import(data, file_format)
    assert place in str(caught.value)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ("format", "version", "nbformat", "cells", "source", "outputs", "executions")
            ),
            inner,
        )
    ),
    max_leaves=12,
)


@given(JSON, st.sampled_from(("ipynb", "json")))
def test_no_document_makes_anything_but_executions_or_a_named_error(
    value: Any, file_format: str
) -> None:
    if isinstance(value, dict):
        value |= {"nbformat": 4, "format": "watchglass-session", "version": 1}
    with contextlib.suppress(ImportFormatError):
        assert isinstance(read_import(json.dumps(value).encode(), file_format), Imported)


def test_a_reset_replaces_what_was_known_of_the_variables() -> None:
    transcript = Transcript()
    events: list[tuple[str, dict[str, object]]] = [
        ("variables.changed", {"changes": [{"op": "set", "name": "x", "variable": {"name": "x"}}]}),
        ("state.reset", {"variables": [{"name": "z"}]}),
    ]
    for kind, data in events:
        transcript.apply(Event(1, TIME, kind, data))
    assert transcript.variables == {"z": {"name": "z"}}
