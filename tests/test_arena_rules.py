"""The rules of examples/arena."""

from __future__ import annotations

import math
from random import Random

import pytest

from examples.arena.rules import (
    FOOD,
    HEIGHT,
    RADIUS,
    SPEED,
    TICK_S,
    TURN,
    WIDTH,
    Food,
    Unit,
    seen,
    step,
)


def after(unit: Unit, wanted: float, ticks: int = 1) -> Unit:
    for _ in range(ticks):
        [unit], _ = step([unit], [], {unit.name: wanted}, Random(1))
    return unit


def test_a_unit_goes_where_its_script_wants() -> None:
    assert after(Unit("Ann", 50, 30, 90), 90) == Unit("Ann", 50, 30 + SPEED * TICK_S, 90)


def test_a_unit_turns_the_shorter_way_and_no_faster_than_it_can() -> None:
    assert after(Unit("Ann", 50, 30, 10), 200).heading == (10 - TURN * TICK_S) % 360
    assert after(Unit("Ann", 50, 30, 350), 20).heading == 20


def test_a_unit_stays_inside_wherever_it_is_sent() -> None:
    assert after(Unit("Ann", 50, 30, 0), 0, 100).x == WIDTH - RADIUS
    assert after(Unit("Ann", 50, 30, 0), 90, 100).y == HEIGHT - RADIUS


@pytest.mark.parametrize("wanted", [math.nan, math.inf, -math.inf, 1e300, -1e9])
def test_whatever_a_script_writes_is_survived(wanted: float) -> None:
    unit = after(Unit("Ann", 50, 30, 0), wanted, 20)
    assert RADIUS <= unit.x <= WIDTH - RADIUS
    assert RADIUS <= unit.y <= HEIGHT - RADIUS
    assert 0 <= unit.heading < 360


def test_food_is_eaten_by_the_nearest_and_grows_again_elsewhere() -> None:
    units = [Unit("Ann", 50, 30, 0), Unit("Bo", 50, 34, 0)]
    moved, [bite] = step(units, [Food(7, 52, 30.5)], {}, Random(1))
    assert [each.score for each in moved] == [1, 0]
    assert bite.id == 7
    assert (bite.x, bite.y) != (52, 30.5)


def test_who_is_caught_from_behind_loses_a_point_and_begins_anew() -> None:
    units = [Unit("Ann", 50, 30, 0), Unit("Bo", 53, 30, 0, score=2)]
    (hunter, prey), _ = step(units, [], {}, Random(1))
    assert (hunter.score, prey.score) == (1, 1)
    assert math.hypot(hunter.x - prey.x, hunter.y - prey.y) > 2 * RADIUS


def test_who_has_no_point_loses_none() -> None:
    units = [Unit("Ann", 50, 30, 0), Unit("Bo", 53, 30, 0)]
    (hunter, prey), _ = step(units, [], {}, Random(1))
    assert (hunter.score, prey.score) == (0, 0)


def test_who_meet_face_to_face_do_each_other_nothing() -> None:
    units = [Unit("Ann", 48, 30, 0, score=1), Unit("Bo", 53, 30, 180, score=1)]
    moved, _ = step(units, [], {}, Random(1))
    assert [each.score for each in moved] == [1, 1]
    assert [each.y for each in moved] == [30, 30]


def test_a_unit_sees_what_is_near_and_the_nearest_first() -> None:
    me = Unit("Ann", 10, 10, 0)
    others = [me, Unit("far", 90, 50, 0), Unit("next", 30, 10, 0), Unit("near", 15, 10, 0)]
    assert [each.name for each in seen(me, others)] == ["near", "next"]


def test_in_a_long_game_everyone_stays_and_points_are_made() -> None:
    chance = Random(3)
    units = [Unit(str(i), 10.0 + 10 * i, 30, 45.0 * i) for i in range(8)]
    food = [Food(i, 5.0 + 9 * i, 20) for i in range(FOOD)]
    for _ in range(2000):
        wanted = {each.name: each.heading + chance.uniform(-60, 60) for each in units}
        units, food = step(units, food, wanted, chance)
        assert len({each.name for each in units}) == 8
        assert len(food) == FOOD
    assert sum(each.score for each in units) > 50
