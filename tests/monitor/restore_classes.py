"""What must come back: classes and instances of them."""

from tests.support.restoring import Case

CLASSES = [
    Case(
        "classes, instances, inheritance, super, nesting",
        '''
class Base:
    """doc"""
    count = 0

    def __init__(self, x):
        self.x = x

    def who(self):
        return 'base'

class Child(Base):

    class Inner:
        y = 1

    def __init__(self, x):
        super().__init__(x)
        self.inner = self.Inner()

    def who(self):
        return 'child of ' + super().who() + __class__.__name__

    @property
    def double(self):
        return self.x * 2

    @double.setter
    def double(self, v):
        self.x = v / 2

    @classmethod
    def make(cls):
        return cls(1)

    @staticmethod
    def s():
        return 's'
c = Child(3)
d = Child(c)
c.back = d
cls = type(c)
nested = Child.Inner
c.kind = Child
Child.only = c
''',
        """
assert c.who() == 'child of baseChild'
assert d.x is c
assert c.back is d
assert cls is Child
assert isinstance(c, Base)
assert Child.__mro__ == (Child, Base, object)
assert c.double == 6
assert type(c.inner) is nested is Child.Inner
assert c.inner.y == 1
c.double = 8
assert c.x == 4
assert type(Child.make()) is Child
assert Child.s() == 's'
assert Base.__doc__ == 'doc'
assert Child.__module__ == '__main__'
assert Child.only is c
assert nested.__qualname__ == 'Child.Inner'
assert c.kind is Child
""",
    ),
    Case(
        "a class defined again while old instances live",
        """
class A:
    v = 1
old = A()
Old = A

class A:
    v = 2
new = A()
""",
        """
assert old.v == 1
assert new.v == 2
assert type(old) is Old
assert type(new) is A
assert Old is not A
assert not isinstance(old, A)
""",
    ),
    Case(
        "instances of a class whose name is gone",
        """
def make():

    class Local:

        def hi(self):
            return 'hi'
    return Local()
a = make()

class Gone:
    z = 1
g = Gone()
del Gone
""",
        """
assert a.hi() == 'hi'
assert g.z == 1
assert type(g).__name__ == 'Gone'
""",
    ),
    Case(
        "slots",
        """
class P:
    __slots__ = ('x', '__y')

    def __init__(self):
        self.x, self.__y = (1, 2)

    def y(self):
        return self.__y

class Q(P):
    __slots__ = ('z', '__dict__', '__weakref__')

class R(P):
    pass

class S:
    __slots__ = 'one'

class E:
    __slots__ = ()
p = P()
q = Q()
r = R()
s = S()
e = E()
q.z = 3
q.more = 4
r.other = 5
s.one = 6
""",
        """
assert p.x == 1
assert p.y() == 2
assert q.z == 3
assert q.more == 4
assert r.other == 5
assert s.one == 6
assert P.__slots__ == ('x', '__y')
assert S.__slots__ == 'one'
assert not hasattr(p, '__dict__')
import weakref
weakref.ref(q)
try:
    p.new = 1
except AttributeError:
    pass
else:
    raise AssertionError
try:
    e.new = 1
except AttributeError:
    pass
else:
    raise AssertionError
""",
    ),
    Case(
        "metaclasses, __init_subclass__, __set_name__ run no second time",
        """
log = []

class Meta(type):

    def __new__(m, n, b, d, **k):
        log.append(n)
        return super().__new__(m, n, b, d)

    def __init__(c, n, b, d, **k):
        super().__init__(n, b, d)

    def __call__(c, *a):
        o = super().__call__(*a)
        o.made = True
        return o

    @property
    def shout(c):
        return c.__name__.upper()

    def __setattr__(c, n, v):
        raise TypeError('frozen')

class A(metaclass=Meta, key=1):
    shout = 'mine'
a = A()

class Plugin:
    known = []

    def __init_subclass__(cls, *, tag, **k):
        super().__init_subclass__(**k)
        Plugin.known.append((tag, cls))

class One(Plugin, tag='x'):
    pass

class Two(One, tag='y'):
    pass

class Field:

    def __set_name__(self, owner, name):
        log.append(name)
        self.name = name

    def __get__(self, o, t):
        return self.name if o else self

class Form:
    first = Field()
form = Form()
""",
        """
assert log == ['A', 'first']
assert type(A) is Meta
assert a.made
assert A.shout == 'A'
assert A().made
assert A.__dict__['shout'] == 'mine'
assert Plugin.known == [('x', One), ('y', Two)]
assert form.first == 'first'

class Three(One, tag='z'):
    pass
assert Plugin.known[-1] == ('z', Three)

class B(A):
    pass
assert log[-1] == 'B'
""",
    ),
    Case(
        "abstract classes",
        """
import abc, collections.abc

class Shape(abc.ABC):

    @abc.abstractmethod
    def area(self):
        ...

    @property
    @abc.abstractmethod
    def n(self):
        ...

class Square(Shape):

    def area(self):
        return 4
    n = 1

class Round:
    pass
Shape.register(Round)
s = Square()

class Seq(collections.abc.Sequence):

    def __len__(self):
        return 2

    def __getitem__(self, i):
        return [5, 6][i]
q = Seq()
""",
        """
assert s.area() == 4
assert isinstance(s, Shape)
assert issubclass(Round, Shape)
assert list(q) == [5, 6]
assert 6 in q
assert Shape.__abstractmethods__ == {'area', 'n'}
try:
    Shape()
except TypeError:
    pass
else:
    raise AssertionError

class Half(Shape):
    pass
try:
    Half()
except TypeError:
    pass
else:
    raise AssertionError
""",
    ),
]
