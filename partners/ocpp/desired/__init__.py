"""How chargers of a model should be configured, and how far they are from it."""
