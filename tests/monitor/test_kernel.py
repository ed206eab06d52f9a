"""Tests of kernel.py, repl.py and queries.py, on a host by hand."""

import asyncio
import builtins
import io
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.kernel_host import HandHost, TurnedLoop
from watchglass_monitor import kernel as kernels
from watchglass_monitor.host import DUE_TICK, encode
from watchglass_monitor.kernel import Kernel
from watchglass_monitor.magics import MAGIC
from watchglass_monitor.reserve import Reserve

# The Python of these tests is the machine's: older ones have another word for it.
NUL_ERROR = "SyntaxError" if sys.version_info >= (3, 11, 4) else "ValueError"


class PlainOutput:
    """Streams that the test's own capture sees."""

    def install(self) -> None: ...

    def flush(self) -> None: ...


class Session:
    """A kernel and its host."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.host = HandHost()
        self.namespace: dict[str, object] = {"__name__": "__main__"}
        self.kernel = Kernel(self.host, loop, self.namespace)
        self.kernel.install()
        self.number = 0

    def run(self, code: str, *, turns: int = 10, store: bool = True) -> list[dict[str, Any]]:
        """Execute, and give back what was sent meanwhile."""
        self.number += 1
        before = len(self.host.sent)
        self.kernel.execute(self.number, self.number, code, store)
        for _ in range(turns):
            self.kernel.step()
        return self.host.sent[before:]

    def result(self, code: str) -> str:
        (found,) = [each for each in self.run(code) if each["type"] == "execute_result"]
        return str(found["bundle"]["text/plain"])

    def query(self, op: str, **args: object) -> dict[str, Any]:
        request_id = 1000 + len(self.host.sent)
        self.host.ask(op, request_id, **args)
        self.kernel.serve()
        return self.host.reply(request_id)


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> Iterator[Session]:
    monkeypatch.setattr(kernels, "Output", PlainOutput)
    for name in ("display", "exit", "quit", MAGIC):
        monkeypatch.setattr(builtins, name, None, raising=False)
    monkeypatch.setattr(sys, "unraisablehook", sys.unraisablehook)
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    with TurnedLoop() as loop:
        made = Session(loop)
        yield made
        made.kernel.monitor.stop()


def kinds(messages: list[dict[str, Any]]) -> list[str]:
    return [message["type"] for message in messages]


def test_an_execution_tells_its_result_then_its_changes_then_its_dump(session: Session) -> None:
    assert kinds(session.run("x = 41\nx + 1")) == ["execute_result", "variables", "dumped"]
    assert [status for status, _ in session.host.finished] == ["ok"]


def test_a_result_can_be_silenced_and_none_is_no_result(session: Session) -> None:
    assert "execute_result" not in kinds(session.run("1 + 1;"))
    assert "execute_result" not in kinds(session.run("None"))


def test_an_error_tells_line_and_traceback_without_our_frames(session: Session) -> None:
    session.run("def f():\n    return 1 / 0")
    (error,) = [each for each in session.run("x = 1\nf()") if each["type"] == "error"]
    assert (error["name"], error["message"]) == ("ZeroDivisionError", "division by zero")
    assert error["line"] == 2
    assert "    return 1 / 0" in error["traceback"]
    assert not [line for line in error["traceback"] if "watchglass" in line]
    assert session.host.finished[-1][0] == "error"


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("1 +", "SyntaxError"),
        ("exit()", "SystemExit"),
        ("quit(3)", "SystemExit"),
        ("raise SystemExit", "SystemExit"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt"),
        ("x\0y", NUL_ERROR),
        ("import asyncio; raise asyncio.CancelledError", "CancelledError"),
        ("raise BaseException", "BaseException"),
        ("await nothing", "NameError"),
    ],
)
def test_every_error_is_told_and_ends_only_its_execution(
    session: Session, code: str, name: str
) -> None:
    assert [each["name"] for each in session.run(code) if each["type"] == "error"] == [name]
    assert session.result("1 + 1") == "2"


def test_names_of_the_prompt_hold_what_was_run(session: Session) -> None:
    session.run("40 + 2")
    assert session.result("_ + 1") == "43"
    assert session.result("(Out[1], In[1], __)") == "(42, '40 + 2', 42)"


def test_an_execution_that_is_not_kept_leaves_no_trace_in_the_history(session: Session) -> None:
    session.run("1 + 1", store=False)
    assert session.result("(In[1], 1 in Out)") == "('', False)"


def test_top_level_await_is_one_execution(session: Session) -> None:
    sent = session.run("import asyncio\nx = await asyncio.sleep(0, 20)\nx + 1")
    assert kinds(sent)[0] == "execute_result"
    assert [status for status, _ in session.host.finished] == ["ok"]


def test_context_variables_last_from_one_execution_to_the_next(session: Session) -> None:
    session.run("import contextvars; v = contextvars.ContextVar('v'); v.set(7)")
    assert session.result("v.get()") == "7"
    assert session.result("import asyncio\nawait asyncio.sleep(0)\nv.get()") == "7"


def test_what_a_task_does_later_belongs_to_its_execution(session: Session) -> None:
    code = "import asyncio\nasync def f():\n  await asyncio.sleep(0)\n  display(1)\n  1 / 0\n"
    session.run(code + "t = asyncio.ensure_future(f())", turns=0)
    sent = session.run("y = 2")
    assert [each["request_id"] for each in sent if each["type"] == "display_data"] == [1]


def test_an_interrupt_cancels_an_execution_that_awaits(session: Session) -> None:
    session.run("import asyncio; await asyncio.get_running_loop().create_future()")
    session.host.press = 1
    session.kernel.interrupt()
    for _ in range(5):
        session.kernel.step()
    assert session.host.acknowledged == 1
    assert session.host.of("error")[0]["name"] == "KeyboardInterrupt"
    assert [status for status, _ in session.host.finished] == ["interrupted"]


def test_an_interrupt_for_another_execution_cancels_nothing(session: Session) -> None:
    session.run("import asyncio; await asyncio.get_running_loop().create_future()")
    session.host.press = 99
    session.kernel.interrupt()
    for _ in range(5):
        session.kernel.step()
    assert session.host.finished == []


def test_no_interrupt_is_raised_where_asyncio_schedules_the_task(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    session.run("import asyncio\nwhile True: await asyncio.sleep(0)", turns=2)
    schedule = session.host.schedule

    def come_by(ms: float) -> None:
        session.kernel.interrupts.safe_point()
        schedule(ms)

    monkeypatch.setattr(session.host, "schedule", come_by)
    session.host.press = session.number
    session.kernel.step()
    assert (session.host.acknowledged, session.host.press) == (0, session.number)
    session.kernel.interrupt()
    for _ in range(3):
        session.kernel.step()
    assert session.host.finished[-1][0] == "interrupted"


def test_an_interrupt_is_raised_in_the_running_code_of_an_execution_that_awaits(
    session: Session,
) -> None:
    session.namespace["come_by"] = session.kernel.interrupts.safe_point
    session.run("import asyncio\nawait asyncio.sleep(0)\nwhile True: come_by()", turns=1)
    session.host.press = session.number
    for _ in range(3):
        session.kernel.step()
    assert session.host.finished[-1][0] == "interrupted"
    assert session.host.acknowledged == 1


def test_an_interrupt_before_the_first_line_ends_the_execution(session: Session) -> None:
    session.host.press = 1
    session.run("x = 1")
    assert session.host.finished[0][0] == "interrupted"
    assert "x" not in session.namespace


def test_an_error_whose_text_cannot_be_made_is_told_without_it(session: Session) -> None:
    session.run("class E(Exception):\n  def __str__(self): raise KeyboardInterrupt")
    (error,) = [each for each in session.run("raise E") if each["type"] == "error"]
    assert error["name"] == "E"
    assert session.host.finished[-1][0] == "error"


def test_display_and_its_update_are_published(session: Session) -> None:
    sent = session.run("h = display(1, display_id='a')\nh.update(2)")
    shown = [each for each in sent if "display" in each["type"]]
    assert [(each["type"], each["display_id"]) for each in shown] == [
        ("display_data", "a"),
        ("update_display_data", "a"),
    ]


def test_magics_run_and_keep_their_text_in_the_history(session: Session) -> None:
    session.run("x = 5")
    sent = session.run("x?")
    assert "int" in sent[0]["bundle"]["text/plain"]
    assert session.result("In[2]") == "'x?'"


def test_ipython_display_can_be_imported(session: Session) -> None:
    (shown,) = session.run("from IPython.display import HTML; HTML('<b>x</b>')")[:1]
    assert shown["bundle"]["text/html"] == "<b>x</b>"


# --- queries


def test_assistance_answers_from_the_namespace(session: Session) -> None:
    session.run("unusual_name = 1")
    answer = session.query("complete", code="unusual_", cursor=8)
    assert [each["text"] for each in answer["result"]["matches"]] == ["unusual_name"]
    assert session.query("inspect", code="len", cursor=3)["result"]["found"] is True
    assert session.query("is_complete", code="for x in y:")["result"]["status"] == "incomplete"
    assert session.query("ping")["result"] == {}


def test_variables_are_listed_set_and_deleted(session: Session) -> None:
    session.run("x = 1")
    assert [each["name"] for each in session.query("variables")["result"]["variables"]] == ["x"]
    answer = session.query("variable_set", path=["x"], value=5)
    assert answer["result"]["variable"]["value"] == 5
    answer = session.query("variable_set", path=["x"], expression="x * 2")
    assert session.namespace["x"] == 10
    assert session.query("variable_get", path=["x"])["result"]["total"] == 0
    assert session.query("variable_repr", path=["x"])["result"] == {"text": "10"}
    assert session.query("variable_delete", name="x")["ok"] is True
    assert "x" not in session.namespace


def test_items_of_a_dict_are_set_in_one_step_and_the_others_stay(session: Session) -> None:
    session.run("unit = known = {'hp': 3, 'x': 1}; number = 5")
    answer = session.query("variable_merge", name="unit", items={"hp": 2, "y": None})
    assert answer["result"]["variable"]["value"] == {"hp": 2, "x": 1, "y": None}
    assert session.namespace["known"] == {"hp": 2, "x": 1, "y": None}
    for name in ("number", "nothing"):
        error = session.query("variable_merge", name=name, items={"hp": 2})["error"]
        assert error["code"] in ("not_settable", "variable_not_found")


@pytest.mark.parametrize(
    ("op", "args", "code"),
    [
        ("variable_get", {"path": ["nowhere"]}, "variable_not_found"),
        ("variable_set", {"path": ["x"], "value": 1, "if_version": 99}, "conflict"),
        ("variable_set", {"path": ["x"], "expression": "1 +"}, "bad_request"),
        ("variable_set", {"value": 1}, "bad_request"),
        ("no_such_query", {}, "bad_request"),
        ("restore", {"history": [], "next_number": 1, "has_blob": True}, "bad_request"),
        ("complete", {"code": 7, "cursor": 0}, "internal"),
    ],
)
def test_a_query_that_cannot_be_answered_says_why(
    session: Session, op: str, args: dict[str, object], code: str
) -> None:
    session.run("x = 1")
    answer = session.query(op, **args)
    assert answer["ok"] is False
    assert answer["error"]["code"] == code
    assert answer["error"]["message"]
    assert session.result("x") == "1"


def test_what_needs_an_idle_interpreter_waits_for_the_end(session: Session) -> None:
    session.run("import asyncio; gate = asyncio.get_running_loop().create_future(); await gate")
    session.host.ask("dump", 5)
    session.host.ask("ping", 6)
    session.kernel.serve()
    assert [each["request_id"] for each in session.host.of("reply")] == [6]
    gate: Any = session.namespace["gate"]
    gate.set_result(None)
    for _ in range(5):
        session.kernel.step()
    assert [each["request_id"] for each in session.host.of("reply")] == [6, 5]


def test_values_and_history_come_back_from_a_dump(session: Session) -> None:
    session.run("def f(n): return n + 1")
    session.run("x = [1]; y = x; 77")
    with TurnedLoop() as loop:
        other = Session(loop)
        other.host.stored[1000] = session.host.blobs[-1]
        history = [{"number": 1, "code": "def f(n): return n + 1"}]
        answer = other.query("restore", history=history, next_number=3, has_blob=True)
        verdicts = {each["name"]: each["verdict"] for each in answer["result"]["verdicts"]}
        assert verdicts == {"f": "restored", "x": "restored", "y": "restored"}
        other.number = 2
        assert other.result("(f(1), x, x is y, _, In[1])").startswith("(2, [1], True, 77, 'def f")
        assert other.host.of("variables") == []
        other.kernel.monitor.stop()


# --- idle time


def test_changes_of_a_task_are_shown_while_nothing_runs(session: Session) -> None:
    code = "import asyncio\nasync def f():\n  global z\n  await asyncio.sleep(0)\n  z = 3\n"
    session.run(code + "t = asyncio.ensure_future(f())", turns=0)
    for _ in range(5):
        session.kernel.step()
    session.kernel.feed.begin()
    session.kernel.tick()
    changes = session.host.of("variables")[-1]["changes"]
    assert ("z", 1) in [(each["name"], each["request_id"]) for each in changes]


def test_ticks_end_when_nothing_happens_any_more(session: Session) -> None:
    session.run("x = 1")
    session.kernel.tick()
    assert session.kernel.tick() == 0


# --- the pieces


@pytest.mark.parametrize("value", [float("nan"), float("inf"), b"raw", {1: object()}, "\ud800"])
def test_every_message_is_ascii_json(value: object) -> None:
    assert encode({"type": "x", "value": value}).isascii()


def test_a_message_that_nests_too_deeply_is_cut() -> None:
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]
    assert "…" in encode({"type": "x", "value": deep}).encode().decode("unicode_escape")


def test_running_out_of_memory_ends_the_body_only() -> None:
    reserve = Reserve()
    with reserve.as_needed():
        raise MemoryError
    with reserve.as_needed():
        io.StringIO()


def watched(session: Session, expression: str, condition: str | None = None) -> dict[str, Any]:
    """What is told of one new watch while nothing runs."""
    listed = [{"watch": expression, "expression": expression, "condition": condition}]
    assert session.query("watches", watches=listed)["ok"]
    session.kernel.tick()
    (found,) = session.host.of("watches")[-1]["watches"]
    return dict(found)


def test_a_watch_is_evaluated_when_it_is_set_and_after_each_execution(session: Session) -> None:
    session.run("n = 20")
    assert watched(session, "n * 2", "value > 40")["met"] is False
    sent = session.run("n = 21")
    assert kinds(sent) == ["variables", "watches", "dumped"]
    (found,) = sent[1]["watches"]
    assert (sent[1]["request_id"], found["variable"]["preview"], found["met"]) == (2, "42", True)


def test_a_watch_leaves_no_trace_in_the_history_and_stores_what_it_says(session: Session) -> None:
    session.run("40 + 2")
    assert watched(session, "(y := 5)")["variable"]["preview"] == "5"
    assert session.result("(_, y)") == "(42, 5)"


def test_what_a_watch_displays_or_asks_for_goes_nowhere(session: Session) -> None:
    session.run("1")
    before = len(session.host.sent)
    assert watched(session, "display(1)")["variable"]["preview"] == "None"
    assert kinds(session.host.sent[before:]) == ["reply", "watches"]
    session.namespace["ask"] = session.kernel.prompt.input
    assert watched(session, "ask()")["error"].startswith("EOFError: ")
    assert not session.host.of("input_request")


def test_a_watch_is_evaluated_while_an_execution_waits(session: Session) -> None:
    session.run("import asyncio; await asyncio.get_running_loop().create_future()")
    assert watched(session, "1 + 1")["variable"]["preview"] == "2"


def test_an_interrupt_is_not_lost_in_a_watch(session: Session) -> None:
    session.namespace["come_by"] = session.kernel.interrupts.safe_point
    watched(session, "[come_by() for _ in range(3)]")
    session.host.bits = DUE_TICK
    session.host.press = 1
    session.run("while True: come_by()")
    assert session.host.finished[-1][0] == "interrupted"
    assert (session.host.acknowledged, session.host.press) == (1, 0)


def test_the_sources_of_a_watch_are_checked_by_their_names(session: Session) -> None:
    reply = session.query("watch_check", expression="n +", condition="value > 1")
    assert reply["result"] == {"problems": {"expression": "SyntaxError: invalid syntax"}}


def test_a_look_that_runs_out_of_memory_ends_no_tick(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    session.run("n = 1")

    def full(owner: int, *, running: bool) -> None:
        raise MemoryError

    monkeypatch.setattr(session.kernel.feed, "show", full)
    assert session.kernel.tick() == 0
