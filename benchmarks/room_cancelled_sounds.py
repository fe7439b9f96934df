"""Sounds of the page on cancelling: recording, estimated room, residual.

Run `python benchmarks/room_cancelled_sounds.py`; it writes three short clips and their spectrograms
into `docs/explanation/sounds`. Generated jazz in the demo's studio, somebody moving; the channel W,
all three with one gain. The room is the recording less the residual.
"""

from pathlib import Path

import numpy as np
import soundfile
from room_cancelled_study import parts, residual, room_noise, scene

from acoustic_sense.constants import SAMPLE_RATE_HZ

FOLDER = Path(__file__).parents[1] / "docs" / "explanation" / "sounds"
CLIP = slice(12 * SAMPLE_RATE_HZ, 17 * SAMPLE_RATE_HZ)
FADE = round(0.02 * SAMPLE_RATE_HZ)
PEAK = 0.7


def clips(recording: np.ndarray, playback: np.ndarray) -> dict[str, np.ndarray]:
    """Return the three clips, mono."""
    left = residual(recording, playback)
    sounds = {"recording": recording, "room": recording - left, "residual": left}
    gain = PEAK / np.abs(recording[0, CLIP]).max()
    fade = np.ones(CLIP.stop - CLIP.start)
    fade[:FADE] = np.linspace(0, 1, FADE)
    fade[-FADE:] = fade[:FADE][::-1]
    return {name: gain * fade * sound[0, CLIP] for name, sound in sounds.items()}


def write(found: dict[str, np.ndarray]) -> None:
    """Write clips and picture."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    FOLDER.mkdir(exist_ok=True)
    figure, axes = plt.subplots(1, 3, figsize=(9, 2.8), sharey=True, layout="constrained")
    for axis, (name, sound) in zip(axes, found.items(), strict=True):
        soundfile.write(FOLDER / f"cancelled-{name}.ogg", sound, SAMPLE_RATE_HZ)
        axis.specgram(sound, NFFT=2048, noverlap=1536, Fs=SAMPLE_RATE_HZ, vmin=-130, vmax=-40)
        axis.set(title=name, xlabel="s", ylim=(0, 8000))
    axes[0].set_ylabel("Hz")
    figure.savefig(FOLDER / "cancelled.png", dpi=110, metadata={"Software": None})


def main() -> None:
    """Simulate, cancel and write."""
    made = parts(scene())
    recording = made["static"] + made["body"] + room_noise(15.0)
    write(clips(recording, made["playback"]))


if __name__ == "__main__":
    main()
