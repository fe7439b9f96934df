"""Plugin music."""
