"""What must come back: enumerations, dataclasses, named tuples, generic classes."""

from tests.support.restoring import Case

KINDS = [
    Case(
        "enumerations",
        """
import enum, datetime

class Color(enum.Enum):
    RED = 1
    GREEN = enum.auto()
    CRIMSON = 1

    def loud(self):
        return self.name + '!'

class Perm(enum.Flag):
    R = 1
    W = 2
    X = 4
    RW = 3
rw, rx = (Perm.R | Perm.W, Perm.R | Perm.X)

class Num(enum.IntEnum):
    A = 1
    B = 2

class Name(enum.StrEnum):
    HI = enum.auto()

class IF(enum.IntFlag):
    P = 1
    Q = 2

class Planet(enum.Enum):
    EARTH = (5.9, 6.3)

    def __init__(self, mass, radius):
        self.mass, self.radius = (mass, radius)

    @property
    def dense(self):
        return self.mass / self.radius

class Day(datetime.date, enum.Enum):
    NEW = (2026, 1, 1)

class Odd(enum.Enum):

    def __new__(cls, v):
        o = object.__new__(cls)
        o._value_ = v * 10
        return o
    Z = 5
Fun = enum.Enum('Fun', 'P Q')
red = Color.RED
d = {Color.GREEN: 1}
b = Num.B
hi = Name.HI
earth = Planet.EARTH
day = Day.NEW
z = Odd.Z
q = Fun.Q
p = IF.P

@enum.unique
class U(enum.Enum):
    ONE = [1]
u = U.ONE
""",
        """
assert red is Color.RED is Color(1) is Color['CRIMSON']
assert red.loud() == 'RED!'
assert d[Color.GREEN] == 1
assert list(Color) == [Color.RED, Color.GREEN]
assert len(Color) == 2
assert rw is Perm.RW is Perm.R | Perm.W
assert rx == Perm.R | Perm.X
assert Perm.W in rw
assert ~Perm.R == Perm.W | Perm.X
assert b == 2
assert b is Num(2)
assert isinstance(b, int)
assert hi == 'hi'
assert Name('hi') is hi
assert earth.mass == 5.9
assert earth.dense > 0.9
assert day.year == 2026
assert day is Day.NEW
assert z is Odd(50)
assert q is Fun.Q
assert p | IF.Q == 3
assert u is U([1])
assert repr(red) == '<Color.RED: 1>'
try:
    Color.NEW = 3
    Color.RED = 5
except AttributeError:
    pass
else:
    raise AssertionError
""",
    ),
    Case(
        "dataclasses",
        """
from dataclasses import dataclass, field, KW_ONLY, InitVar
import typing

@dataclass
class A:
    x: int
    y: list = field(default_factory=list, repr=False, metadata={'k': 1})
    z: typing.ClassVar[int] = 9
    i: InitVar[int] = 5

    def __post_init__(self, i):
        self.w = i

@dataclass(frozen=True, order=True)
class F:
    x: int = 3

@dataclass(slots=True, kw_only=True)
class S:
    a: int
    b: str = 'b'

    def me(self):
        return __class__

@dataclass(frozen=True, slots=True)
class FS(F):
    y: int = 4

@dataclass
class K(A):
    _: KW_ONLY
    q: int = 1
a = A(1)
f = F(2)
s = S(a=1)
fs = FS(1, 2)
k = K(1, q=3)
ds = {f: 'f'}
a.self = a
""",
        """
import dataclasses as dc
assert a == A(1) or a.x == 1
assert a.w == 5
assert a.y == []
assert a.self is a
assert A(2, [1]).y == [1]
assert dc.fields(A)[1].metadata['k'] == 1
assert [x.name for x in dc.fields(A)] == ['x', 'y']
assert f == F(2)
assert f < F(3)
assert ds[F(2)] == 'f'
assert hash(f) == hash(F(2))
try:
    f.x = 1
except dc.FrozenInstanceError:
    pass
else:
    raise AssertionError
assert s == S(a=1)
assert not hasattr(s, '__dict__')
assert fs == FS(1, 2)
assert (fs.x, fs.y) == (1, 2)
assert k.q == 3
assert dc.replace(f, x=7) == F(7)
assert dc.asdict(fs) == {'x': 1, 'y': 2}

@dataclass
class New(A):
    n: int = 0
assert New(1).n == 0
assert s.me().__name__ == 'S'
try:
    S(1)
except TypeError:
    pass
else:
    raise AssertionError
assert repr(f) == 'F(x=2)'
assert dc.is_dataclass(a)
""",
    ),
    Case(
        "named tuples and typed dicts",
        '''
import collections, typing
P = collections.namedtuple('P', 'x y', defaults=[9])
p, q = (P(1, 2), P(1))

class N(typing.NamedTuple):
    """doc"""
    a: int
    b: str = 'b'

    def both(self):
        return (self.a, self.b)
n = N(1)

class L(collections.namedtuple('L', 'x y')):

    def __new__(cls, x):
        return super().__new__(cls, x, x)
l = L(4)

class TD(typing.TypedDict, total=False):
    name: str
td: TD = {'name': 'x'}
''',
        """
assert p == (1, 2)
assert p.x == 1
assert q.y == 9
assert p._replace(x=5) == (5, 2)
assert type(p) is P
assert p._asdict() == {'x': 1, 'y': 2}
assert repr(p) == 'P(x=1, y=2)'
assert P(3).y == 9
assert n.both() == (1, 'b')
assert N(2).a == 2
assert N._field_defaults == {'b': 'b'}
assert type(n) is N
assert l == (4, 4)
assert type(l) is L
assert L(5) == (5, 5)
assert td == {'name': 'x'}
assert TD(name='y') == {'name': 'y'}
assert TD.__total__ is False
""",
    ),
    Case(
        "generic classes and protocols",
        """
import typing
T = typing.TypeVar('T', bound='Base')
P = typing.ParamSpec('P')
Ts = typing.TypeVarTuple('Ts')

class Base:
    pass

class Stack(typing.Generic[T]):

    def __init__(self):
        self.items: list[T] = []

    def push(self, x: T) -> 'Stack[T]':
        self.items.append(x)
        return self

class Ints(Stack[int]):
    pass
s, i = (Stack().push(1), Ints().push(2))
Alias = Stack[int]
O = typing.Optional[Base]
U = int | Base
G = list[Base]

@typing.runtime_checkable
class Has(typing.Protocol):

    def area(self) -> int:
        ...

class Yes:

    def area(self):
        return 1
Id = typing.NewType('Id', int)

class Cp(typing.Protocol[T]):

    def m(self, x: T) -> T:
        ...

class Impl(Cp[int]):
    pass
impl = Impl()
""",
        """
assert s.items == [1]
assert i.items == [2]
assert isinstance(i, Stack)
assert Alias.__origin__ is Stack
assert Stack.__parameters__ == (T,)
assert typing.get_args(O)[0] is Base
assert isinstance(Base(), U)
assert G.__args__ == (Base,)
assert isinstance(Yes(), Has)
assert not isinstance(3, Has)
assert Id(3) == 3
assert Id.__supertype__ is int
assert Stack[str].__args__ == (str,)

class More(Stack[T]):
    pass
assert More().push(1).items == [1]
assert isinstance(impl, Impl)
assert P.__name__ == 'P'
assert Ts.__name__ == 'Ts'
assert T.__module__ == '__main__'
try:
    Has()
except TypeError:
    pass
else:
    raise AssertionError
""",
    ),
    Case(
        "annotations that refer to the class itself",
        """
from dataclasses import dataclass, field
from typing import Optional, List, Union, Annotated, Literal, Callable
@dataclass
class Tree:
    value: int
    left: Optional['Tree'] = None
    right: 'Tree | None' = None
    more: List['Tree'] = field(default_factory=list)
    kind: Annotated[int, 'note'] = 1
    mode: Literal['a', 'b'] = 'a'
    do: Callable[[int], 'Tree'] = print
tree = Tree(1, Tree(2), Tree(3))
Alias = Union['Tree', int]
""",
        """
import typing
assert tree.left.value == 2
assert typing.get_type_hints(Tree)['left'] == typing.Optional[Tree]
assert typing.get_type_hints(Tree)['right'] == typing.Optional[Tree]
assert Tree.__annotations__['mode'] == typing.Literal['a', 'b']
assert Tree(5).more == []
assert typing.get_args(Alias)[1] is int
""",
    ),
]
