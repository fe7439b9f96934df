"""Take: one continuous recording of one subject under one playback in one room."""

from dataclasses import dataclass, field
from typing import Any

from acoustic_sense.types.audio import Playback, Recording
from acoustic_sense.types.pose import PoseTrack
from acoustic_sense.types.scene import Scene


@dataclass(frozen=True)
class TakeInfo:
    """What is known of a take without opening its audio: a row of `takes.csv`.

    Attributes:
        id: Unique within the dataset; also the name of its folder.
        subject: Who moves.
        track: Which playback; takes of one track hear the same music at the same time.
        genre: Kind of playback, e.g. `ambient`, `jazz`, `chirp`; empty where unknown.
        room: Which room.
        seconds: Length.
        start_s: Where in the track the take begins; with `track` it says which music is heard.
        seed: Seed it was simulated with; -1 for a real take.
        tags: Split tags that protocols select on, e.g. `("plain-clothes",)`.
    """

    id: str
    subject: str
    track: str
    genre: str = ""
    room: str = ""
    seconds: float = 0.0
    start_s: float = 0.0
    seed: int = -1
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Take:
    """A recording with its playback, its pose track and where it came from.

    Attributes:
        info: Identity and split tags.
        recording: What the microphone heard.
        playback: What the loudspeakers were sent; same rate and length as the recording.
        pose: The truth.
        scene: The scene it was simulated from, or None for a real take.
        extra: Further plain data stored in `take.json`, e.g. drawn levels and latencies.
    """

    info: TakeInfo
    recording: Recording
    playback: Playback
    pose: PoseTrack
    scene: Scene | None = None
    extra: dict[str, Any] = field(default_factory=dict)
