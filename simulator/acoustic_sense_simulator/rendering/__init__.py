"""Rendering: from responses to signals at the microphone."""
