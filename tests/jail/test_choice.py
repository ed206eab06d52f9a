"""Tests of choice.py: the strictest policy that a machine can give."""

from dataclasses import replace

import pytest

from watchglass_jail import JailError, JailPolicy, KernelFeatures, choose_policy, missing_layers
from watchglass_jail.choice import Level
from watchglass_jail.features import Hierarchy

ALL = ("mount", "pid", "net", "ipc", "uts", "cgroup")
ROOT = KernelFeatures(
    machine="x86_64",
    landlock_abi=7,
    seccomp=True,
    namespaces=ALL,
    private_root=True,
    counts_own_processes=True,
    uids=(1000000, 100),
    cgroups=(Hierarchy("/sys/fs/cgroup", ("memory", "pids"), 2),),
)
USER = replace(ROOT, uid=1000, gid=1001, namespaces=("user", *ALL), uids=(0, 0), cgroups=())
CONTAINER = KernelFeatures(machine="x86_64", landlock_abi=3, seccomp=True)
NOTHING = KernelFeatures(machine="riscv64")


def chosen(features: KernelFeatures, level: Level = "strict", number: int = 0) -> JailPolicy:
    return choose_policy(
        features, level=level, read=("/host",), execute=("/node",), number=number, data_bytes=7
    )


def test_root_gives_every_layer_and_each_process_a_user_of_its_own() -> None:
    policy = chosen(ROOT, number=3)
    assert policy.namespaces == ALL
    assert policy.private_root
    assert policy.landlock
    assert policy.seccomp
    assert (policy.uid, policy.gid) == (1000003, 1000003)
    assert policy.read == ("/host", "/dev/null", "/dev/urandom")
    assert policy.execute == ("/node",)
    assert policy.limits["DATA"] == (7, 7)
    assert policy.limits["NPROC"][1] < 64


def test_users_begin_again_when_all_were_given() -> None:
    uids = [chosen(ROOT, number=number).uid for number in (0, 99, 100, 250)]
    assert uids == [1000000, 1000099, 1000000, 1000050]


def test_an_ordinary_user_stays_who_it_is_in_a_user_namespace() -> None:
    policy = chosen(USER)
    assert policy.namespaces == ("user", *ALL)
    assert (policy.uid, policy.gid) == (1000, 1001)
    assert policy.private_root


def test_without_namespaces_landlock_and_seccomp_are_strict_enough() -> None:
    policy = chosen(CONTAINER)
    assert policy.namespaces == ()
    assert not policy.private_root
    assert policy.uid is None
    assert policy.limits["NPROC"][1] > 10000  # it counts the server's own, too
    assert policy.landlock
    assert policy.seccomp


@pytest.mark.parametrize(
    ("features", "told"),
    [
        (NOTHING, "neither Landlock"),
        (NOTHING, "no seccomp filter for riscv64"),
        (replace(ROOT, seccomp=False), "no seccomp filter"),
        (replace(CONTAINER, landlock_abi=0), "neither Landlock"),
    ],
)
def test_strict_is_refused_with_what_is_missing(features: KernelFeatures, told: str) -> None:
    with pytest.raises(JailError, match=told) as refused:
        chosen(features)
    assert "--isolation process" in str(refused.value)
    assert any(told in missing for missing in missing_layers(features))


def test_process_takes_what_there_is() -> None:
    policy = chosen(NOTHING, "process")
    assert not policy.landlock
    assert not policy.seccomp
    assert policy.limits["CORE"] == (0, 0)


@pytest.mark.parametrize("features", [ROOT, USER, CONTAINER, replace(ROOT, landlock_abi=0)])
def test_nothing_is_missing_where_files_and_calls_are_held(features: KernelFeatures) -> None:
    assert missing_layers(features) == []


def test_who_writes_the_image_may_write_a_file() -> None:
    policy = choose_policy(ROOT, level="strict", read=(), execute=(), write=("/cache",))
    assert policy.write == ("/cache",)
    assert "FSIZE" not in policy.limits
    assert chosen(ROOT).limits["FSIZE"] == (0, 0)


def test_time_of_the_processor_is_limited_where_it_is_asked_for() -> None:
    policy = choose_policy(ROOT, level="strict", read=(), execute=(), cpu_seconds=60)
    assert policy.limits["CPU"] == (60, 61)
    assert "CPU" not in chosen(ROOT).limits


def test_features_come_back_from_their_json() -> None:
    for features in (ROOT, USER, CONTAINER, NOTHING):
        assert KernelFeatures.from_json(features.to_json()) == features
