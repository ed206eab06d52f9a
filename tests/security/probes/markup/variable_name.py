"""Names a variable like markup."""

globals()[f"<img src=x: onerror='{ATTACK}'>"] = 1
globals()["__proto__"] = {"polluted": ATTACK}
