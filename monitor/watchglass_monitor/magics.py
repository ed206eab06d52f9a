"""`%magic`, `!command` and `name?` lines -> calls that Python can compile, line by line."""

import ast
import io
import re
import tokenize

MAGIC = "__watchglass_magic__"  # the function in builtins that the lines call

_LINE = re.compile(r"(?P<indent>[ \t]*)(?P<sign>%|!)(?P<name>\w*)[ \t]*(?P<rest>.*)")
_CELL = re.compile(r"%%(?P<name>\w+)[ \t]*(?P<rest>[^\n]*)\n?(?P<body>.*)", re.DOTALL)
_OBJECT = r"[^\W\d][\w.]*(?:\[[\w'\" ]+\])*"
# As it stands in instructions for a shell, with and without a sign before it; the server knows the
# same lines: server/watchglass_server/pip_command.py.
_PIP = re.compile(
    r"(?P<indent>[ \t]*)(?:%|!)?[ \t]*(?:(?:\{?sys\.executable\}?|python[\d.]*)[ \t]+-m[ \t]+)?"
    r"pip[\d.]*[ \t]+(?P<rest>\S.*)"
)
_HELP = re.compile(
    rf"(?P<indent>[ \t]*)(?:(?P<front>\?{{1,2}})(?P<asked>{_OBJECT})"
    rf"|(?P<name>{_OBJECT})(?P<back>\?{{1,2}}))[ \t]*"
)


def transform(code: str) -> str:
    """`code` with its magic lines as calls; the same text when it has none, or is Python."""
    if not any(sign in code for sign in ("%", "!", "?", "pip")):
        return code
    if cell := _CELL.fullmatch(code.lstrip("\n")):
        name = "%pip" if cell["name"] == "pip" else "%%" + cell["name"]
        return _call("", name, cell["rest"], *([] if name == "%pip" else [cell["body"]]))
    if _is_python(code):
        return code
    lines = code.split("\n")
    done: list[str] = []
    for line in lines:
        done.append((_line(line) or line) if _begins_statement(done) else line)
    return "\n".join(done)


def _line(line: str) -> str | None:
    if found := _PIP.fullmatch(line.rstrip("\r")):
        return _call(found["indent"], "%pip", found["rest"])
    if found := _HELP.fullmatch(line):
        marks = found["front"] or found["back"]
        return _call(found["indent"], marks, found["asked"] or found["name"])
    found = _LINE.fullmatch(line)
    if found is None:
        return None
    if found["sign"] == "!":
        return _call(found["indent"], "!", found["name"] + " " + found["rest"])
    return _call(found["indent"], "%" + found["name"], found["rest"])


def _call(indent: str, *texts: str) -> str:
    return f"{indent}{MAGIC}({', '.join(map(repr, texts))})"


def _is_python(code: str) -> bool:
    try:
        flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT | ast.PyCF_ONLY_AST
        compile(code, "<magic>", "exec", flags, dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def _begins_statement(before: list[str]) -> bool:
    """Whether the next line is not inside a string or brackets of the lines before."""
    if not before:
        return True
    text = "\n".join(before) + "\n"
    if before[-1].endswith("\\"):
        return False
    try:
        for _ in tokenize.generate_tokens(io.StringIO(text).readline):
            pass
    except tokenize.TokenError as problem:
        return "EOF in multi-line" not in str(problem)
    except SyntaxError:
        return True
    return True
