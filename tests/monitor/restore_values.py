"""What must come back: values, containers, modules, and how they share."""

from tests.support.restoring import Case

PLAIN = [
    Case(
        "plain values",
        r"""
a = None
b = True
c = 2 ** 100
d, e = (1.5, 2 - 3j)
f, g = ('ü\ud800', b'x')
h = bytearray(b'y')
i = float('inf')
j = -0.0
k = ...
l = NotImplemented
m = range(3)
n = slice(1, None, 2)
""",
        r"""
assert (a, b, c, d, e) == (None, True, 2 ** 100, 1.5, 2 - 3j)
assert b is True
assert f == 'ü\ud800'
assert g == b'x'
assert h == bytearray(b'y')
assert type(h) is bytearray
assert i == float('inf')
assert str(j) == '-0.0'
assert k is ...
assert l is NotImplemented
assert m == range(3)
assert n == slice(1, None, 2)
""",
    ),
    Case(
        "containers, shared and cyclic",
        """
a = [1, (2, 3), {'k': {4, frozenset({5})}}]
b = a
c = {'a': a}
a.append(c)
t = ([],)
t[0].append(t)
empty = [(), [], {}, set(), frozenset()]
""",
        """
assert b is a
assert c['a'] is a
assert a[3] is c
assert a[1] == (2, 3)
assert a[2] == {'k': {4, frozenset({5})}}
assert t[0][0] is t
assert empty == [(), [], {}, set(), frozenset()]
assert [type(x) for x in empty] == [tuple, list, dict, set, frozenset]
""",
    ),
    Case(
        "order of the names",
        """
z = 1

def y():
    pass
import math
x = 2
""",
        """
assert [n for n in globals() if not n.startswith('_')] == ['z', 'y', 'math', 'x']
""",
    ),
    Case(
        "library values",
        """
import array, datetime, decimal, fractions, pathlib, uuid, collections, re
import random
import types, enum, http, string, zlib, itertools, operator, ipaddress
import io
a = array.array('d', [1.5, 2])
b = datetime.datetime(2026, 1, 2, 3, 4, 5, 6, datetime.timezone.utc)
c = [datetime.date(2026, 1, 2), datetime.timedelta(3), datetime.time(1)]
d = decimal.Decimal('1.10')
e = fractions.Fraction(1, 3)
f = pathlib.PurePosixPath('/a/b')
p = pathlib.Path('x/y')
g = uuid.UUID(int=5)
h = collections.OrderedDict([('b', 1), ('a', 2)])
i = collections.defaultdict(list, x=[1])
j = collections.Counter('aab')
k = collections.deque([1, 2], maxlen=5)
l = collections.ChainMap({'a': 1}, {'b': 2})
m = re.compile('a+', re.I)
n = random.Random(4)
n.random()
n2 = n.getstate()
o = types.SimpleNamespace(x=1, y=[2])
q = http.HTTPStatus.OK
r = operator.itemgetter(1)
s = ipaddress.ip_address('127.0.0.1')
u = io.StringIO('abc')
u.read(1)
v = io.BytesIO(b'xyz')
w = collections.UserDict(a=1)
x = collections.UserList([1])
""",
        """
import datetime as D, decimal, fractions, pathlib
assert list(a) == [1.5, 2]
assert a.typecode == 'd'
assert b == D.datetime(2026, 1, 2, 3, 4, 5, 6, D.timezone.utc)
assert b.tzinfo is D.timezone.utc
assert c == [D.date(2026, 1, 2), D.timedelta(3), D.time(1)]
assert str(d) == '1.10'
assert e == fractions.Fraction(1, 3)
assert f == pathlib.PurePosixPath('/a/b')
assert p == pathlib.Path('x/y')
assert g.int == 5
assert list(h) == ['b', 'a']
assert i['new'] == []
assert i['x'] == [1]
assert j['a'] == 2
assert k.maxlen == 5
assert list(k) == [1, 2]
assert l['b'] == 2
assert m.match('AA')
assert n.getstate() == n2
assert o.y == [2]
assert q.value == 200
assert r((1, 2)) == 2
assert str(s) == '127.0.0.1'
assert u.read() == 'bc'
assert v.read() == b'xyz'
assert w['a'] == 1
assert x == [1]
""",
    ),
    Case(
        "modules by name",
        """
import math, os.path as p, collections.abc as c, json as j
import xml.dom.minidom
""",
        """
import sys, posixpath
assert math.sqrt(4) == 2
assert p is posixpath
assert c.__name__ == 'collections.abc'
assert j.dumps(1) == '1'
assert xml.dom.minidom.parseString('<a/>')
""",
    ),
    Case(
        "a module that was made by hand",
        """
import types
m = types.ModuleType('tools', 'doc')
m.x = [1]
y = m.x
exec('def f(): return x', vars(m))
""",
        """
assert m.__name__ == 'tools'
assert m.__doc__ == 'doc'
assert m.x is y
assert m.f() is y
""",
    ),
    Case(
        "views, proxies, memory and references",
        """
import types, weakref
d = {'a': 1}
k = d.keys()
v = d.values()
i = d.items()
p = types.MappingProxyType(d)
b = bytearray(b'abcd')
m = memoryview(b)
s = m[1:3]

class C:
    pass
c = C()
r = weakref.ref(c)
dead = weakref.ref(C())
w = weakref.WeakKeyDictionary({c: 1})
ws = weakref.WeakSet([c])
wv = weakref.WeakValueDictionary(x=c)
su = super(C, c)
""",
        """
d['b'] = 2
assert list(k) == ['a', 'b']
assert 2 in v
assert ('b', 2) in i
assert p['b'] == 2
assert type(p).__name__ == 'mappingproxy'
b[0] = 90
assert m[0] == 90
assert bytes(s) == b'bc'
assert r() is c
assert dead() is None
assert w[c] == 1
assert c in ws
assert wv['x'] is c
assert su.__init__
""",
    ),
    Case(
        "names that mean something to the REPL",
        """
Out = {1: [1], 2: 'b', 3: (x for x in [])}
_ = Out[2]
__ = Out[1]
keep = Out[1]
""",
        """
assert Out == {1: [1], 2: 'b'}
assert _ == 'b'
assert __ is Out[1]
assert keep is __
""",
    ),
    Case(
        "the namespace itself",
        """
g = globals()

def f():
    return g

class A:
    names = globals()
""",
        """
assert g is globals()
assert f() is globals()
assert A.names is globals()
""",
    ),
    Case(
        "very deep nesting and long chains",
        """
class Node:

    def __init__(self, value, after):
        self.value, self.after = (value, after)
chain = None
for n in range(10000):
    chain = Node(n, chain)
deep = []
for n in range(100000):
    deep = [deep]
table = {}
for n in range(10000):
    table = {'next': table}
both = (chain, chain.after)
other = 5
""",
        """
count, node = (0, chain)
while node is not None:
    assert type(node) is Node
    count, node = (count + 1, node.after)
assert count == 10000
assert both[0] is chain
assert both[1] is chain.after
depth = 0
while deep:
    depth, deep = (depth + 1, deep[0])
assert depth == 100000
while table:
    table = table['next']
assert other == 5
""",
    ),
    Case(
        "what belongs to a module is found there again",
        """
import itertools
import os
import random
import sys
from random import randint, random as draw
from logging import getLogger
def say(text, file=sys.stdout):
    return file
out = sys.stderr
env = os.environ
ids = itertools.count(5)
next(ids)
steps = itertools.count(1.5, 0.5)
class Unit:
    ids = itertools.count(1)
    def __init__(self):
        self.id = next(self.ids)
first = Unit()
log = getLogger('units')
""",
        """
import logging
assert randint is random.randint
assert draw is random.random
assert say('x') is sys.stdout
assert out is sys.stderr
assert env is os.environ
assert next(ids) == 6
assert next(steps) == 1.5
assert next(steps) == 2.0
assert (first.id, Unit().id) == (1, 2)
assert log is logging.getLogger('units')
""",
    ),
    Case(
        "queues, locks and events of asyncio",
        """
import asyncio
queue, lock, event = asyncio.Queue(3), asyncio.Lock(), asyncio.Event()
queue.put_nowait([1])
event.set()
""",
        """
assert queue.get_nowait() == [1]
assert queue.maxsize == 3
assert event.is_set()
assert not lock.locked()
""",
    ),
]
