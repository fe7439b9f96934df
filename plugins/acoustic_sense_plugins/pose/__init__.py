"""Plugin pose."""
