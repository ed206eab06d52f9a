"""Tests of zygote.py: what it starts, what it refuses, and that nothing outlives it."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.zygote import PYTHON, HandledZygote, python_policy
from watchglass_jail.choice import choose_policy
from watchglass_jail.zygote_wire import (
    MAX_PACKET_BYTES,
    Ended,
    Features,
    FeaturesRequest,
    Refused,
    Started,
    StartRequest,
    encode_request,
)

WAITS = "import time\nwhile True: time.sleep(9)"
# Without listing /proc, of which the jail shows nothing.
OPEN_NUMBERS = """
import os
def is_open(number):
    try: os.fstat(number)
    except OSError: return False
    return True
print([number for number in range(4096) if is_open(number)])
"""


@pytest.fixture
def zygote() -> Iterator[HandledZygote]:
    with HandledZygote() as zygote:
        yield zygote


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_for_end(*pids: int) -> None:
    deadline = time.monotonic() + 10
    while any(map(is_alive, pids)):
        assert time.monotonic() < deadline, "still there"
        time.sleep(0.01)


def wait_for_descriptors(zygote: HandledZygote, held: list[str]) -> None:
    deadline = time.monotonic() + 5  # it closes some after it has answered
    while (now := descriptors(zygote.process.pid)) != held:
        assert time.monotonic() < deadline, now
        time.sleep(0.01)


def children(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


def descriptors(pid: int) -> list[str]:
    return os.listdir(f"/proc/{pid}/fd")


def test_a_program_runs_in_its_jail_and_its_end_is_told(zygote: HandledZygote) -> None:
    code = "try: open('/etc/passwd')\nexcept OSError as error: print(type(error).__name__)"
    pid, output = zygote.start(7, code)
    with open(output) as file:
        assert file.read() == "PermissionError\n"
    ended, _ = zygote.receive()
    assert isinstance(ended, Ended)
    assert (ended.request_id, ended.returncode) == (7, 0)
    assert 2**20 < ended.max_rss_bytes < 2**28
    assert not is_alive(pid)


@pytest.mark.parametrize("inherited", [0, 1, 3])
def test_a_child_has_what_was_given_to_it_and_nothing_else(
    zygote: HandledZygote, inherited: int
) -> None:
    zygote.start(2, WAITS)
    numbers = json.loads(zygote.run(OPEN_NUMBERS, inherited=inherited))
    assert numbers == list(range(3 + inherited))


def test_a_child_holds_only_pipes_and_what_is_empty_while_it_runs(zygote: HandledZygote) -> None:
    pid, output = zygote.start(1, "print(1, flush=True)\n" + WAITS)
    with open(output) as file:
        assert file.readline() == "1\n"
    held = {name: os.readlink(f"/proc/{pid}/fd/{name}") for name in descriptors(pid)}
    assert held.pop("0") == "/dev/null"
    assert held.keys() == {"1", "2"}
    assert held["1"] == held["2"]
    assert held["1"].startswith("pipe:")


def test_a_child_has_no_environment_and_leads_a_session_of_its_own(zygote: HandledZygote) -> None:
    # Python sets LC_CTYPE for itself where no language is chosen.
    code = """if 1:
        import os
        print([*os.environ.keys() - {"LC_CTYPE"}], os.getsid(0) == os.getpid())
        print(os.getcwd(), os.umask(0))
    """
    # umask is not among the calls that the filter allows.
    printed = zygote.run(code, python_policy(seccomp=False))
    assert printed == f"[] True\n/ {0o077}\n"


def test_signals_that_were_ignored_or_blocked_are_as_for_every_new_program(
    zygote: HandledZygote,
) -> None:
    code = "import signal\nprint(signal.pthread_sigmask(signal.SIG_BLOCK, ()))"
    assert zygote.run(code) == "set()\n"


def test_a_program_in_namespaces_is_known_by_its_number_outside(zygote: HandledZygote) -> None:
    zygote.send(encode_request(FeaturesRequest(3, PYTHON)))
    told, _ = zygote.receive()
    assert isinstance(told, Features)
    policy = choose_policy(
        told.features, level="strict", read=(sys.base_prefix,), execute=told.program
    )
    pid, output = zygote.start(1, f"import os\nprint(os.getpid(), flush=True)\n{WAITS}", policy)
    with open(output) as file:
        inside = int(file.readline())
    assert inside == (1 if "pid" in policy.namespaces else pid)
    os.kill(pid, signal.SIGKILL)
    ended, _ = zygote.receive()
    assert isinstance(ended, Ended)
    assert ended.returncode == -signal.SIGKILL


def test_what_the_machine_offers_is_told_with_what_a_program_needs(zygote: HandledZygote) -> None:
    zygote.send(encode_request(FeaturesRequest(3, PYTHON)))
    reply, _ = zygote.receive()
    assert isinstance(reply, Features)
    assert (reply.request_id, reply.features.machine) == (3, os.uname().machine)
    assert PYTHON in reply.program
    assert any("libc" in path for path in reply.program)


def test_a_file_that_is_no_program_is_said_when_its_libraries_are_asked_for(
    zygote: HandledZygote,
) -> None:
    zygote.send(encode_request(FeaturesRequest(3, "/etc/passwd")))
    reply, _ = zygote.receive()
    assert isinstance(reply, Refused)
    assert (reply.request_id, reply.layer) == (3, "libraries")


# --- odd requests

START = json.loads(encode_request(StartRequest(5, (PYTHON,), {}, python_policy())))


@pytest.mark.parametrize(
    ("packet", "words"),
    [
        (b"\0\xff", "no JSON"),
        (b"[" * 60_000, "no JSON"),
        (b"[]", "no JSON object"),
        (b"{}", "request_id"),
        (b'{"request_id": true, "type": "start"}', "request_id"),
        (b'{"request_id": 5, "type": "stop"}', "type"),
        (b'{"request_id": 5, "type": "features"}', "fields"),
        (b'{"request_id": 5, "type": "features", "program": "node"}', "root"),
        (json.dumps({**START, "more": 1}).encode(), "fields"),
        (json.dumps({**START, "argv": []}).encode(), "argv"),
        (json.dumps({**START, "argv": "/bin/sh"}).encode(), "argv"),
        (json.dumps({**START, "argv": [7]}).encode(), "argv"),
        (json.dumps({**START, "argv": ["sh"]}).encode(), "root"),
        (json.dumps({**START, "argv": ["/bin/sh", "a\0b"]}).encode(), "argv"),
        (json.dumps({**START, "environment": ["A"]}).encode(), "environment"),
        (json.dumps({**START, "environment": {"A=B": "1"}}).encode(), "environment"),
        (json.dumps({**START, "cgroups": 7}).encode(), "int"),
        (json.dumps({**START, "cgroups": [["/a", ["pids"]]]}).encode(), "cgroups"),
        (json.dumps({**START, "cgroups": [["a", ["pids"], 1]]}).encode(), "root"),
        (json.dumps({**START, "cgroups": [["/a", ["rdma"], 1]]}).encode(), "controllers"),
        (json.dumps({**START, "cgroups": [["/a", [[]], 1]]}).encode(), "list"),
        (json.dumps({**START, "cgroups": [["/a", ["pids"], 3]]}).encode(), "version"),
        (json.dumps({**START, "policy": {}}).encode(), "policy"),
        (json.dumps({**START, "policy": "{"}).encode(), "Expecting"),
        (json.dumps({**START, "policy": '{"reed": []}'}).encode(), "reed"),
        (json.dumps({**START, "policy": '{"read": ["etc"]}'}).encode(), "absolute"),
        (json.dumps({**START, "policy": '{"read": 7}'}).encode(), "int"),
        (b" " * (MAX_PACKET_BYTES + 1), "bytes"),
    ],
)
def test_a_forged_request_is_refused_and_nothing_is_left_of_it(
    zygote: HandledZygote, packet: bytes, words: str
) -> None:
    zygote.run("")
    held = descriptors(zygote.process.pid)
    reading, writing = os.pipe()
    refused = zygote.refused(packet, [writing, writing])
    assert refused.layer == "request"
    assert words in refused.what
    assert refused.request_id in (0, 5)
    os.close(writing)
    assert os.read(reading, 1) == b"", "the zygote kept the descriptor"
    os.close(reading)
    assert zygote.run("print(1)") == "1\n"
    wait_for_descriptors(zygote, held)


def test_a_start_without_a_descriptor_for_output_is_refused(zygote: HandledZygote) -> None:
    assert "descriptor" in zygote.refused(json.dumps(START).encode()).what


def test_more_descriptors_than_may_be_are_refused_and_closed(zygote: HandledZygote) -> None:
    zygote.run("")
    held = descriptors(zygote.process.pid)
    refused = zygote.refused(json.dumps(START).encode(), [0] * 9)
    assert "descriptors" in refused.what
    wait_for_descriptors(zygote, held)


def test_a_layer_that_fails_is_named_with_what_to_do(zygote: HandledZygote) -> None:
    policy = python_policy(cgroups=("/nowhere/at/all",))
    request = StartRequest(9, (PYTHON,), {}, policy)
    refused = zygote.refused(encode_request(request), [2])
    assert (refused.request_id, refused.layer) == (9, "cgroups")
    assert "/nowhere/at/all" in refused.what
    assert refused.next_step
    wait_for_end(*map(int, children(zygote.process.pid)))


@pytest.mark.parametrize("program", ["/nowhere", "/etc/passwd", "/"])
def test_a_program_that_cannot_be_started_is_said(zygote: HandledZygote, program: str) -> None:
    request = StartRequest(1, (program,), {}, replace(python_policy(), execute=("/",)))
    refused = zygote.refused(encode_request(request), [2])
    assert refused.layer == "program"
    assert program in refused.what
    assert zygote.run("print(1)") == "1\n"


def test_a_refused_start_is_not_told_twice(zygote: HandledZygote) -> None:
    request = StartRequest(1, ("/nowhere",), {}, python_policy())
    for _ in range(3):
        assert zygote.refused(encode_request(request), [2]).request_id == 1
    assert zygote.run("print(1)") == "1\n"


# --- many, and the end


def test_a_hundred_children_live_at_once_and_leave_nothing(zygote: HandledZygote) -> None:
    zygote.run("")
    held = descriptors(zygote.process.pid)
    outputs = []
    for number in range(100):
        output, theirs = os.pipe()
        request = StartRequest(
            number + 1, (PYTHON, "-I", "-S", "-c", WAITS), {}, python_policy()
        )  # fmt: skip
        zygote.send(encode_request(request), [theirs])
        os.close(theirs)
        outputs.append(output)
    pids = []
    for _ in outputs:
        reply, passed = zygote.receive()
        assert isinstance(reply, Started), reply
        pids.append(reply.pid)
        for descriptor in passed:
            os.close(descriptor)
    assert len(children(zygote.process.pid)) == 100
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    ends = [zygote.receive()[0] for _ in pids]
    assert {end.returncode for end in ends if isinstance(end, Ended)} == {-signal.SIGKILL}
    for output in outputs:
        os.close(output)
    assert children(zygote.process.pid) == [], "zombies"
    wait_for_descriptors(zygote, held)


def test_the_end_of_the_server_ends_the_zygote_and_its_children(zygote: HandledZygote) -> None:
    pids = [zygote.start(number, WAITS)[0] for number in (1, 2, 3)]
    assert zygote.stop() == 0
    wait_for_end(*pids)


def test_a_zygote_that_is_killed_takes_its_children_along(zygote: HandledZygote) -> None:
    pids = [zygote.start(number, WAITS)[0] for number in (1, 2, 3)]
    zygote.process.kill()
    zygote.process.wait(timeout=10)
    wait_for_end(*pids)
