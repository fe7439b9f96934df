"""Service: the simulator as the core sees it, see `acoustic_sense.contracts.simulator`.

Everything heavy (rooms, bodies, kernels) is imported when it is first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from acoustic_sense_simulator.sampling import GenerationConfig, scenes

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pydantic import BaseModel

    from acoustic_sense.contracts.simulator import GenerationProgress
    from acoustic_sense.types import Scene, Take

__all__ = ["GenerationConfig", "demo_scene", "generate", "simulate"]


def simulate(scene: Scene) -> Take:
    """Render one scene, with the same bytes as in a dataset.

    Raises:
        SimulationError: The scene is not possible.
    """
    from acoustic_sense_simulator.generation.threads import single_thread
    from acoustic_sense_simulator.simulation import simulate as render

    with single_thread():
        return render(scene)


def demo_scene(seconds: float, seed: int) -> Scene:
    """Return the scene of `acoustic-sense demo`: a person moving to jazz in a classroom.

    Args:
        seconds: Length of the take.
        seed: Seed of everything in it.

    Returns:
        A scene with the geometry of AMPL and generated music.
    """
    (scene,) = scenes(GenerationConfig(name="demo", seconds=seconds, seed=seed))
    return scene


def generate(
    config: BaseModel,
    out: Path,
    *,
    workers: int = 1,
    scheduler: str | None = None,
    on_progress: Callable[[GenerationProgress], None] | None = None,
) -> Path:
    """Make or resume a dataset and return its folder.

    Args:
        config: A `GenerationConfig`.
        out: Folder to make or to resume.
        workers: Processes on this machine.
        scheduler: Address of a Dask scheduler to use instead; its workers must see `out`.
        on_progress: Called after each take, and once at the start of a resumed run.

    Returns:
        The folder.

    Raises:
        SimulationError: A scene is not possible, or a worker died.
        DatasetError: The folder holds another dataset, or cannot be written.
        ConfigError: A track's signal source does not take its configuration.
        UnknownPluginError: A track names a signal source that nobody registered.
    """
    from acoustic_sense_simulator.generation import generate as run

    return run(
        GenerationConfig.model_validate(config),
        out,
        workers=workers,
        scheduler=scheduler,
        on_progress=on_progress,
    )
