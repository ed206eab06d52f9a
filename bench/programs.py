"""The programs whose time with and without somebody who looks is compared."""

from __future__ import annotations

SETUP = """\
import array, collections, datetime, json
class Point:
    def __init__(self, x): self.x = x; self.y = 0
for n in range(20):
    globals()[f"number{n}"] = n * 1.5
    globals()[f"text{n}"] = "word " * n
    globals()[f"items{n}"] = [{"hp": k, "name": str(k)} for k in range(20)]
    globals()[f"points{n}"] = [Point(k) for k in range(10)]
    globals()[f"table{n}"] = {str(k): k for k in range(100)}
large = list(range(100_000))
buffer = array.array("d", range(10_000))
"""

LOOPS = {
    "`x = i` at module level": "for i in range(15_000_000): x = i",
    "`t += i` at module level": "t = 0\nfor i in range(8_000_000): t += i",
    "a function that stores a global": (
        "def store():\n    global stored\n    for i in range(25_000_000): stored = i\nstore()"
    ),
    "a function with locals only": (
        "def locals_only():\n    s = 0\n    for i in range(40_000_000): s = i\n    return s\n"
        "result = locals_only()"
    ),
    "calls: `fib(33)`": (
        "def fib(n): return n if n < 2 else fib(n - 1) + fib(n - 2)\nresult = fib(33)"
    ),
    "reading globals": (
        "a, b, c = 1, 2, 3\ndef read():\n    for i in range(30_000_000): a; b; c\nread()"
    ),
    "objects and lists": (
        "kept = []\nfor i in range(2_000_000):\n    p = Point(i); p.y = i; kept.append(p)\n"
        "    if len(kept) > 500: kept.clear()"
    ),
}
IN_C = {
    "`list(map(str, …))`": "result = list(map(str, range(3_000_000)))",
    "`json.dumps`": "result = json.dumps(items1 * 15_000)",
    "`repr` of a list": "result = repr(large * 60)",
    "`7 ** 200000`": "for i in range(30): result = 7 ** 200000",
}
STORM = {
    "2,000 names rewritten all the time": (
        "held = globals()\nnames = [f'name{n}' for n in range(2000)]\n"
        "for i in range(2000):\n    for name in names: held[name] = i"
    )
}
PROGRAMS = LOOPS | IN_C | STORM


def timed(code: str) -> str:
    """The same program, printing how many milliseconds it took."""
    return (
        f"import time\n_began = time.perf_counter()\n{code}\n"
        "print((time.perf_counter() - _began) * 1000)"
    )


STAMPS = """\
import time, random
end = time.monotonic() + {seconds}
while time.monotonic() < end:
    stamp = time.time()
    wait = time.perf_counter() + random.uniform(0.04, 0.12)
    while time.perf_counter() < wait: pass
"""
MANY = "held = globals()\nfor n in range({count}): held['many%d' % n] = n"
CHURN = """\
import time
names = [f'name{{n}}' for n in range({names})]
held = globals()
count = 0
end = time.monotonic() + {seconds}
while time.monotonic() < end:
    count += 1
    for name in names: held[name] = count
    time.sleep({pause})
"""
