"""What the user's code finds of Node: all that a page would have too, and nothing of the host."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.node_host import Conversation, first, node_config, without_second_layer
from watchglass_server.host_messages import Error
from watchglass_server.process import PyodideProcess

pytestmark = pytest.mark.slow

# Each is true where it is reached, and not true, or an exception, where it is not.
REACHES = {
    "builtin module": "bool(js.process.getBuiltinModule('fs').readFileSync)",
    "binding": "hasattr(js.process, 'binding') and js.process.binding is not None",
    "dlopen": "js.process.dlopen is not None",
    "signal": "js.process.kill(js.process.pid, 0)",
    "environment": "hasattr(js.process.env, 'OPENSSL_CONF')",
    "command line": "len(js.process.argv) > 1",
    "handles": "js.process._getActiveHandles() is not None",
    "stream of the process": "js.console._stderr is not None",
    "evaluated text": "run_js('1 + 1') == 2",
    "function of a text": "js.Function.new('return 7')() == 7",
    "function's constructor": "js.Math.max.constructor('return 7')() == 7",
    "text in a timer": "js.eval('1') == 1",
    "network": "(await js.fetch('data:text/plain,x')).status == 200",
    "network of Python": "(await pyodide.http.pyfetch('data:text/plain,x')).status == 200",
    "socket": "js.WebSocket is not None",
    "folders of the host": "pyodide_js.mountNodeFS is not None",
    "file system of the host": "pyodide_js.FS.filesystems.NODEFS is not None",
    "sockets of the host": "pyodide_js.useNodeSockFS is not None",
    "shell": "os.system('exit 3') == 3 << 8",
}
STAYS = {
    "mathematics": "js.Math.sqrt(16) == 4",
    "dates": "js.Date.new(0).toISOString() == '1970-01-01T00:00:00.000Z'",
    "JSON": "js.JSON.stringify(js.Array.of(1, 2)) == '[1,2]'",
    "arrays": "bytes(js.Uint8Array.new(3).to_py()) == bytes(3)",
    "regular expressions": "js.RegExp.new('a+').test('caat')",
    "addresses": "js.URL.new('http://a/b').pathname == '/b'",
    "randomness": "len(js.crypto.randomUUID()) == 36",
    "a timer": "js.clearTimeout(js.setTimeout(print, 10_000)) is None",
    "a promise": "await js.Promise.resolve(5) == 5",
    "text": "bytes(js.TextEncoder.new().encode('é').to_py()) == 'é'.encode()",
    "what Node it is": "js.process.versions.node.startswith('24.')",
    "the console": "js.console.log('x') is None",
    "objects": "js.Object.fromEntries(to_js([['a', 1]])).a == 1",
    "the library for HTTP": "pyodide.http.pyfetch is not None",
    "the interpreter's own files": "open('/tmp/x', 'w').write('x') == 1",
    "who it runs as": "isinstance(os.getuid(), int)",
    "WebAssembly": "js.WebAssembly.validate(to_js(b'\\0asm\\1\\0\\0\\0'))",
}
IMPORTS = (
    "import js, os, pyodide.http, pyodide_js\n"
    "from pyodide.code import run_js\nfrom pyodide.ffi import to_js"
)


TRY = """
try:
    reached = bool({expression})
except BaseException:
    reached = False
"""


async def results(talk: Conversation, expressions: dict[str, str]) -> dict[str, str]:
    """What each of them is: 'True', or 'False' also for an exception."""
    await talk.execute(IMPORTS)
    found = {}
    for name, expression in expressions.items():
        await talk.execute(TRY.format(expression=expression))
        found[name] = await talk.evaluate("reached")
    return found


async def test_nothing_of_the_host_is_found(cache_dir: Path) -> None:
    async with PyodideProcess(await node_config(cache_dir)) as process:
        talk = Conversation(process)
        assert await results(talk, REACHES) == dict.fromkeys(REACHES, "False")
        await talk.close()


async def test_without_the_layer_all_of_it_is_found(cache_dir: Path) -> None:
    config = without_second_layer(await node_config(cache_dir))
    async with PyodideProcess(config) as process:
        talk = Conversation(process)
        assert await results(talk, REACHES) == dict.fromkeys(REACHES, "True")
        await talk.close()


async def test_what_a_page_would_have_stays(cache_dir: Path) -> None:
    async with PyodideProcess(await node_config(cache_dir)) as process:
        talk = Conversation(process)
        assert await results(talk, STAYS) == dict.fromkeys(STAYS, "True")
        await talk.close()


async def test_a_refused_request_says_why(cache_dir: Path) -> None:
    async with PyodideProcess(await node_config(cache_dir)) as process:
        talk = Conversation(process)
        await talk.execute("from pyodide.http import pyfetch\nawait pyfetch('http://127.0.0.1:1/')")
        error = await first(talk, Error)
        assert "A session has no network" in error.message
        await talk.close()


async def test_what_was_taken_away_cannot_be_put_back(cache_dir: Path) -> None:
    async with PyodideProcess(await node_config(cache_dir)) as process:
        talk = Conversation(process)
        for code in ("js.process = 1", "js.fetch = print", "del js.process", "js.WebSocket = 1"):
            await talk.execute(f"import js\n{code}")
        await talk.execute("import pyodide_js\ndel pyodide_js.mountNodeFS")
        assert await talk.evaluate("js.process.versions.node[:3]") == "'24.'"
        assert await talk.evaluate("js.fetch.name") == "'refuseNetwork'"
        assert await talk.evaluate("hasattr(pyodide_js, 'mountNodeFS')") == "False"
        await talk.close()
