"""Tests of trials.py: what a kernel offers is found out, and nothing is changed by it."""

import json
import os
import platform
import subprocess
import sys

from tests.support.jailed import OPEN, features_here
from watchglass_jail import KernelFeatures, missing_layers
from watchglass_jail.landlock import landlock_abi

ASKED_TWICE = """
import json, os
from watchglass_jail import read_features
def state():
    status = open("/proc/self/status").read().splitlines()
    kept = ("Uid", "Gid", "CapEff", "NoNewPrivs", "Seccomp", "Seccomp_filters", "Threads", "Umask")
    ours = [line for line in status if line.split(":")[0] in kept]
    places = [os.readlink(f"/proc/self/ns/{name}") for name in os.listdir("/proc/self/ns")]
    return [ours, sorted(places), os.listdir("/proc/self/fd"), os.getcwd(), os.listdir("/")]
before = state()
features = read_features()
assert state() == before, (before, state())
assert read_features() == features
open("/etc/hostname").close() if os.path.exists("/etc/hostname") else None
try:
    os.waitpid(-1, 0)
except ChildProcessError:
    print(features.to_json())
"""


def test_a_process_that_asks_stays_what_it_was() -> None:
    done = subprocess.run([sys.executable, "-c", ASKED_TWICE], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert KernelFeatures.from_json(done.stdout) == features_here()


def test_this_machine_can_be_strict() -> None:
    features = features_here()
    assert missing_layers(features) == []
    assert features.landlock_abi == landlock_abi()
    assert features.seccomp
    assert features.machine == platform.machine()
    assert (features.uid, features.gid) == (os.geteuid(), os.getegid())


def test_only_who_may_become_others_gets_users_to_give() -> None:
    first, count = features_here().uids
    assert (count > 0) == (os.geteuid() == 0 and first > 0)
    assert count == 0 or first > 60000


IN_LESS = """
import os, resource, sys
from watchglass_jail import JailPolicy, confine, read_features
confine(JailPolicy.from_json(sys.argv[1]))
print(read_features().to_json())
"""


def test_a_process_without_privileges_is_told_so() -> None:
    policy = OPEN.to_json()
    command = [sys.executable, "-c", IN_LESS, policy]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    told = json.loads(done.stdout)
    assert told["uids"] == [0, 0]
    assert "mount" not in told["namespaces"] or "user" in told["namespaces"]
    assert told["landlock_abi"] == features_here().landlock_abi
    assert told["seccomp"]
