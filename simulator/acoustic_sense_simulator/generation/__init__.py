"""Dataset generation: scenes rendered to takes on disk, by any number of workers, resumable."""

from acoustic_sense_simulator.generation.dataset import generate

__all__ = ["generate"]
