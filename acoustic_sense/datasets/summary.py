"""What is in a dataset, without opening its audio."""

from collections import Counter
from pathlib import Path
from typing import Any

from pydantic import Field

from acoustic_sense.config import Config
from acoustic_sense.constants import FRAME_RATE_HZ
from acoustic_sense.datasets.ampl import AmplDataset
from acoustic_sense.datasets.ampl_table import GENRES, paper_subject
from acoustic_sense.datasets.dataset import Dataset
from acoustic_sense.errors import DatasetError


class DatasetSummary(Config):
    """What is in a dataset; the tables map each name to seconds."""

    path: Path = Field(description="The dataset's folder.")
    layout: str = Field(description="takes or ampl.")
    sample_rate_hz: int = Field(description="Samples per second of its audio.")
    stored_feature: str | None = Field(description="Feature that it holds instead of audio.")
    take_count: int = Field(description="Number of takes.")
    seconds: float = Field(description="Length of all takes.")
    subjects: dict[str, float] = Field(description="Seconds of each subject.")
    tracks: dict[str, float] = Field(description="Seconds of each track.")
    genres: dict[str, float] = Field(description="Seconds of each genre.")
    rooms: dict[str, float] = Field(description="Seconds of each room.")
    tags: dict[str, float] = Field(description="Seconds with each tag.")
    activities: dict[str, float] = Field(description="Seconds of each labelled activity.")
    unreadable: tuple[str, ...] = Field(
        description="Takes whose activities could not be read; `dataset validate` says why."
    )
    windows: int | None = Field(
        default=None, description="Number of windows of 0.6 s, for AMPL's layout."
    )
    paper_subjects: dict[str, int | None] = Field(
        default_factory=dict,
        description="Each subject's number in the paper, for AMPL's own tracks; null: unused.",
    )
    left_out: tuple[str, ...] = Field(
        default=(), description="What is wrong with each take or window that was left out."
    )


def summarise(dataset: Dataset) -> DatasetSummary:
    """Return what is in a dataset."""
    activities: Counter[str] = Counter()
    unreadable = []
    for info in dataset.takes:
        try:
            activities.update(str(name) for name in dataset.activity(info.id))
        except DatasetError:
            unreadable.append(info.id)
    activities.pop("", None)
    return DatasetSummary(
        path=dataset.path,
        layout=dataset.layout,
        sample_rate_hz=dataset.sample_rate_hz,
        stored_feature=dataset.stored_feature,
        take_count=len(dataset.takes),
        seconds=sum(info.seconds for info in dataset.takes),
        subjects=_seconds_by(dataset, "subject"),
        tracks=_seconds_by(dataset, "track"),
        genres=_seconds_by(dataset, "genre"),
        rooms=_seconds_by(dataset, "room"),
        tags=_seconds_by(dataset, "tags"),
        activities={name: count / FRAME_RATE_HZ for name, count in sorted(activities.items())},
        unreadable=tuple(unreadable),
        left_out=dataset.skipped.messages if dataset.skipped else (),
        **_of_ampl(dataset),
    )


def _of_ampl(dataset: Dataset) -> dict[str, Any]:
    """Return what is known of AMPL's layout alone."""
    if not isinstance(dataset, AmplDataset):
        return {}
    subjects = {}
    if {info.track for info in dataset.takes} <= GENRES.keys():  # else it is somebody's export
        subjects = {info.subject: paper_subject(info.subject) for info in dataset.takes}
    windows = sum(len(windows) for windows in dataset.windows.values())
    return {"windows": windows, "paper_subjects": subjects}


def _seconds_by(dataset: Dataset, attribute: str) -> dict[str, float]:
    seconds: Counter[str] = Counter()
    for info in dataset.takes:
        value = getattr(info, attribute)
        for name in value if isinstance(value, tuple) else (value,):
            if name:
                seconds[name] += info.seconds  # type: ignore[assignment]
    return {name: float(total) for name, total in sorted(seconds.items())}
