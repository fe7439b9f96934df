"""Plugin mel_stack."""
