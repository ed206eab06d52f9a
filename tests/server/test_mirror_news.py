"""What a session is told of its mirror: seldom, never because of itself, and at last the truth."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from watchglass_server.mirror_news import (
    TELL_AFTER_S,
    TELL_EVERY_S,
    MirrorNews,
    MirrorSight,
)
from watchglass_server.mirroring import LOOK_EVERY_S
from watchglass_server.pictures import MirrorState
from watchglass_server.session_inputs import MirrorTold


class Scene:
    """A session, its mirror, and a clock: events with the times at which they were recorded."""

    def __init__(self) -> None:
        self.news = MirrorNews()
        self.clock = 0.0
        self.times: list[float] = []
        self.mirrored = 0
        self.away_since: float | None = None
        self.told: MirrorState | None = None
        self.said: list[tuple[float, MirrorTold]] = []

    def record(self, count: int = 1) -> None:
        self.times += [self.clock] * count

    def mirror(self, upto: int | None = None) -> None:
        """Write rows; all of them, unless said up to which event."""
        if self.away_since is None:
            self.mirrored = max(self.mirrored, min(upto or len(self.times), len(self.times)))

    def go_away(self) -> None:
        if self.away_since is None:
            self.away_since = self.clock

    def come_back(self) -> None:
        self.away_since = None

    @property
    def waits(self) -> int:
        return len(self.times) - self.mirrored

    def look(self) -> MirrorTold | None:
        late_s = self.clock - self.times[self.mirrored] if self.waits else 0.0
        away_s = 0.0 if self.away_since is None else self.clock - self.away_since
        sight = MirrorSight(self.clock, len(self.times), self.mirrored, late_s, away_s)
        told = self.news.look(sight, self.told)
        if told is not None:
            assert told.state != "off"
            self.record()
            self.told = MirrorState(state=told.state, behind_by=told.behind_by)
            self.said.append((self.clock, told))
        return told

    def wait(self, seconds: float) -> list[MirrorTold]:
        """What is told while so much time goes by."""
        before = len(self.said)
        for _ in range(round(seconds / LOOK_EVERY_S)):
            self.clock += LOOK_EVERY_S
            self.look()
        return [told for _, told in self.said[before:]]


def connected() -> Scene:
    """One that was told that all is well, long ago."""
    scene = Scene()
    scene.record(3)
    scene.mirror()
    scene.wait(LOOK_EVERY_S)
    scene.mirror()
    assert scene.wait(60) == []
    return scene


def test_a_mirror_that_has_everything_is_told_at_once_and_once() -> None:
    scene = Scene()
    scene.record(3)
    scene.mirror()
    assert scene.look() == MirrorTold("connected", 0)
    scene.mirror()
    assert scene.wait(60) == []


def test_being_late_for_less_than_a_second_is_not_told() -> None:
    scene = connected()
    for _ in range(20):
        scene.record(100)
        assert scene.wait(TELL_AFTER_S) == []
        scene.mirror()
        assert scene.wait(LOOK_EVERY_S) == []


def test_after_a_second_it_is_behind_by_all_that_waits_and_by_being_told_so() -> None:
    scene = connected()
    scene.record(40)
    assert scene.wait(TELL_AFTER_S) == []
    assert scene.wait(LOOK_EVERY_S) == [MirrorTold("behind", 41)]
    assert scene.waits == 41
    assert scene.wait(60) == [], "nothing has changed but by what was told"


def test_it_is_connected_as_soon_as_it_has_caught_up() -> None:
    scene = connected()
    scene.record(40)
    scene.wait(2)
    scene.mirror(upto=30)
    assert scene.look() is None
    scene.mirror(upto=len(scene.times) - 1)
    assert scene.look() == MirrorTold("connected", 0), "all that waits is what was told"


def test_a_slow_stream_of_events_is_behind_as_long_as_it_is_late() -> None:
    scene = connected()
    said = []
    for _ in range(40):
        scene.record()
        scene.mirror(upto=len(scene.times) - 6)  # six looks late: a second and a half
        said += scene.wait(LOOK_EVERY_S)
    assert {told.state for told in said} == {"behind"}


def test_once_behind_a_second_more_or_less_is_no_change() -> None:
    scene = connected()
    scene.record(40)
    scene.wait(2)
    scene.mirror(upto=30)
    for _ in range(20):
        scene.record()
        scene.mirror(upto=len(scene.times) - 4)  # now three quarters of a second late
        assert "connected" not in [told.state for told in scene.wait(LOOK_EVERY_S)]
    scene.record()
    scene.mirror(upto=len(scene.times) - 2)
    assert scene.wait(LOOK_EVERY_S) == [MirrorTold("connected", 0)]


def test_a_single_event_is_missed_however_much_was_told_before() -> None:
    scene = connected()
    for _ in range(10):
        scene.record()
        assert [told.state for told in scene.wait(5)] == ["behind"]
        scene.mirror()
        assert [told.state for told in scene.wait(5)] == ["connected"]
        scene.mirror()


def test_a_database_that_is_away_for_less_than_a_second_is_not_told() -> None:
    scene = connected()
    for _ in range(10):
        scene.go_away()
        scene.record()
        assert scene.wait(TELL_AFTER_S) == []
        scene.come_back()
        scene.mirror()
        assert scene.wait(LOOK_EVERY_S) == []


def test_while_it_is_away_what_waits_is_counted_every_few_seconds_and_only_if_it_grows() -> None:
    scene = connected()
    scene.go_away()
    assert scene.wait(60) == [MirrorTold("disconnected", 1)]
    scene.record(9)
    assert scene.wait(60) == [MirrorTold("disconnected", 11)]
    said = []
    for _ in range(4 * 12):  # twelve seconds of events, four in each
        scene.record()
        said += scene.wait(LOOK_EVERY_S)
    assert len(said) == 12 / TELL_EVERY_S
    scene.come_back()
    assert scene.wait(TELL_EVERY_S)[-1].state == "behind"
    scene.mirror()
    assert scene.wait(LOOK_EVERY_S) == [MirrorTold("connected", 0)]


def test_who_comes_later_is_told_what_holds_now() -> None:
    scene = connected()
    scene.told = MirrorState(state="disconnected", behind_by=12)
    assert scene.look() == MirrorTold("connected", 0)
    scene.mirror()
    scene.told = MirrorState(state="behind", behind_by=4)
    scene.go_away()
    assert scene.wait(60) == [MirrorTold("disconnected", 1)]


def test_a_database_that_is_slower_than_the_bounds_is_no_loop() -> None:
    for delay_s in (0.5, 1.0, 1.5, 2.5, 4.0, 9.0):
        scene = connected()
        scene.record()
        for _ in range(40):
            upto = len(scene.times)  # one batch at a time, each so slow
            scene.wait(delay_s)
            scene.mirror(upto)
        assert len(scene.said) <= 3, (delay_s, scene.said)
        assert scene.told == MirrorState(state="connected", behind_by=0)
        assert scene.waits == 0


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("record"), st.integers(1, 50)),
        st.tuples(st.just("mirror"), st.integers(1, 300)),
        st.tuples(st.just("mirror all"), st.just(0)),
        st.tuples(st.just("go away"), st.just(0)),
        st.tuples(st.just("come back"), st.just(0)),
        st.tuples(st.just("wait"), st.integers(1, 20)),
    ),
    max_size=80,
)


def play(scene: Scene, steps: list[tuple[str, int]]) -> None:
    for step, number in steps:
        match step:
            case "record":
                scene.record(number)
            case "mirror":
                scene.mirror(scene.mirrored + number)
            case "mirror all":
                scene.mirror()
            case "go away":
                scene.go_away()
            case "come back":
                scene.come_back()
            case "wait":
                scene.wait(number * LOOK_EVERY_S)


@settings(max_examples=300, deadline=None)
@given(STEPS)
def test_however_it_goes_little_is_told_and_at_the_end_the_truth(
    steps: list[tuple[str, int]],
) -> None:
    scene = Scene()
    play(scene, steps)
    scene.wait(TELL_AFTER_S + TELL_EVERY_S + LOOK_EVERY_S)
    assert scene.wait(30) == [], "it goes on although nothing happens"
    assert scene.told is not None
    state, behind_by = scene.told.state, scene.told.behind_by
    if scene.away_since is not None:
        assert (state, behind_by) == ("disconnected", scene.waits)
    elif state == "connected":
        assert scene.waits <= len(scene.said)
        assert behind_by == 0
    else:
        assert (state, behind_by) == ("behind", scene.waits)

    times = [at for at, _ in scene.said]
    bad = [at for at, told in scene.said if told.state != "connected"]
    assert all(later - at >= TELL_EVERY_S for at, later in pairwise(bad))
    for first in times:
        assert sum(first <= at < first + TELL_EVERY_S for at in times) <= 2


@settings(max_examples=100, deadline=None)
@given(STEPS, st.integers(1, 20))
def test_a_database_that_comes_back_however_slow_is_told_to_have_caught_up(
    steps: list[tuple[str, int]], delay: int
) -> None:
    scene = Scene()
    play(scene, steps)
    scene.come_back()
    for _ in range(10):
        upto = len(scene.times)
        scene.wait(delay * LOOK_EVERY_S)
        scene.mirror(upto)
    scene.wait(LOOK_EVERY_S)
    assert scene.told == MirrorState(state="connected", behind_by=0)
