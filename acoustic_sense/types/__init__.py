"""The data that flows through the framework: frozen dataclasses with shapes and units."""

from acoustic_sense.types.audio import Playback, Recording
from acoustic_sense.types.pose import PoseTrack
from acoustic_sense.types.scene import (
    Loudspeaker,
    Microphone,
    Motion,
    Noise,
    PlaybackSource,
    Room,
    Scene,
    Subject,
)
from acoustic_sense.types.take import Take, TakeInfo

__all__ = [
    "Loudspeaker",
    "Microphone",
    "Motion",
    "Noise",
    "Playback",
    "PlaybackSource",
    "PoseTrack",
    "Recording",
    "Room",
    "Scene",
    "Subject",
    "Take",
    "TakeInfo",
]
