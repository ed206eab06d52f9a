"""Tests of policy.py: a policy is a value that survives its JSON."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchglass_jail import JailPolicy
from watchglass_jail.policy import LIMIT_NAMES, NAMESPACES

PATHS = st.lists(st.text().map("/".__add__), max_size=4).map(tuple)
COUNTS = st.integers(-1, 2**63)


@given(
    st.builds(
        JailPolicy,
        read=PATHS,
        execute=PATHS,
        write=PATHS,
        limits=st.dictionaries(st.sampled_from(sorted(LIMIT_NAMES)), st.tuples(COUNTS, COUNTS)),
        namespaces=st.sets(st.sampled_from(NAMESPACES)).map(lambda names: ("mount", *names)),
        private_root=st.booleans(),
        uid=st.integers(0, 2**32),
        gid=st.integers(0, 2**32),
        cgroups=PATHS,
        landlock=st.booleans(),
        seccomp=st.booleans(),
        oom_score_adj=st.none() | st.integers(-1000, 1000),
    )
)
def test_a_policy_comes_back_from_its_json(policy: JailPolicy) -> None:
    assert JailPolicy.from_json(policy.to_json()) == policy


def test_a_policy_of_nothing_confines_by_landlock_and_seccomp() -> None:
    assert JailPolicy.from_json("{}") == JailPolicy()
    assert JailPolicy().landlock
    assert JailPolicy().seccomp


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"reads": []}', "no field 'reads'"),
        ('{"namespaces": ["time"]}', "'time' is neither a namespace nor a limit"),
        ('{"limits": {"FOO": [1, 1]}}', "'FOO' is neither"),
        ('{"read": ["etc"]}', "'etc' is not absolute"),
        ('{"private_root": true}', "needs the namespace 'mount'"),
        ('{"namespaces": ["user"]}', "give uid and gid"),
    ],
)
def test_what_makes_no_sense_is_refused_with_a_reason(text: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        JailPolicy.from_json(text)
