"""Simulator: what the core asks of the package that turns scenes into takes.

The core never imports a simulator. It finds one through the entry-point group
`acoustic_sense.simulator`, whose entry `default` refers to a module with these functions.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from typing import Protocol, cast

import numpy as np
from jaxtyping import Float32
from pydantic import BaseModel

from acoustic_sense.errors import PluginError
from acoustic_sense.types import Scene, Take


@dataclass(frozen=True)
class GenerationProgress:
    """How far a dataset has come.

    Attributes:
        takes_done: Finished takes, those of an earlier run included.
        takes_total: Takes that the configuration asks for.
        seconds_done: Seconds of audio in the finished takes.
        seconds_total: Seconds of audio that the configuration asks for.
    """

    takes_done: int
    takes_total: int
    seconds_done: float
    seconds_total: float


class Simulator(Protocol):
    """The functions of a simulator module."""

    GenerationConfig: type[BaseModel]
    """Configuration of a dataset, what `acoustic-sense simulate CONFIG` reads."""

    def simulate(self, scene: Scene) -> Take:
        """Render one scene.

        Raises:
            SimulationError: The scene is not possible.
        """
        ...

    def room_responses(self, scene: Scene) -> Float32[np.ndarray, "speaker 4 tap"]:
        """Return what the microphone hears of an impulse on each playback channel, nobody present.

        Args:
            scene: Its room, loudspeakers and microphone; the rest does not matter.

        Returns:
            Shape `(speaker, 4, tap)`, W, X, Y, Z with SN3D gains, tap 0 the time of the impulse.

        Raises:
            SimulationError: The scene is not possible.
        """
        ...

    def demo_scene(self, seconds: float, seed: int) -> Scene:
        """Return the scene of `acoustic-sense demo`."""
        ...

    def scenes(self, config: BaseModel) -> Sequence[Scene]:
        """Return the scenes of a dataset, one a take, in the order in which they are made.

        Args:
            config: A `GenerationConfig`.

        Raises:
            SimulationError: The ranges leave no valid layout.
        """
        ...

    def draw_scene(self, scene: Scene, folder: Path, *, pose: int = 0, form: str = "png") -> None:
        """Write pictures of a scene into a folder.

        Args:
            scene: The scene.
            folder: A folder that exists.
            pose: Index of the pose to draw.
            form: Format of the pictures, `png` or `svg`.

        Raises:
            SimulationError: There is no such pose, or a package that draws is missing.
        """
        ...

    def generate(
        self,
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
            scheduler: Address of a Dask scheduler to use instead.
            on_progress: Called at the start and after each take.

        Raises:
            SimulationError: A scene is not possible.
            DatasetError: The folder holds another dataset.
        """
        ...

    def benchmark_dataset(
        self, size: str, variant: str = "generated", condition: str = ""
    ) -> tuple[str, BaseModel]:
        """Return name and configuration of one of the benchmark's datasets.

        Args:
            size: How much of it.
            variant: What is played.
            condition: What is otherwise than in the benchmark itself; nothing if empty.

        Raises:
            ConfigError: There is no such size, variant or condition, or its music is missing.
        """
        ...

    def benchmark_manifest(self, name: str) -> str | None:
        """Return the published SHA-256 sums of one of the benchmark's datasets, None without."""
        ...


def load_simulator(name: str = "default") -> Simulator:
    """Return the installed simulator module.

    Raises:
        PluginError: None is installed under that name.
    """
    found = [e for e in entry_points(group="acoustic_sense.simulator") if e.name == name]
    if not found:
        raise PluginError(
            f"no simulator named '{name}' is installed; reinstall acoustic-sense with pip"
        )
    return cast(Simulator, found[0].load())
