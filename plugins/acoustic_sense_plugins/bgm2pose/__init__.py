"""Plugin bgm2pose."""
