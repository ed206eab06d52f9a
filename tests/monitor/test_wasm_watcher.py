"""Tests of wasm_watcher.py and of the ladder under it, in the real process."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.support.node_host import Conversation
from watchglass_server.host_messages import DeleteChange, SetChange, VariablesChanged
from watchglass_server.process import ProcessConfig, PyodideProcess

pytestmark = pytest.mark.slow

RUNG = """
import gc
_monitors = [o for o in gc.get_objects() if type(o).__name__ == "VariableMonitor"]
[o.rung for o in _monitors if o._native is not None]
"""
WITHOUT_OURS = """
import ctypes
for number in range(2, 8):
    try:
        ctypes.pythonapi.PyDict_ClearWatcher(number)
    except ValueError:
        pass
"""
ALL_TAKEN = """
_kind = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int, *[ctypes.c_void_p] * 3)
_callback = _kind(lambda *_: 0)
for number in range(2, 8):
    ctypes.pythonapi.PyDict_AddWatcher(_callback)
"""


async def told(talk: Conversation, code: str) -> dict[str, tuple[object, int | None]]:
    """The last value and line told of each name by an execution; None for a deletion."""
    known = len(talk.seen)
    await talk.execute(code)
    return {
        change.name: (
            change.variable.value if isinstance(change, SetChange) else None,
            change.line,
        )
        for event in talk.seen[known:]
        if isinstance(event, VariablesChanged)
        for change in event.changes
        if isinstance(change, SetChange | DeleteChange)
    }


async def rung_of(talk: Conversation) -> str:
    return await talk.evaluate(RUNG)


@pytest.mark.parametrize("with_image", [True, False])
async def test_it_is_the_top_rung_with_and_without_an_image(
    config: ProcessConfig, with_image: bool
) -> None:
    async with PyodideProcess(config if with_image else replace(config, image=None)) as process:
        assert process.ready.rung == "wasm-watcher"
        talk = Conversation(process)
        assert await told(talk, "x = 1\n\ny = 2") == {"x": (1, 1), "y": (2, 3)}
        assert await rung_of(talk) == "['wasm-watcher']"
        await talk.close()


async def test_lines_are_those_of_the_users_code_wherever_the_store_is_made(
    talk: Conversation,
) -> None:
    code = (
        "def f():\n  global a\n  a = 1\nf()\n"
        "exec('\\n\\nb = 2')\nglobals()['c'] = 3\nglobals().update(d=4)\n"
        "import json; [e := 5 for _ in 'x']; sorted([1], key=lambda n: globals().update(g=6))"
    )
    found = await told(talk, code)
    lines = {name: line for name, (_, line) in found.items()}
    assert lines == {"f": 1, "a": 3, "b": 5, "c": 6, "d": 7, "json": 8, "e": 8, "g": 8}


async def test_names_beyond_the_first_stores_are_told_and_earlier_ones_keep_their_line(
    talk: Conversation,
) -> None:
    await talk.execute("old = [1]\nolder = 0")
    code = "first = 1\nfor i in range(1000): globals()[f'n{i}'] = i\nlast = 2"
    found = await told(talk, code)
    assert found["first"] == (1, 1)
    assert found["last"] == (2, None)
    assert {found[f"n{i}"][0] for i in range(1000)} == set(range(1000))
    assert not {"old", "older"} & found.keys()


async def test_after_a_storm_every_name_has_its_last_value(talk: Conversation) -> None:
    code = "k = 1\nfor i in range(300_000): x = i\nk = 2\ny = 'end'\ndel i"
    found = await told(talk, code)
    assert (found["x"], found["k"], found["y"]) == ((299_999, None), (2, None), ("end", None))
    assert await told(talk, "z = 3") == {"z": (3, 1)}


async def test_more_names_than_the_table_holds_are_all_told(talk: Conversation) -> None:
    found = await told(talk, "for i in range(9000): globals()[f'n{i}'] = i")
    assert {found[f"n{i}"][0] for i in range(9000)} == set(range(9000))


async def test_a_namespace_that_is_cleared_is_told(talk: Conversation) -> None:
    await talk.execute("a = 1; b = 2")
    found = await told(talk, "globals().clear(); c = 3")
    assert (found["a"][0], found["b"][0], found["c"][0]) == (None, None, 3)


async def test_keys_that_are_no_names_do_no_harm(talk: Conversation) -> None:
    code = (
        "class S(str): pass\ng = globals()\ng[1] = 2; g['\\ud800'] = 3; g[S('t')] = 4; g[()] = 5\n"
        "t = 1\ng[S('t')] = 6\nx = 7\ndel g[1], g['\\ud800'], g[()]"
    )
    found = await told(talk, code)
    assert found["x"][0] == 7
    assert await talk.evaluate("t") == "6"


async def test_the_safety_net_sees_what_is_stored_behind_a_cleared_watcher(
    talk: Conversation,
) -> None:
    assert (await told(talk, f"{WITHOUT_OURS}\ny = 5"))["y"][0] == 5
    assert await rung_of(talk) == "['wasm-watcher']"
    assert await told(talk, "z = 6") == {"z": (6, 1)}


async def test_where_no_watcher_is_free_variables_are_polled(talk: Conversation) -> None:
    found = await told(talk, f"{WITHOUT_OURS}{ALL_TAKEN}\ny = 5")
    assert found["y"][0] == 5
    assert await rung_of(talk) == "['polling']"
    assert (await told(talk, "y = 6"))["y"][0] == 6


async def test_a_fault_of_the_watcher_steps_down_the_ladder_and_loses_nothing(
    talk: Conversation,
) -> None:
    code = (
        "import gc\nfor _one in gc.get_objects():\n"
        "  if type(_one).__name__ == 'WasmWatcher': _one._take = None\ny = 5"
    )
    assert (await told(talk, code))["y"][0] == 5
    assert await rung_of(talk) == "['ctypes-watcher']"
    assert await told(talk, "z = 6") == {"z": (6, 1)}


async def test_a_watcher_whose_number_the_user_takes_is_taken_anew(talk: Conversation) -> None:
    one_taken = ALL_TAKEN.replace("range(2, 8)", "range(1)")
    assert (await told(talk, f"{WITHOUT_OURS}{one_taken}\ny = 5"))["y"][0] == 5
    assert await rung_of(talk) == "['wasm-watcher']"
    assert await told(talk, "z = 6") == {"z": (6, 1)}


async def test_a_watcher_that_goes_on_missing_stores_is_replaced(talk: Conversation) -> None:
    await talk.execute("import watchglass_monitor.variables as v\nv._FULL_COMPARISON_S = 0")
    await talk.execute(f"{RUNG}\nfor one in _monitors: one._next_comparison = 0")
    unwatched = WITHOUT_OURS.replace("ClearWatcher(number)", "Unwatch(number, namespace)")
    for value in range(3):
        code = f"import ctypes\nnamespace = ctypes.py_object(globals())\n{unwatched}\ny = {value}"
        assert (await told(talk, code))["y"][0] == value
    assert await rung_of(talk) == "['ctypes-watcher']"
    assert (await told(talk, "z = 6"))["z"] == (6, 1)


async def test_slow_turns_after_fast_ones_are_shown_and_interrupted_by_their_stores(
    talk: Conversation,
) -> None:
    # Fast code is left alone for 32 turns, which would be seconds here: the store leads back.
    code = (
        "import hashlib, time\nd = bytes(40_000_000)\ndef fast():\n  end = time.monotonic() + 0.4\n"
        "  while time.monotonic() < end:\n    for i in range(10_000): pass\nfast()\n"
        "for x in range(50): hashlib.sha256(d).digest()"
    )
    request_id = talk.start(code)
    await talk.until(lambda _: bool(shown(talk, "x")))
    assert shown(talk, "x")[0] <= 2
    assert await talk.process.interrupt(request_id, grace=5)
    await talk.finish(request_id)
    assert shown(talk, "x")[-1] < 20


def shown(talk: Conversation, name: str) -> list[int]:
    return [
        int(change.variable.preview)
        for event in talk.seen
        if isinstance(event, VariablesChanged)
        for change in event.changes
        if isinstance(change, SetChange) and change.name == name
    ]
