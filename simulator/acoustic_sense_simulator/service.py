"""Service: the simulator as the core sees it, see `acoustic_sense.contracts.simulator`.

Everything heavy (rooms, bodies, kernels) is imported when it is first used.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

from acoustic_sense.config import parse_config
from acoustic_sense_simulator.sampling import GenerationConfig
from acoustic_sense_simulator.sampling import scenes as sampled_scenes

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from jaxtyping import Float32
    from pydantic import BaseModel

    from acoustic_sense.contracts.simulator import GenerationProgress
    from acoustic_sense.types import Scene, Take

STUDIO = Path(__file__).parent / "configs" / "studio.toml"
"""Configuration of the room, equipment and music of the demo."""

_PEOPLE = 99

__all__ = [
    "GenerationConfig",
    "benchmark_dataset",
    "benchmark_manifest",
    "demo_scene",
    "draw_scene",
    "generate",
    "room_responses",
    "scenes",
    "simulate",
]


def simulate(scene: Scene) -> Take:
    """Render one scene, with the same bytes as in a dataset.

    Raises:
        SimulationError: The scene is not possible.
    """
    from acoustic_sense_simulator.generation.threads import single_thread
    from acoustic_sense_simulator.simulation import simulate as render

    with single_thread():
        return render(scene)


def room_responses(scene: Scene) -> Float32[np.ndarray, "speaker 4 tap"]:
    """Return the response of the scene's empty room to each loudspeaker, see `empty_room`.

    Raises:
        SimulationError: A loudspeaker or the microphone is outside the room, or a response does
            not end.
    """
    from acoustic_sense_simulator.empty_room import room_responses as respond
    from acoustic_sense_simulator.generation.threads import single_thread

    with single_thread():
        return respond(scene)


def demo_scene(seconds: float, seed: int) -> Scene:
    """Return the scene of `acoustic-sense demo`: somebody new moving to jazz in the studio.

    Room, equipment and music are those of `configs/studio.toml`; no shipped model was trained
    there.

    Args:
        seconds: Length of the take.
        seed: Chooses the person and, with it, the motion; there are 85 of them.

    Returns:
        A scene.
    """
    studio = parse_config(GenerationConfig, tomllib.loads(STUDIO.read_text()), STUDIO.name)
    known = studio.subjects.count
    everybody = studio.subjects.model_copy(update={"count": _PEOPLE})
    update = {"subjects": everybody, "tracks": studio.tracks[:1], "seconds": seconds}
    return sampled_scenes(studio.model_copy(update=update))[known + seed % (_PEOPLE - known)]


def scenes(config: BaseModel) -> tuple[Scene, ...]:
    """Return the scenes of a dataset, one a take, in the order in which they are made.

    Args:
        config: A `GenerationConfig`.

    Raises:
        SimulationError: The ranges leave no valid layout.
    """
    return sampled_scenes(GenerationConfig.model_validate(config))


def draw_scene(scene: Scene, folder: Path, *, pose: int = 0, form: str = "png") -> None:
    """Write `scene`, `decay` and `level-behind-body` into a folder, see `pictures`.

    Args:
        scene: The scene; without a subject there is no picture of the level behind the body.
        folder: A folder that exists.
        pose: Index of the pose to draw; the first is 0.
        form: Format of the pictures, `png` or `svg`.

    Raises:
        SimulationError: There is no such pose, or matplotlib is not installed.
    """
    from acoustic_sense_simulator.generation.threads import single_thread
    from acoustic_sense_simulator.pictures import (
        decay_plot,
        level_behind_body_plot,
        scene_plot,
        write_figure,
    )

    with single_thread():
        write_figure(scene_plot(scene, pose), folder / f"scene.{form}")
        write_figure(decay_plot(scene), folder / f"decay.{form}")
        if scene.subject is not None:
            level = level_behind_body_plot(scene, pose=pose)
            write_figure(level, folder / f"level-behind-body.{form}")


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
        on_progress: Called at the start and after each take.

    Returns:
        The folder.

    Raises:
        SimulationError: A scene is not possible.
        WorkerError: A worker died, or the scheduler cannot be used.
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


def benchmark_dataset(
    size: str, variant: str = "generated", condition: str = ""
) -> tuple[str, GenerationConfig]:
    """Return name and configuration of one of the benchmark's datasets, see `ampl_sim`.

    Raises:
        ConfigError: There is no such size, variant or condition, or its music is missing.
    """
    from acoustic_sense_simulator.ampl_sim import check_music, dataset_config

    config = dataset_config(size, variant, condition)
    check_music(config)
    return config.name, config


def benchmark_manifest(name: str) -> str | None:
    """Return the published SHA-256 sums of one of the benchmark's datasets, None without."""
    from acoustic_sense_simulator.ampl_sim import published_manifest

    return published_manifest(name)
