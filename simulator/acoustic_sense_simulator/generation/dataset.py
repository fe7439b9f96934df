"""Dataset: all takes of a configuration, made or gone on with."""

import shutil
from collections.abc import Callable
from pathlib import Path

from acoustic_sense.contracts.simulator import GenerationProgress
from acoustic_sense.datasets import DatasetWriter
from acoustic_sense.errors import AcousticSenseError, DatasetError
from acoustic_sense.plugin_loading import load_registry
from acoustic_sense.types import Scene
from acoustic_sense_simulator.generation.jobs import TakeJob, disk_problem
from acoustic_sense_simulator.generation.workers import run_jobs
from acoustic_sense_simulator.sampling import GenerationConfig, scenes

ProgressCallback = Callable[[GenerationProgress], None]


def generate(
    config: GenerationConfig,
    out: Path,
    *,
    workers: int = 1,
    scheduler: str | None = None,
    on_progress: ProgressCallback | None = None,
) -> Path:
    """Make a dataset, or go on with one that was interrupted.

    Every take is a job of its own, written aside, checked and renamed. A run that was stopped,
    by whatever means, is gone on with by the same call; finished takes stay as they are.

    Args:
        config: The dataset.
        out: Its folder.
        workers: Processes on this machine; 1 renders in this process.
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
    _check_sources(config)
    wanted = scenes(config)
    out = Path(out).absolute()
    made_here = not out.exists()
    try:
        writer = DatasetWriter(
            out, config.model_dump(mode="json"), sample_rate_hz=config.sample_rate_hz
        )
        missing = [scene for scene in wanted if not writer.has_take(scene.id)]
        _render(wanted, missing, out, workers, scheduler, on_progress)
        return writer.finish()
    except AcousticSenseError:
        if made_here and not any((out / "takes" / scene.id).exists() for scene in wanted):
            shutil.rmtree(out, ignore_errors=True)  # leave nothing behind a configuration's mistake
        raise
    except OSError as error:
        raise DatasetError(disk_problem(out, error)) from error


def _check_sources(config: GenerationConfig) -> None:
    """Raise before anything is written if a track cannot be played."""
    sources = load_registry("signal_sources")
    for track in config.tracks:
        sources[track.source].parse(
            track.config, f"track '{track.name}', signal source '{track.source}'"
        )


def _render(
    wanted: tuple[Scene, ...],
    missing: list[Scene],
    out: Path,
    workers: int,
    scheduler: str | None,
    on_progress: ProgressCallback | None,
) -> None:
    """Make the missing takes, reporting how far the dataset has come."""
    takes_done = len(wanted) - len(missing)
    seconds_total = sum(scene.seconds for scene in wanted)
    seconds_done = seconds_total - sum(scene.seconds for scene in missing)

    def report() -> None:
        if on_progress is not None:
            on_progress(GenerationProgress(takes_done, len(wanted), seconds_done, seconds_total))

    report()
    stretches = [(scene.playback.track, scene.playback.start_s) for scene in missing]
    first = {stretch: place for place, stretch in reversed(list(enumerate(stretches)))}
    by_track = sorted(range(len(missing)), key=lambda place: (first[stretches[place]], place))
    # one subject after another: a worker keeps the track that it made
    jobs = [TakeJob(missing[place].to_json(), str(out)) for place in by_track]
    for seconds in run_jobs(jobs, workers=workers, scheduler=scheduler):
        takes_done += 1
        seconds_done += seconds
        report()
