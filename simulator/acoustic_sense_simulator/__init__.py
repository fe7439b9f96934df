"""Room simulator with moving bodies."""
