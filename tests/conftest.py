"""Shared test set-up: one torch thread, and array shapes checked at every annotated call."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("NUMBA_NUM_THREADS", "1")

from jaxtyping import install_import_hook

CHECKED_PACKAGES = [
    "acoustic_sense.dsp",
    "acoustic_sense.metrics",
    "acoustic_sense.networks",
    "acoustic_sense_plugins",
    "acoustic_sense_simulator.scattering",
    "acoustic_sense_simulator.body",
]
install_import_hook(CHECKED_PACKAGES, "beartype.beartype")

import torch

torch.set_num_threads(1)
