"""The arena's tables, as a SpacetimeDB module made in Python: no compiler is needed."""

from spacetimedb_bsatn import ArrayType, f64, u32
from spacetimedb_client.module import Module, Operation


def arena_module() -> Module:
    """Its owner, the rules, may write everything; all others a unit's heading and nothing else."""
    module = Module(owner_only=True)
    unit = {"name": str, "x": f64, "y": f64, "heading": f64, "score": u32}
    spot = module.product("Spot", x=f64, y=f64)
    other = module.product("Other", **unit)
    module.mirror(module.table("unit", unit, primary_key="name"))
    module.mirror(module.table("food", {"id": u32, "x": f64, "y": f64}, primary_key="id"))
    # What the script of a unit is told: a game shows nobody everything.
    sight = {"unit": str, "others": ArrayType(other), "food": ArrayType(spot)}
    module.mirror(module.table("sight", sight, primary_key="unit"))
    # Who steers it: a session of Watchglass, and the script that it began with.
    player = {"unit": str, "session": str, "script": str, "colour": u32}
    module.mirror(module.table("player", player, primary_key="unit"))
    steering = module.table("steering", {"unit": str, "heading": f64}, primary_key="unit")
    module.reducer("steering_upsert", Operation.UPSERT, steering, owner_only=False)
    return module
