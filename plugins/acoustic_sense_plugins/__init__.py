"""The plugins that come with acoustic-sense; each registers through the outsiders' door."""
