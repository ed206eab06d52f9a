"""What must come back: functions, closures, decorators, annotations."""

from tests.support.restoring import Case

FUNCTIONS = [
    Case(
        "functions, defaults, annotations, attributes",
        '''
x = 1

def f(a, /, b: 'int'=2, *args: int, c=[3], **more) -> str:
    """what it does"""
    global x
    x += 1
    return (a, b, args, c, more, x)
f.note = 'n'
g = f
h = lambda y: y + x

async def co():
    return 5

def gen():
    yield x
c = f.__code__
''',
        """
assert f(1) == (1, 2, (), [3], {}, 2)
assert x == 2
assert g is f
assert h(1) == 3
assert f.__doc__ == 'what it does'
assert f.note == 'n'
assert f.__name__ == 'f'
assert f.__annotations__ == {'b': 'int', 'args': int, 'return': str}
assert f.__globals__ is globals()
assert f.__module__ == '__main__'
assert list(gen()) == [2]
assert f.__code__ is c
assert f.__code__.co_filename == '<In[1]>'
try:
    co().send(None)
except StopIteration as e:
    assert e.value == 5
""",
    ),
    Case(
        "closures share their cells",
        """
def counter():
    n = 0

    def up():
        nonlocal n
        n += 1
        return n

    def now():
        return n
    return (up, now)
up, now = counter()
up()

def rec():

    def fact(n):
        return 1 if n < 2 else n * fact(n - 1)
    return fact
fact = rec()

def mutual():

    def even(n):
        return n == 0 or odd(n - 1)

    def odd(n):
        return n != 0 and even(n - 1)
    return (even, odd)
even, odd = mutual()

def unset():
    if False:
        q = 1
    return lambda: q
unset = unset()
""",
        """
assert now() == 1
assert up() == 2
assert now() == 2
assert fact(5) == 120
assert even(10)
assert not odd(10)
try:
    unset()
except NameError:
    pass
else:
    raise AssertionError
""",
    ),
    Case(
        "decorators of the library",
        """
import functools, contextlib, operator

@functools.lru_cache(maxsize=7)
def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)
fib(5)

@functools.cache
def one():
    return 1

def add(a, b):
    return a + b
plus = functools.partial(add, 1)

@functools.singledispatch
def show(x):
    return 'any'

@show.register
def _show_int(x: int):
    return 'int'

class Mine:
    pass

@show.register(Mine)
def _show_mine(x):
    return 'mine'
(show(3), show(Mine()))

@contextlib.contextmanager
def managed():
    yield 4

def deco(f):

    @functools.wraps(f)
    def inner(*a):
        return f(*a) * 2
    return inner

@deco
def twice(x):
    return x

def caching():

    @functools.lru_cache
    def f(n):
        return 1 if n < 2 else n * f(n - 1)
    return f
local = caching()
cmp = functools.cmp_to_key(lambda a, b: b - a)
g = operator.attrgetter('x')
""",
        """
assert fib(30) == 832040
assert fib.cache_parameters()['maxsize'] == 7
assert one() == 1
assert plus(2) == 3
assert plus.func is add
assert (show('x'), show(1), show(Mine())) == ('any', 'int', 'mine')
assert show.registry[Mine] is not None
with managed() as m:
    assert m == 4
assert twice(3) == 6
assert twice.__wrapped__(3) == 3
assert local(5) == 120
assert sorted([1, 3, 2], key=cmp) == [3, 2, 1]
""",
    ),
    Case(
        "bound and builtin methods",
        """
class A:

    def __init__(self):
        self.log = []

    def __hide(self):
        return 'h'

    def hit(self):
        self.log.append(1)
        return len(self.log)

    @classmethod
    def make(cls):
        return cls()

    @staticmethod
    def s():
        return 's'
a = A()
hit = a.hit
make = A.make
s = A.s
hide = a._A__hide
a.me = a.hit
push = a.log.append
join = ','.join
length = len
up = str.upper
init = object.__init__
fromkeys = dict.fromkeys
rep = [1].__repr__
""",
        """
assert hit() == 1
assert a.log == [1]
assert a.me() == 2
assert hit.__self__ is a
assert type(make()) is A
assert s() == 's'
assert hide() == 'h'
push(9)
assert a.log[-1] == 9
assert join(['a', 'b']) == 'a,b'
assert length is len
assert up('x') == 'X'
assert fromkeys('a') == {'a': None}
assert rep() == '[1]'
""",
    ),
    Case(
        "functions made by exec, and types of the interpreter",
        """
import types
space = {'k': 5}
exec('def f(): return k', space)
f = space['f']
F = types.FunctionType
M = types.ModuleType
G = types.GeneratorType
N = type(None)
E = type(...)
K = type
""",
        """
assert f() == 5
assert f.__globals__ is space
space['k'] = 6
assert f() == 6
assert F is types.FunctionType
assert N is type(None)
assert E is type(...)
assert K is type
assert G is types.GeneratorType
""",
    ),
    Case(
        "deferred annotations",
        """
from __future__ import annotations

def f(x: Missing) -> int:
    ...

class C:
    y: AlsoMissing

    def m(self, z: Gone):
        ...
""",
        """
assert f.__annotations__ == {'x': 'Missing', 'return': 'int'}
assert C.__annotations__ == {'y': 'AlsoMissing'}
""",
    ),
    Case(
        "lazy annotations",
        """
def f(x: Later) -> int:
    ...

class C:
    y: Later

    def m(self, z: Later):
        ...
g = f
""",
        """
import annotationlib as al
assert f.__annotate__
try:
    f.__annotations__
except NameError:
    pass
else:
    raise AssertionError

class Later:
    pass
assert f.__annotations__ == {'x': Later, 'return': int}
assert C.__annotations__ == {'y': Later}
assert C.m.__annotations__ == {'z': Later}
assert al.get_annotations(f, format=al.Format.STRING) == {'x': 'Later', 'return': 'int'}
""",
        since=(3, 14),
    ),
    Case(
        "type parameters",
        """
def first[T](xs: list[T]) -> T: return xs[0]
class Box[T: int]:
    def __init__(self, x: T): self.x = x
type Pair[A] = tuple[A, A]
b = Box(3)
P = Box.__type_params__[0]
""",
        """
assert first([7]) == 7
assert first.__type_params__[0].__name__ == 'T'
assert b.x == 3
assert type(b) is Box
assert Box.__type_params__[0] is P
assert P.__bound__ is int
assert Box[int].__origin__ is Box
assert Pair[int].__value__ == tuple[int, int] or Pair.__name__ == 'Pair'
""",
        since=(3, 12),
    ),
]
