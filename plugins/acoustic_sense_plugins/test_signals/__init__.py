"""Plugin test_signals."""
