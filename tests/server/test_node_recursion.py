"""Deep recursion in the real interpreter: an error like any other, and never the end of it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.node_host import Conversation, node_config
from watchglass_server.host_messages import Error
from watchglass_server.process import PyodideProcess

pytestmark = pytest.mark.slow

NESTED = "x = []\nfor _ in range(10**5): x = [x]\n"
RECURSIONS = {
    "a repr that calls itself": "class A:\n  def __repr__(self): return repr(self)\nrepr(A())",
    "a function that calls itself": "def f(): return f()\nf()",
    "a method that calls itself": (
        "class A:\n  def __getattr__(self, name): return getattr(self, name)\nA().x"
    ),
    "an equality that calls itself": (
        "class A:\n  def __eq__(self, other): return self == other\nA() == 1"
    ),
    "a sort whose key calls itself": "def f(x): return sorted([x], key=f)\nf(1)",
    "a map of itself": "def f(x): return list(map(f, [x]))\nf(1)",
    "a deep copy": NESTED + "import copy\ncopy.deepcopy(x)",
    "deep JSON": NESTED + "import json\njson.dumps(x)",
    "deep JSON read": "import json\njson.loads('[' * 50_000 + ']' * 50_000)",
    "a deep pickle": NESTED + "import pickle\npickle.dumps(x)",
    "a pickle in Python": NESTED + "import pickle\npickle._dumps(x)",
    "a deep repr": NESTED + "repr(x)",
    "a deep comparison": NESTED + "y = []\nfor _ in range(10**5): y = [y]\nx == y",
    "a deep marshal": NESTED + "import marshal\nmarshal.dumps(x)",
    "a deep literal": "import ast\nast.literal_eval('(' * 5000 + ')' * 5000)",
    "a deep tree": (
        "import ast\nnode = ast.Constant(1)\n"
        "for _ in range(10**5): node = ast.UnaryOp(ast.USub(), node)\n"
        "compile(ast.fix_missing_locations(ast.Expression(node)), '', 'eval')"
    ),
    "a long sum": "compile('+'.join(['1'] * 10**5), '', 'eval')",
    "a long chain of attributes": "compile('a' + '.a' * 10**5, '', 'eval')",
    "long comparisons": "compile('-' * 10**5 + '1', '', 'eval')",
    "nested blocks": "exec('\\n'.join(' ' * n + 'if 1:' for n in range(200)) + ' pass')",
    "nested generators": (
        "def up(g): yield from g\ng = iter([1])\nfor _ in range(10**5): g = up(g)\nnext(g)"
    ),
    "chained iterators": (
        "import itertools\ng = iter([1])\nfor _ in range(10**5): g = itertools.chain(g)\nnext(g)"
    ),
    "a deep expression": "import re\nre.compile('(' * 5000 + ')' * 5000)",
    "an expression that goes back": "import re\nre.match('(a|b)*c', 'ab' * 10**5)",
    "nested partials": (
        "import functools\nf = int\nfor _ in range(10**5): f = functools.partial(f)\nf()"
    ),
    "a hash of deep tuples": "x = ()\nfor _ in range(10**5): x = (x,)\nhash(x)",
    "an isinstance of deep tuples": "x = int\nfor _ in range(10**5): x = (x,)\nisinstance('', x)",
    "deep XML": (
        "import xml.etree.ElementTree as tree\n"
        "node = tree.fromstring('<a>' * 50_000 + '</a>' * 50_000)\ntree.tostring(node)"
    ),
    "long chains that are let go": NESTED + "del x",
    "a property of itself": "class A:\n  @property\n  def x(self): return self.x\nA().x",
    "a context that enters itself": (
        "import contextlib\n@contextlib.contextmanager\ndef f():\n  with f(): yield\nwith f(): pass"
    ),
    "an import of itself": "def f(): exec('f()')\nf()",
    "a coroutine that awaits itself": "async def f(): return await f()\nawait f()",
    "a limit that was raised": "import sys\nsys.setrecursionlimit(20_000)\ndef f(): f()\nf()",
}


# How Python says that something is nested too deep; ValueError is marshal's.
REFUSALS = ("RecursionError", "MemoryError", "SyntaxError", "IndentationError", "ValueError")


@pytest.fixture
async def talk(cache_dir: Path) -> AsyncIterator[Conversation]:
    async with PyodideProcess(await node_config(cache_dir)) as process:
        conversation = Conversation(process)
        yield conversation
        await conversation.close()


@pytest.mark.parametrize("code", RECURSIONS.values(), ids=list(RECURSIONS))
async def test_recursion_is_an_error_and_no_end(talk: Conversation, code: str) -> None:
    finished = await talk.execute(code)
    if finished.status == "error":
        await talk.until(lambda event: isinstance(event, Error) and event.name in REFUSALS)
    assert await talk.evaluate("1 + 1") == "2"
