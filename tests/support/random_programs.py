"""Random programs that bind, change, share and delete variables in many ways; each may fail.

Some wait in between, in `input()`: there they can be looked at while they run.
"""

from __future__ import annotations

import random

SETUP = """
import array, collections, dataclasses, types

class Unit:
    kind = "unit"
    def __init__(self, hp): self.hp = hp; self.bag = []
    def hit(self, n): self.hp -= n

class Slotted:
    __slots__ = ("a", "b")
    def __init__(self): self.a = 1

@dataclasses.dataclass
class Point:
    x: float = 0.0
    tags: list = dataclasses.field(default_factory=list)

def store(name, value): globals()[name] = value
def bump(value):
    global total
    total = value
total = 0
"""

NAMES = [f"v{number}" for number in range(40)]

VALUES = (
    "{n}", "{n} / 7", "'t{n}'", "b'b{n}'", "None", "{n} % 2 == 0", "2 ** {n}", "({n}, '{n}')",
    "[{n}, {n} + 1]", "list(range({n} % 50))", "{{'a': {n}, {n}: [1]}}", "{{{n}, 'x'}}",
    "Unit({n})", "[Unit(i) for i in range({n} % 5)]", "Slotted()", "Point({n} / 2)",
    "collections.deque([{n}])", "bytearray(b'ab{n}')", "array.array('d', [{n}, 1.5])",
    "collections.defaultdict(list)", "collections.Counter('ab' * ({n} % 4))", "iter([1, 2, {n}])",
    "(i for i in range({n} % 9))", "types.SimpleNamespace(a={n})", "{{'deep': [{{'er': [{n}]}}]}}",
    "frozenset([{n}])", "float('nan')", "lambda x={n}: x", "complex({n}, 1)",
)  # fmt: skip

# `{a}` and `{b}` are names, `{v}` an expression, `{n}` a number.
STEPS = (
    "{a} = {v}", "{a} = {v}", "{a} = {v}", "{a} = {b}", "{a}, {b} = {b}, {a}", "del {a}",
    "store('{a}', {v})", "globals().update({a}={v}, {b}={n})", "globals().pop('{a}', None)",
    "exec('{a} = {n}')", "[{a} := i for i in range(3)]", "bump({n})", "{a} = {b} = {v}",
    "for {a} in range({n} % 300): pass", "import math as {a}", "def {a}(x={n}): return x",
    "{a}.append({n})", "{a}.append({b})", "{a}[0] = {v}", "{a}['a'] = {v}", "{a}.add({n})",
    "{a}.extend([{n}] * 3)", "{a}.pop()", "{a}.clear()", "{a}.sort()", "{a}.reverse()",
    "{a}.hp = {n}", "{a}.hit(1)", "{a}.bag.append({v})", "{a}.fresh = {v}", "{a}.a = {v}",
    "{a}.x += 1", "{a}.tags.append({n})", "{a}[0].hp -= 1", "{a}[-1].bag.append({n})",
    "{a}['deep'][0]['er'][0] = {n}", "next({a})", "{a}.update('ab')", "{a}['new']",
    "{a}.appendleft({n})", "{a} += 1", "{a} += [{n}]", "{a} *= 2", "{a}[{n}] = {b}", "1 / 0",
    "Unit.kind = 'k{n}'", "{a} = {v}\nraise ValueError({n})", "list(map(bump, range(5)))",
    "with __import__('io').StringIO() as {a}: {a}.write('x')",
    "try: {a} = undefined\nexcept NameError as {b}: pass",
    "async def later_{n}():\n    global {a}\n    {a} = {v}\nawait later_{n}()",
)  # fmt: skip


def program(chance: random.Random) -> str:
    """Up to eight steps; a step that fails ends the program, as an error ends an execution."""
    steps = []
    for _ in range(chance.randint(1, 8)):
        number = chance.randint(0, 200)
        step = chance.choice(STEPS)
        value = chance.choice(VALUES).format(n=number)
        text = step.format(a=chance.choice(NAMES), b=chance.choice(NAMES), v=value, n=number)
        forgiven = chance.random() < 0.8 and "await" not in text
        if forgiven:
            body = text.replace("\n", "\n    ")
            text = f"try:\n    {body}\nexcept Exception: pass"
        steps.append(text)
        if chance.random() < 0.02:
            steps.append("input()")
    return "\n".join(steps)
