"""Runs inside the interpreter under test: dumps cases, loads and checks them.

Standard library only: it is imported by CPython processes and by Pyodide alike.
"""

import base64
import json
import sys
import traceback
from collections.abc import Sequence

import __main__
from watchglass_monitor.dump import dump
from watchglass_monitor.load import load


def _clear(namespace: dict[str, object]) -> None:
    for name in [name for name in namespace if not _is_module_attribute(name)]:
        del namespace[name]


def _is_module_attribute(name: str) -> bool:
    return name.startswith("__") and name.endswith("__") and len(name) > 4


def _is_elsewhere(case: dict[str, object]) -> bool:
    since = case["since"]
    assert isinstance(since, list)
    here = sys.platform == "emscripten"
    return since > list(sys.version_info[:2]) or (bool(case["pyodide"]) and not here)


def store(cases: Sequence[dict[str, object]]) -> list[dict[str, object]]:
    """Run each definition and dump what it left."""
    namespace = __main__.__dict__
    stored: list[dict[str, object]] = []
    for case in cases:
        _clear(namespace)
        if not _is_elsewhere(case):
            source = str(case["define"])
            try:
                exec(compile(source, "<In[1]>", "exec", dont_inherit=True), namespace)
            except Exception as problem:
                problem.add_note(f"in the case {case['name']!r}")
                raise
        names = [name for name in namespace if not _is_module_attribute(name)]
        made = dump(namespace, names, versions=dict.fromkeys(names, 7))
        entries = [entry.as_dict() for entry in made.entries]
        data = base64.b64encode(made.data).decode()
        stored.append({"data": data, "entries": entries})
    return stored


def check(
    cases: Sequence[dict[str, object]], stored: Sequence[dict[str, object]]
) -> list[str | None]:
    """Load each dump and run its check; None, or what was wrong."""
    namespace = __main__.__dict__
    problems: list[str | None] = []
    for case, dumped in zip(cases, stored, strict=True):
        if _is_elsewhere(case):
            problems.append(None)
            continue
        _clear(namespace)
        try:
            found = load(base64.b64decode(str(dumped["data"])), namespace)
            lost = {each.name: each.why for each in found.verdicts if each.verdict == "lost"}
            expected = case["lost"]
            assert isinstance(expected, list)
            assert set(lost) == set(expected), f"lost: {lost}, expected {expected}"
            assert all(lost.values()), f"no reason for {lost}"
            source = str(case["check"])
            exec(compile(source, "<check>", "exec", dont_inherit=True), namespace)
            problems.append(None)
        except BaseException:
            problems.append(traceback.format_exc(limit=-6))
    return problems


def store_again(stored: Sequence[dict[str, object]]) -> list[dict[str, object]]:
    """Load each dump and dump what came back."""
    namespace = __main__.__dict__
    again: list[dict[str, object]] = []
    for dumped in stored:
        _clear(namespace)
        load(base64.b64decode(str(dumped["data"])), namespace)
        names = [name for name in namespace if not _is_module_attribute(name)]
        made = dump(namespace, names, versions={})
        again.append({"data": base64.b64encode(made.data).decode(), "entries": []})
    return again


def answer(request: str) -> str:
    """Called inside: JSON in, JSON out."""
    asked = json.loads(request)
    if asked["do"] == "store":
        return json.dumps(store(asked["cases"]))
    if asked["do"] == "store again":
        return json.dumps(store_again(asked["stored"]))
    if asked["do"] == "check":
        return json.dumps(check(asked["cases"], asked["stored"]))
    names: dict[str, object] = {}
    exec(asked["code"], names)
    return json.dumps(names["result"])
