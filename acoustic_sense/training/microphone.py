"""Another microphone's convention, made from features: order and sign of axes, gain of W."""

import re
from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Float32

from acoustic_sense.errors import ConfigError
from acoustic_sense.inference.clips import Frames

AXES: Final = ("X", "Y", "Z")
_NAME: Final = re.compile(r"(recording|intensity|phase/recording)/([WXYZ])(.*)")
_UNTOUCHED: Final = ("playback/", "phase/playback/")


@dataclass(frozen=True)
class MicrophoneChange:
    """How a microphone differs from the one that was recorded with.

    Attributes:
        order: Its X, Y and Z are the recorded axes of these indices.
        signs: The sign of each of them.
        omni_gain_db: Gain of its W against its X, Y and Z.
    """

    order: tuple[int, int, int] = (0, 1, 2)
    signs: tuple[int, int, int] = (1, 1, 1)
    omni_gain_db: float = 0.0


class MicrophoneChannels:
    """The channels of a feature, by what they say of which microphone channel.

    What another convention does to them is exact:

    - Levels (`recording/X`, also less a playback's level) follow the order; a sign does not touch
      them; a gain of W adds to W's.
    - Intensity (`intensity/X`) follows order and sign. Its direction is scaled to unit length, so
      a gain of W does not touch it. Gains that differ between X, Y and Z would turn it at each
      frequency, so they are not among the changes.
    - Phases (`phase/recording/X`) follow the order; those of an inverted axis are read from the
      feature of the inverted recording.

    Attributes:
        reads_phase: Whether an inverted recording is needed for other signs.
    """

    def __init__(self, channel_names: tuple[str, ...]) -> None:
        """Find the channels.

        Raises:
            ConfigError: A channel's name does not say how it would change.
        """
        self._omni: list[int] = []
        self._axes: dict[tuple[str, str], list[int]] = {}
        found: dict[tuple[str, str], dict[str, int]] = {}
        for index, name in enumerate(channel_names):
            match = _NAME.fullmatch(name)
            if match is None:
                if not name.startswith(_UNTOUCHED):
                    raise _unknown(name)
                continue
            kind, axis, rest = match.groups()
            if axis == "W":
                self._omni += [index] if kind == "recording" else []
            else:
                found.setdefault((kind, rest), {})[axis] = index
        for (kind, rest), indices in found.items():
            if len(indices) < len(AXES):
                raise _unknown(f"{kind}/{next(iter(indices))}{rest}")
            self._axes[kind, rest] = [indices[axis] for axis in AXES]
        self.reads_phase = any(kind == "phase/recording" for kind, _ in self._axes)

    def apply(
        self, clip: Frames, change: MicrophoneChange, inverted: Frames | None = None
    ) -> Float32[np.ndarray, "channel frame bin"]:
        """Return a clip as another microphone would have given it.

        Args:
            clip: Shape `(channel, frame, bin)`, not normalised.
            change: The microphone's convention.
            inverted: The same of the inverted recording; needed for signs where phases are read.
        """
        result = clip.copy()
        result[self._omni] += np.float32(change.omni_gain_db)
        for (kind, _), channels in self._axes.items():
            for new, old, sign in zip(channels, change.order, change.signs, strict=True):
                source = clip
                if kind == "phase/recording" and sign < 0 and inverted is not None:
                    source = inverted
                result[new] = source[channels[old]]
                if kind == "intensity":
                    result[new] *= sign
        return result


def _unknown(name: str) -> ConfigError:
    return ConfigError(
        f"training.augmentation: what another microphone does to the feature's channel '{name}' is "
        "not known; leave random_axis_order, random_axis_sign and omni_gain_db out"
    )
