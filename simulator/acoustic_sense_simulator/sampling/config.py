"""Configuration of a dataset: what `acoustic-sense simulate CONFIG` reads."""

from collections import Counter
from collections.abc import Iterable
from typing import Literal

from pydantic import Field, model_validator

from acoustic_sense.config import Config
from acoustic_sense.constants import SAMPLE_RATE_HZ
from acoustic_sense.errors import suggestion
from acoustic_sense_simulator.sampling.equipment import EquipmentConfig
from acoustic_sense_simulator.sampling.layout import LayoutConfig
from acoustic_sense_simulator.sampling.names import Name
from acoustic_sense_simulator.sampling.rooms import RoomConfig
from acoustic_sense_simulator.sampling.subjects import SubjectsConfig
from acoustic_sense_simulator.sampling.surroundings import NoiseConfig
from acoustic_sense_simulator.sampling.tracks import TrackConfig, expand_tracks


class MotionConfig(Config):
    """How the subjects move."""

    source: Literal["activities", "cmu", "file"] = Field(
        default="activities",
        description="`activities` (procedural, labelled), `cmu` (embedded captures) or `file`.",
    )
    activities: tuple[str, ...] = Field(
        default=(), description="Activities to draw from; empty for all of them."
    )
    path: str = Field(default="", description="Motion file for `file`: AMASS npz or BVH.")
    rate_hz: float = Field(
        default=60.0, ge=10, le=240, description="Poses per second that the body is rendered at."
    )


class GenerationConfig(Config):
    """A synthetic dataset: every subject under every track in every room, `repeats` times.

    Ranges are written `[low, high]`; a single number is that number. The same configuration gives
    the same bytes whatever the number of workers.
    """

    name: Name = Field(default="dataset", description="What to call the dataset.")
    seed: int = Field(default=0, ge=0, description="Seed of everything that is drawn.")
    seconds: float = Field(default=10.0, gt=0, le=24 * 3600, description="Length of each take.")
    repeats: int = Field(
        default=1, ge=1, le=100_000, description="Takes of each subject, track and room."
    )
    sample_rate_hz: int = Field(
        default=SAMPLE_RATE_HZ, ge=8000, le=192_000, description="Samples per second."
    )
    tags: tuple[str, ...] = Field(
        default=(), description="Split tags given to every take, for protocols to select on."
    )
    setup_per: Literal["dataset", "subject", "take"] = Field(
        default="dataset",
        description="How often room, positions, equipment responses, levels and noise are drawn "
        "anew: once for the dataset (as in AMPL), for each subject, or for each take.",
    )
    subjects: SubjectsConfig = Field(default_factory=SubjectsConfig, description="Who moves.")
    tracks: tuple[TrackConfig, ...] = Field(
        default=(TrackConfig(name="jazz", config={"style": "jazz"}),),
        min_length=1,
        description="What is played.",
    )
    rooms: tuple[RoomConfig, ...] = Field(
        default=(RoomConfig(),), min_length=1, description="Where it is played."
    )
    layout: LayoutConfig = Field(
        default_factory=LayoutConfig, description="Where everything stands."
    )
    equipment: EquipmentConfig = Field(
        default_factory=EquipmentConfig, description="Loudspeakers and microphone."
    )
    noise: NoiseConfig = Field(default_factory=NoiseConfig, description="Levels, noise and timing.")
    motion: MotionConfig = Field(default_factory=MotionConfig, description="How subjects move.")
    source_order: int = Field(
        default=1, ge=0, le=3, description="Highest reflection order from loudspeaker to body."
    )
    microphone_order: int = Field(
        default=1, ge=0, le=3, description="Highest reflection order from body to microphone."
    )
    facets: Literal["coarse", "medium", "fine"] = Field(
        default="coarse",
        description="Body mesh for scattering: about 2,500, 5,000 or 24,500 facets.",
    )
    fidelity: Literal["fast", "high", "bem"] = Field(
        default="fast",
        description="How the pressure on the body is found: `fast` from spheres of the local "
        "radius; `bem` from the boundary integral equation below 800 Hz, `high` from a finer one "
        "below 1.25 kHz, both `fast` above. `bem` and `high` take minutes for a minute of sound.",
    )

    @model_validator(mode="after")
    def _check_names(self) -> "GenerationConfig":
        tracks = expand_tracks(self.tracks)
        track_names = [track.name for track in tracks]
        _refuse_twice("tracks", track_names)
        _refuse_twice("rooms", (room.name for room in self.rooms))
        _refuse_twice("subjects.people", (person.name for person in self.subjects.people))
        clothes = [each.name for each in self.subjects.clothes]
        _refuse_twice("subjects.clothes", clothes)
        for track in tracks:
            _refuse_unknown("tracks.same_scenes_as", track.same_scenes_as, track_names)
        for person in self.subjects.people:
            _refuse_unknown("subjects.people.clothes", person.clothes, clothes)
        return self


def _refuse_twice(where: str, names: Iterable[str]) -> None:
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise ValueError(f"{where}: '{twice[0]}' is given twice; names must differ")


def _refuse_unknown(where: str, name: str, known: list[str]) -> None:
    if name and name not in known:
        hint = suggestion(name, known) or f" known: {', '.join(known)}"
        raise ValueError(f"{where}: nothing is named '{name}';{hint}")
