"""Job: one take rendered and written; idempotent, and alone in what it touches."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from acoustic_sense.errors import AcousticSenseError, DatasetError, SimulationError

if TYPE_CHECKING:
    from acoustic_sense.types import Scene


@dataclass(frozen=True)
class TakeJob:
    """What a worker needs to make one take.

    Attributes:
        scene: The scene as plain data.
        out: Folder of the dataset, reachable from the worker.
    """

    scene: dict[str, Any]
    out: str


def make_take(job: TakeJob) -> float:
    """Render one take and write it, unless it is there already.

    Args:
        job: The take.

    Returns:
        Its length in seconds.

    Raises:
        AcousticSenseError: The take cannot be rendered or written; the message names it.
    """
    take_id = str(job.scene["id"])
    try:
        return _make_take(job)
    except AcousticSenseError as error:
        raise type(error)(f"take '{take_id}': {error}") from error
    except OSError as error:
        raise DatasetError(f"take '{take_id}': {disk_problem(job.out, error)}") from error
    except Exception as error:
        raise SimulationError(f"take '{take_id}': {type(error).__name__}: {error}") from error


def disk_problem(folder: str | Path, error: OSError) -> str:
    """Return one line on a folder that cannot be written: full, read-only, gone."""
    reason = error.strerror or str(error)
    return (
        f"cannot write to {folder}: {reason}; make room or choose another folder, then run again "
        "to go on where it stopped"
    )


def _make_take(job: TakeJob) -> float:
    from acoustic_sense.datasets import write_take
    from acoustic_sense.datasets.take_files import take_folder
    from acoustic_sense.types import Scene
    from acoustic_sense_simulator.generation.threads import single_thread
    from acoustic_sense_simulator.simulation import rendered

    scene: Scene = Scene.from_json(job.scene)
    out = Path(job.out)
    _check_reachable(out)
    if take_folder(out, scene.id).exists():
        return scene.seconds  # a cluster may run a job twice when it loses a worker
    with single_thread():
        take = rendered(scene)
    _check_reachable(out)
    try:
        write_take(out, take)
    except (DatasetError, OSError):
        if not take_folder(out, scene.id).exists():
            raise  # else another worker was faster: one of a run that lost its client, say
    return scene.seconds


def _check_reachable(out: Path) -> None:
    """Raise DatasetError unless this process sees the dataset that the run has begun."""
    from acoustic_sense.datasets.take_dataset import DESCRIPTION_NAME

    if not (out / DESCRIPTION_NAME).exists():
        raise DatasetError(
            f"{out}: this worker does not see the dataset; give --out a folder that all workers "
            "share"
        )
