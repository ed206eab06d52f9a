"""Conway's game of life, drawn in the transcript. Run `world.step()`, then `world`."""

from itertools import product

NEAR = [(dx, dy) for dx, dy in product((-1, 0, 1), repeat=2) if (dx, dy) != (0, 0)]
GLIDER = {(1, 0), (2, 1), (0, 2), (1, 2), (2, 2)}
BLINKER = {(12, 6), (13, 6), (14, 6)}


class World:
    """An endless plane of which 20 by 12 cells are drawn."""

    def __init__(self, cells: set[tuple[int, int]]) -> None:
        self.cells = cells
        self.age = 0

    def neighbours(self, x: int, y: int) -> int:
        return sum((x + dx, y + dy) in self.cells for dx, dy in NEAR)

    def step(self) -> None:
        candidates = self.cells | {(x + dx, y + dy) for x, y in self.cells for dx, dy in NEAR}
        self.cells = {
            cell
            for cell in candidates
            if self.neighbours(*cell) == 3 or (self.neighbours(*cell) == 2 and cell in self.cells)
        }
        self.age += 1

    def __repr__(self) -> str:
        rows = ("".join(".#"[(x, y) in self.cells] for x in range(20)) for y in range(12))
        return "\n".join(rows)

    def _repr_svg_(self) -> str:
        squares = "".join(f'<rect x="{x}" y="{y}" width=".9" height=".9"/>' for x, y in self.cells)
        return (
            '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 20 12" width="300" fill="green">'
            f"{squares}</svg>"
        )


world = World(GLIDER | BLINKER)
for _ in range(20):
    world.step()
population = len(world.cells)
world
