"""A race of turtles: open `turtles` in the variables panel and watch the units move."""

import random
import time

TRACK_LENGTH = 60
random.seed(7)


class Turtle:
    """One unit of the game: where it is, how fast, how tired."""

    def __init__(self, name: str, speed: float) -> None:
        self.name = name
        self.speed = speed
        self.x = 0.0
        self.stamina = 100

    def step(self) -> None:
        resting = self.stamina < 20
        self.x += 0.3 if resting else random.uniform(0.5, 1.5) * self.speed
        self.stamina += 15 if resting else -random.randint(1, 6)

    def lane(self) -> str:
        done = min(int(self.x), TRACK_LENGTH)
        return f"{self.name:>8} |{'.' * done}@{' ' * (TRACK_LENGTH - done)}|"

    def __repr__(self) -> str:
        return f"Turtle({self.name!r}, x={self.x:.1f})"


turtles = [Turtle("Donna", 1.1), Turtle("Rafael", 1.0), Turtle("Mika", 0.95), Turtle("Leo", 1.05)]
winner = None
tick = 0

while winner is None:
    tick += 1
    for turtle in turtles:
        turtle.step()
        if turtle.x >= TRACK_LENGTH:
            winner = turtle
            break
    if tick % 10 == 0 or winner:
        print(f"--- tick {tick} ---", *(t.lane() for t in turtles), sep="\n")
    time.sleep(0.02)

standings = sorted(turtles, key=lambda turtle: turtle.x, reverse=True)
print(f"{winner.name} wins after {tick} ticks.")
standings
