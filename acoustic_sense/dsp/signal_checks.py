"""What features ask of rate and channels, said in one line where it does not fit."""

from acoustic_sense.constants import AMBISONIC_CHANNELS, FRAME_RATE_HZ, SAMPLE_RATE_HZ
from acoustic_sense.errors import AudioError

STEREO = 2
"""Most loudspeakers that a feature tells apart."""


def check_frame_rate(sample_rate_hz: int) -> None:
    """Refuse a sample rate that does not divide into whole frames.

    Raises:
        AudioError: It is not a positive multiple of 20 Hz.
    """
    if sample_rate_hz <= 0 or sample_rate_hz % FRAME_RATE_HZ:
        raise AudioError(
            f"{sample_rate_hz} Hz does not divide into {FRAME_RATE_HZ} frames a second; "
            f"resample to {SAMPLE_RATE_HZ} Hz"
        )


def check_recording(channel_count: int) -> None:
    """Refuse a recording that is not first-order ambisonics.

    Raises:
        AudioError: It has not 4 channels.
    """
    if channel_count != len(AMBISONIC_CHANNELS):
        raise AudioError(
            f"the recording has {channel_count} channels; give the four of first-order ambisonics"
        )


def check_playback(speaker_count: int) -> None:
    """Refuse a playback of more loudspeakers than features tell apart.

    Raises:
        AudioError: It has more than two channels.
    """
    if speaker_count > STEREO:
        raise AudioError(
            f"the playback has {speaker_count} channels but this feature takes 1 or 2; mix them "
            "down to two, one for each side of the room"
        )
