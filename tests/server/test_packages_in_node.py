"""Wheels in the real interpreter: the Python they are chosen for, and binary ones that load."""

from __future__ import annotations

import ast
from collections.abc import AsyncIterator
from pathlib import Path
from time import perf_counter

import pytest

from tests.support.node_host import Conversation, node_config
from tests.support.wheels import MadeWheel, hostile_wheel, make_wheel, side_module
from watchglass_server.errors import QueryError
from watchglass_server.process import PyodideProcess
from watchglass_server.session_python import ENVIRONMENT, PLATFORM, PYTHON, rank

pytestmark = pytest.mark.slow


@pytest.fixture
async def talk(cache_dir: Path) -> AsyncIterator[Conversation]:
    async with PyodideProcess(await node_config(cache_dir)) as process:
        conversation = Conversation(process)
        yield conversation
        await conversation.close()


async def give(talk: Conversation, name: str, wheel: MadeWheel) -> None:
    args = {"name": name, "filename": wheel.filename}
    await talk.process.query("package", args, timeout=10, blob=wheel.data)


async def test_the_environment_of_markers_is_that_of_the_session(talk: Conversation) -> None:
    code = """
    import os, platform, sys
    {
        "implementation_name": sys.implementation.name,
        "implementation_version": platform.python_version(),
        "os_name": os.name,
        "platform_machine": platform.machine(),
        "platform_python_implementation": platform.python_implementation(),
        "platform_release": platform.release(),
        "platform_system": platform.system(),
        "platform_version": platform.version(),
        "python_full_version": platform.python_version(),
        "python_version": ".".join(platform.python_version_tuple()[:2]),
        "sys_platform": sys.platform,
    }
    """
    lines = "\n".join(line[4:] for line in code.splitlines())
    assert ast.literal_eval(await talk.evaluate(lines)) == ENVIRONMENT
    assert talk.process.ready.python == PYTHON


async def test_the_platform_is_that_of_this_pyodide(talk: Conversation) -> None:
    code = "import sysconfig; sysconfig.get_config_var('PYODIDE_ABI_VERSION')"
    version = ast.literal_eval(await talk.evaluate(code))
    assert f"pyemscripten_{version}_wasm32" == PLATFORM


async def test_an_extension_module_in_a_wheel_loads(talk: Conversation) -> None:
    node = talk.process.config.node
    file = "tiny.cpython-314-wasm32-emscripten.so"
    tag = f"cp314-cp314-{PLATFORM}"
    wheel = make_wheel("tiny", "1.0", files={file: side_module(Path(node))}, tag=tag)
    await give(talk, "tiny", wheel)
    assert await talk.evaluate("import tiny; tiny.__file__.endswith('emscripten.so')") == "True"
    assert await talk.evaluate("import importlib.metadata as m; m.version('tiny')") == "'1.0'"


async def test_a_wheel_of_many_files_is_there_in_a_moment(talk: Conversation) -> None:
    files = {f"many/m{number}.py": b"x = 1\n" * 50 for number in range(200)}
    wheel = make_wheel("many", files={"many/__init__.py": b"", **files})
    before = perf_counter()
    await give(talk, "many", wheel)
    assert perf_counter() - before < 10  # 0.2 on a machine that does nothing else
    assert await talk.evaluate("import many.m7; many.m7.x") == "1"


async def test_files_for_other_places_go_where_wheels_say(talk: Conversation) -> None:
    files = {
        "parts-1.0.data/purelib/parts.py": b"x = 7",
        "parts-1.0.data/platlib/fast.py": b"y = 8",
        "parts-1.0.data/scripts/parts": b"#!python",
        "parts-1.0.data/data/share/doc": b"",
    }
    await give(talk, "parts", make_wheel("parts", files=files))
    assert await talk.evaluate("import parts, fast; (parts.x, fast.y)") == "(7, 8)"
    listed = await talk.evaluate("import os; sorted(os.listdir(os.path.dirname(parts.__file__)))")
    assert set(ast.literal_eval(listed)) - {"__pycache__"} == {
        "fast.py", "parts.py", "parts-1.0.dist-info",
    }  # fmt: skip


async def test_a_path_that_leads_out_is_left_out_in_the_session_too(talk: Conversation) -> None:
    wheel = hostile_wheel({"../../../../home/out.py": b"", "/home/out.py": b""})
    await give(talk, "evil", wheel)
    assert await talk.evaluate("import os; os.path.exists('/home/out.py')") == "False"
    assert await talk.evaluate("import evil; evil.version") == "'1.0'"


async def test_what_is_no_wheel_is_an_error_and_the_session_goes_on(talk: Conversation) -> None:
    with pytest.raises(QueryError, match="BadZipFile"):
        await give(talk, "x", MadeWheel("x-1.0-py3-none-any.whl", b"nothing"))
    assert await talk.evaluate("1 + 1") == "2"


def test_what_the_tags_say_is_ranked() -> None:
    assert rank(frozenset()) is None
