"""Runs first in every session of the arena: what scripts need, and the loop that steers."""

import asyncio
import math

problem = None  # of the script, if it has one


def distance(spot):
    return math.hypot(spot["x"] - me["x"], spot["y"] - me["y"])


def nearest(spots):
    """The one that is nearest, or None."""
    return min(spots, key=distance, default=None)


def towards(spot):
    """The heading that leads to a spot: 0 is to the right, 90 is up."""
    angle = math.atan2(spot["y"] - me["y"], spot["x"] - me["x"])
    return round(math.degrees(angle)) % 360


def away_from(spot):
    return (towards(spot) + 180) % 360


def steer():
    """Returns the heading to take; every script defines its own."""
    return heading


async def drive():
    """Asks steer() ten times a second, whichever one is there by then."""
    global heading, problem
    while True:
        await asyncio.sleep(0.1)
        try:
            heading, problem = steer(), None
        except Exception as error:
            problem = f"{type(error).__name__}: {error}"


if "_driving" in globals():
    _driving.cancel()
_driving = asyncio.create_task(drive())
