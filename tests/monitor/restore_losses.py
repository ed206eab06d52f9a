"""What cannot come back, and must cost nothing else."""

from tests.support.restoring import Case

LOST = [
    Case(
        "what cannot be stored costs nothing else",
        """
import threading, asyncio, io, socket, re, itertools, sqlite3, os
import tempfile
good = [1]
gen = (x for x in [1])

async def co():
    ...
coro = co()
coro.close()

async def ag():
    yield 1
agen = ag()
f = open(os.devnull)
closed = open(os.devnull)
closed.close()
lock = threading.Lock()
event = threading.Event()
holder = {'deep': [good, {'x': gen}]}

def uses(a=gen):
    return a

def free():
    g = gen
    return lambda: g
closure = free()

class Held:
    attr = lock
held = Held()
match = re.match('a', 'a')
chain = itertools.chain([1])

class Fails:

    def __reduce__(self):
        raise ValueError('no')
fails = Fails()

class Exits:

    def __getstate__(self):
        raise SystemExit(3)
exits = Exits()

class Endless:

    def __reduce__(self):
        return (list, (), None, iter(lambda: Endless(), 1))

class Deep:

    def __getstate__(self):
        return self.__getstate__()
recursive = Deep()
after = {'good': good}
""",
        """
assert good == [1]
assert after['good'] is good
assert Fails
assert Exits
assert Deep
assert free
assert ag
assert co
""",
        lost=(
            "gen",
            "coro",
            "agen",
            "f",
            "closed",
            "lock",
            "event",
            "holder",
            "uses",
            "closure",
            "Held",
            "held",
            "match",
            "fails",
            "exits",
            "recursive",
            "chain",
        ),
    ),
    Case(
        "what fails on its way back costs nothing else",
        """
class Bad:

    def __init__(self, x):
        self.x = x

    def __setstate__(self, s):
        raise ValueError('broken ' + str(s['x']))

class Quits:

    def __init__(self):
        self.y = 1

    def __setstate__(self, s):
        raise KeyboardInterrupt

class Picky:

    def __init__(self, k):
        self.k = k

    def __reduce__(self):
        return (Picky.make, (self.k,))

    @staticmethod
    def make(k):
        raise RuntimeError('not again')

class NoHash:

    def __init__(self):
        self.h = 1

    def __hash__(self):
        return self.missing if not hasattr(self, 'h') else 1

    def __setstate__(self, s):
        raise LookupError('h')
first = [1, 2]
bad = Bad(1)
list_of_bad = [first, {'b': bad}]
quits = Quits()
picky = (Picky(1), first)
keys = {NoHash(): 1}
after = {'first': first}
other = Bad
good = [after]
""",
        """
assert first == [1, 2]
assert after['first'] is first
assert good[0] is after
assert other is Bad
assert Bad.__module__ == '__main__'
assert Picky
assert Quits
""",
        lost=("bad", "list_of_bad", "quits", "picky", "keys"),
    ),
    Case(
        "objects of JavaScript",
        """
import js
import pyodide
from js import Date
from pyodide.ffi import create_proxy, to_js
array = to_js([1, 2])
proxy = create_proxy(len)
def now():
    return js.Date.now()
class Uses:
    pass
uses = Uses()
uses.array = array
good = 1
""",
        """
assert now() > 0
assert good == 1
assert pyodide.__version__
assert Uses
""",
        lost=("Date", "array", "proxy", "uses"),
        pyodide=True,
    ),
]
