"""What must come back: exceptions, subclasses of builtin types, classes that defy pickle."""

from tests.support.restoring import Case

SUBCLASSES = [
    Case(
        "exceptions",
        """
class Bad(Exception):

    def __init__(self, code, *, extra):
        super().__init__(f'bad {code}')
        self.code, self.extra = (code, extra)

class Io(OSError):
    pass

class G(ExceptionGroup):
    pass
try:
    try:
        1 / 0
    except ZeroDivisionError as e0:
        raise Bad(3, extra=[1]) from e0
except Bad as e:
    bad = e
bad.add_note('look')
io = Io(2, 'no')
plain = ValueError('v', 1)
g = G('g', [Bad(1, extra=2)])
stop = StopIteration(5)
sysex = SystemExit(3)
""",
        """
assert str(bad) == 'bad 3'
assert bad.code == 3
assert bad.extra == [1]
assert bad.args == ('bad 3',)
assert type(bad.__cause__) is ZeroDivisionError
assert bad.__notes__ == ['look']
assert io.errno == 2
assert io.strerror == 'no'
assert type(io) is Io
assert plain.args == ('v', 1)
assert type(g) is G
assert g.exceptions[0].code == 1
assert stop.value == 5
assert sysex.code == 3
try:
    raise Bad(9, extra=0)
except Bad as e:
    assert e.code == 9
""",
    ),
    Case(
        "subclasses of builtin types that do as they like",
        """
import collections

class Money(int):

    def __new__(cls, amount, unit):
        self = super().__new__(cls, amount)
        self.unit = unit
        return self

class Name(str):

    def __new__(cls, a, b):
        return super().__new__(cls, a + b)

class Log(dict):

    def __init__(self, owner):
        self.owner, self.seen = (owner, [])

    def __setitem__(self, k, v):
        self.seen.append(k)
        super().__setitem__(k, v)

class Items(list):

    def __init__(self, a, b):
        super().__init__([a, b])

    def append(self, x):
        raise TypeError('closed')
    extend = append

class Bag(set):

    def __init__(self, *xs):
        super().__init__(xs)

class OD(collections.OrderedDict):

    def __init__(self, needed):
        self.needed = needed

class DD(collections.defaultdict):

    def __init__(self, needed):
        super().__init__(list)
        self.needed = needed

class DQ(collections.deque):

    def __init__(self, needed):
        super().__init__([1], 4)
        self.needed = needed

class CT(collections.Counter):
    pass

class FS(frozenset):
    pass

class T(tuple):

    def __new__(cls, *xs):
        return super().__new__(cls, xs)

class Fl(float):
    pass

class By(bytes):
    pass

class Ba(bytearray):
    pass
m = Money(5, 'EUR')
n = Name('a', 'b')
l = Log('me')
i = Items(1, 2)
b = Bag(1, 2)
l['k'] = l
od = OD(1)
dd = DD(2)
dq = DQ(3)
od['z'] = 1
dd['x'].append(1)
ct = CT('aab')
fs = FS([1])
t = T(1, 2)
fl = Fl(1.5)
by = By(b'x')
ba = Ba(b'y')
ct.note = 'n'
fs.note = 'm'
""",
        """
assert m == 5
assert m.unit == 'EUR'
assert type(m) is Money
assert n == 'ab'
assert type(n) is Name
assert l['k'] is l
assert l.owner == 'me'
assert l.seen == ['k']
assert i == [1, 2]
assert b == {1, 2}
assert type(b) is Bag
assert od == {'z': 1}
assert od.needed == 1
assert dd['x'] == [1]
assert dd['new'] == []
assert dd.needed == 2
assert list(dq) == [1]
assert dq.maxlen == 4
assert dq.needed == 3
assert ct['a'] == 2
assert ct.note == 'n'
assert fs == {1}
assert fs.note == 'm'
assert t == (1, 2)
assert type(t) is T
assert fl == 1.5
assert by == b'x'
assert ba == b'y'
assert [type(x) for x in (fl, by, ba, ct, fs)] == [Fl, By, Ba, CT, FS]
""",
    ),
    Case(
        "classes that get in the way of pickle",
        """
class Magic:

    def __init__(self):
        self.data = {'a': 1}

    def __getattr__(self, name):
        return self.data[name]

class Sealed:
    __slots__ = ('x',)

    def __init__(self, x):
        object.__setattr__(self, 'x', x)

    def __setattr__(self, n, v):
        raise TypeError('sealed')

class New:

    def __new__(cls, needed):
        self = super().__new__(cls)
        self.n = needed
        return self

class Single:
    it = None

    def __new__(cls):
        if cls.it is None:
            cls.it = super().__new__(cls)
        return cls.it

class Const:

    def __init__(self):
        self.v = 1

    def __reduce__(self):
        return 'CONST'

class Own:

    def __init__(self, x):
        self.x = x

    def __reduce__(self):
        return (Own, (4,))

class State:

    def __init__(self):
        self.kept, self.cache = (1, (x for x in []))

    def __getstate__(self):
        return {'kept': self.kept}

    def __setstate__(self, s):
        self.__dict__.update(s)
        self.cache = math.pi

class Eq:

    def __init__(self, x):
        self.x = x

    def __eq__(self, o):
        return self.x == o.x

    def __hash__(self):
        return hash(self.x)

class Args:

    def __new__(cls, a):
        return super().__new__(cls)

    def __init__(self, a):
        self.a = a

    def __getnewargs__(self):
        return (self.a,)
import math
m = Magic()
s = Sealed(4)
n = New(3)
one = Single()
CONST = Const()
own = Own(2)
st = State()
eqs = {Eq(1): 'a', Eq(2): 'b'}
args = Args(6)
""",
        """
assert m.data == {'a': 1}
assert m.a == 1
assert s.x == 4
assert n.n == 3
assert one is Single() is Single.it
assert CONST.v == 1
assert own.x == 4
assert st.kept == 1
assert st.cache == math.pi
assert eqs[Eq(1)] == 'a'
assert eqs[Eq(2)] == 'b'
assert args.a == 6
try:
    s.x = 3
except TypeError:
    pass
else:
    raise AssertionError
""",
    ),
    Case(
        "methods that are tools of functools",
        '''
import functools

@functools.total_ordering
class V:

    def __init__(self, n):
        self.n = n

    def __eq__(self, o):
        return self.n == o.n

    def __lt__(self, o):
        return self.n < o.n

    @functools.cached_property
    def big(self):
        return self.n * 100

    @functools.lru_cache
    def slow(self, k):
        return self.n + k

    def two(self, a, b):
        return (a, b)
    ten = functools.partialmethod(two, 10)

    @functools.singledispatchmethod
    def show(self, x):
        return 'any'

    @show.register
    def _(self, x: int):
        return 'int'
    __hash__ = None

    def __class_getitem__(cls, x):
        return x

    @property
    def ro(self):
        """help"""
        return 1

class H(V):

    def __hash__(self):
        return self.n
v, w = (V(1), V(2))
v.big
h = H(3)
h.slow(1)
''',
        """
assert v < w
assert v >= v
assert v.__dict__['big'] == 100
assert w.big == 200
assert h.slow(2) == 5
assert v.ten(5) == (10, 5)
assert v.show('x') == 'any'
assert v.show(1) == 'int'
assert V[3] == 3
assert V.ro.__doc__ == 'help'
assert v.ro == 1
assert V.__hash__ is None
""",
    ),
    Case(
        "iterators that pickle knows",
        """
it = iter([1, 2, 3])
next(it)
e = enumerate('ab')
r = reversed([1, 2])
z = zip([1], [2])
m = map(len, ['a'])
d = iter({'a': 1})
""",
        """
assert list(it) == [2, 3]
assert list(e) == [(0, 'a'), (1, 'b')]
assert list(r) == [2, 1]
assert list(z) == [(1, 2)]
assert list(m) == [1]
assert list(d) == ['a']
""",
    ),
    Case(
        "subclasses of library types",
        """
import array, collections, datetime, decimal, fractions, io, pathlib, random, uuid, types
class Day(datetime.date):
    def next(self):
        return self + datetime.timedelta(1)
class Price(decimal.Decimal):
    def show(self):
        return f'{self} EUR'
class Part(fractions.Fraction):
    pass
class Dice(random.Random):
    def roll(self):
        return self.randint(1, 6)
class Place(pathlib.PurePosixPath):
    pass
class Numbers(array.array):
    pass
class Bunch(types.SimpleNamespace):
    def total(self):
        return self.a + self.b
class Table(collections.UserDict):
    def __setitem__(self, key, value):
        super().__setitem__(key.lower(), value)
class Text(io.StringIO):
    pass
day, price, part = Day(2026, 1, 2), Price('1.5'), Part(1, 3)
dice, place, numbers = Dice(3), Place('/a'), Numbers('i', [1, 2])
dice.roll()
state = dice.getstate()
bunch, table, text = Bunch(a=1, b=2), Table(), Text('abc')
table['KEY'] = 1
""",
        """
assert type(day) is Day
assert day.next().day == 3
assert price.show() == '1.5 EUR'
assert type(part) is Part
assert part * 3 == 1
assert dice.getstate() == state
assert 1 <= dice.roll() <= 6
assert type(place) is Place
assert str(place / 'b') == '/a/b'
assert list(numbers) == [1, 2]
assert bunch.total() == 3
assert table['key'] == 1
assert text.read() == 'abc'
assert type(text) is Text
""",
    ),
]
