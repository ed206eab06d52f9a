"""The rules of the arena: where everything is a moment later. No I/O here."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Protocol, TypeVar

WIDTH, HEIGHT = 100.0, 60.0
TICK_S = 0.2
SPEED = 11.0  # in a second; all are equally fast
TURN = 270.0  # degrees in a second at most
RADIUS = 2.0  # of a unit
REACH = 3.0  # to food
SIGHT = 40.0
FACING = 60.0  # degrees to either side
FOOD = 10


class Spot(Protocol):
    """What has a place."""

    @property
    def x(self) -> float: ...
    @property
    def y(self) -> float: ...


S = TypeVar("S", bound=Spot)


@dataclass(frozen=True, slots=True)
class Unit:
    """A row of `unit`. Heading 0 is to the right, 90 is up."""

    name: str
    x: float
    y: float
    heading: float
    score: int = 0


@dataclass(frozen=True, slots=True)
class Food:
    """A row of `food`."""

    id: int
    x: float
    y: float


def anywhere(chance: Random) -> tuple[float, float]:
    """A place that is not at the wall."""
    x, y = chance.uniform(5, WIDTH - 5), chance.uniform(5, HEIGHT - 5)
    return round(x, 1), round(y, 1)


def step(
    units: Sequence[Unit], food: Sequence[Food], wanted: Mapping[str, float], chance: Random
) -> tuple[list[Unit], list[Food]]:
    """All units and all food, a tick later; `wanted` has the headings that scripts wrote."""
    moved = {each.name: moved_on(each, wanted.get(each.name, each.heading)) for each in units}
    for hunter in list(moved):
        for prey in list(moved):
            if catches(moved[hunter], moved[prey]):
                moved[hunter], moved[prey] = caught(moved[hunter], moved[prey], chance)
    left = []
    for bite in food:
        eaters = [each for each in moved.values() if distance(each, bite) < REACH]
        if eaters:
            eater = min(eaters, key=lambda each: distance(each, bite))
            moved[eater.name] = replace(eater, score=eater.score + 1)
        left.append(Food(bite.id, *anywhere(chance)) if eaters else bite)
    return list(moved.values()), left


def moved_on(unit: Unit, wanted: float) -> Unit:
    """It turns towards the heading that is wanted, goes on, and stops at the walls."""
    heading = unit.heading
    if math.isfinite(wanted):  # scripts write what they like
        most = TURN * TICK_S
        heading = round(heading + min(max(turn(heading, wanted), -most), most), 1) % 360
    angle, way = math.radians(heading), SPEED * TICK_S
    x = min(max(unit.x + math.cos(angle) * way, RADIUS), WIDTH - RADIUS)
    y = min(max(unit.y + math.sin(angle) * way, RADIUS), HEIGHT - RADIUS)
    return replace(unit, x=round(x, 2), y=round(y, 2), heading=heading)


def catches(hunter: Unit, prey: Unit) -> bool:
    """They touch, and one of them did not see it coming."""
    if hunter.name == prey.name or distance(hunter, prey) > 2 * RADIUS:
        return False
    return faces(hunter, prey) and not faces(prey, hunter)


def caught(hunter: Unit, prey: Unit, chance: Random) -> tuple[Unit, Unit]:
    """A point changes hands, if there is one, and who lost it begins anew somewhere else."""
    loot = min(prey.score, 1)
    x, y = anywhere(chance)
    robbed = replace(prey, score=prey.score - loot, x=x, y=y)
    return replace(hunter, score=hunter.score + loot), robbed


def seen(unit: Unit, spots: Sequence[S]) -> list[S]:
    """What is near enough, the nearest first."""
    near = [each for each in spots if each is not unit and distance(unit, each) < SIGHT]
    return sorted(near, key=lambda each: distance(unit, each))


def faces(one: Unit, other: Unit) -> bool:
    towards = math.degrees(math.atan2(other.y - one.y, other.x - one.x))
    return abs(turn(one.heading, towards)) < FACING


def turn(heading: float, wanted: float) -> float:
    """The shorter way round, in degrees: to the left is positive."""
    return (wanted - heading + 180) % 360 - 180


def distance(one: Spot, other: Spot) -> float:
    return math.hypot(one.x - other.x, one.y - other.y)
