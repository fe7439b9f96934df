"""Seeds derived from names, so that a draw never depends on what was drawn before it."""

import hashlib

import numpy as np


def seed_sequence(seed: int, *names: str) -> np.random.SeedSequence:
    """Return the seed sequence of one named thing under a dataset's seed.

    Args:
        seed: Seed of the dataset.
        names: What the draw is for, e.g. `"take", "s01_jazz"`.

    Returns:
        A sequence that depends on the arguments only.
    """
    digest = hashlib.sha256("\0".join(names).encode()).digest()
    words = np.frombuffer(digest, dtype="<u4")
    return np.random.SeedSequence([seed, *(int(word) for word in words)])


def generator_for(seed: int, *names: str) -> np.random.Generator:
    """Return a generator for one named thing; see `seed_sequence`."""
    return np.random.Generator(np.random.PCG64(seed_sequence(seed, *names)))


def seed_for(seed: int, *names: str) -> int:
    """Return a 32-bit seed for one named thing; see `seed_sequence`."""
    return int(seed_sequence(seed, *names).generate_state(1, np.uint32)[0])
