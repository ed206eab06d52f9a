"""SpacetimeDB from Python: typed, with asyncio first."""
