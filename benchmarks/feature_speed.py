"""Speed of the mel stack beside librosa, clip by clip and channel by channel.

Run `python benchmarks/feature_speed.py`; it writes `benchmarks/results/feature_speed.json` and the
tables of `docs/explanation/bgm2pose.md`, which `--page-only` rewrites alone. Both sides compute the
same 15 channels of the same clips on one thread, in turns; times are those of the processor, so
that other programs do not count, and the fastest turn of each side is the one reported beside the
middle one.
"""

import argparse
import json
import time
from collections.abc import Callable
from typing import Any

import librosa
import numpy as np
import speed_page
import torch
from provenance import provenance
from threadpoolctl import threadpool_limits

from acoustic_sense import features
from acoustic_sense.constants import CLIP_FRAMES, FRAME_RATE_HZ, MEL_BINS, SAMPLE_RATE_HZ

RESULT = speed_page.RESULTS / "feature_speed.json"
FRAME_SAMPLES = SAMPLE_RATE_HZ // FRAME_RATE_HZ
CLIPS = 16
TURNS = 12

Signals = np.ndarray
"""Recording and playback, float32, shape `(6, sample)`."""


def clips() -> np.ndarray:
    """Return noise, shape `(clip, 6, sample)`: the time does not depend on what sounds."""
    generator = np.random.default_rng(0)
    shape = (CLIPS, 6, CLIP_FRAMES * FRAME_SAMPLES)
    return 0.1 * generator.standard_normal(shape, dtype=np.float32)


def librosa_stack(signals: Signals) -> np.ndarray:
    """Return one clip's 15 channels with one librosa call for each channel.

    Spectra are in float32, librosa's default; every channel asks librosa for its mel spectrogram,
    which makes its filters anew, as calls by channel do.
    """
    filters = librosa.filters.mel(sr=SAMPLE_RATE_HZ, n_fft=FRAME_SAMPLES, n_mels=MEL_BINS)
    return _by_channel(signals, filters, lambda power: librosa.feature.melspectrogram(
        S=power, sr=SAMPLE_RATE_HZ, n_fft=FRAME_SAMPLES, n_mels=MEL_BINS
    ))  # fmt: skip


def librosa_with_kept_filters(filters: np.ndarray) -> Callable[[Signals], np.ndarray]:
    """Return the same with filters that were made once: librosa at its fastest."""
    return lambda signals: _by_channel(signals, filters, lambda power: filters @ power)


def _by_channel(
    signals: Signals, filters: np.ndarray, to_mel: Callable[[np.ndarray], np.ndarray]
) -> np.ndarray:
    spectra, channels = [], []
    for signal in signals:
        spectrum = librosa.stft(signal, n_fft=FRAME_SAMPLES, hop_length=FRAME_SAMPLES, center=False)
        spectra.append(spectrum)
        mel = to_mel(np.abs(spectrum) ** 2)
        channels.append(librosa.power_to_db(mel, ref=1.0, amin=1e-10, top_db=None))
    intensity = np.real(np.conj(spectra[0]) * np.array(spectra[1:4]))
    intensity = intensity / np.linalg.norm(intensity, axis=0)
    channels += [filters @ part for part in intensity]
    channels += [filters @ np.angle(spectrum) for spectrum in spectra]
    return np.array(channels).transpose(0, 2, 1)


def measure() -> dict[str, Any]:
    """Return milliseconds a clip of every way, and how far the ways differ."""
    feature = features.create("mel-stack")
    signals = clips()
    tensors = torch.from_numpy(signals)
    filters = librosa.filters.mel(sr=SAMPLE_RATE_HZ, n_fft=FRAME_SAMPLES, n_mels=MEL_BINS)
    kept = librosa_with_kept_filters(filters)

    def ours(first: int, last: int) -> torch.Tensor:
        with torch.inference_mode():
            stack: torch.Tensor = feature(tensors[first:last, :4], tensors[first:last, 4:])
        return stack

    ways: dict[str, Callable[[], Any]] = {
        "librosa, a call for each clip and channel": lambda: [librosa_stack(x) for x in signals],
        "librosa, filters made once": lambda: [kept(x) for x in signals],
        "mel-stack, clip by clip": lambda: [ours(i, i + 1) for i in range(CLIPS)],
        f"mel-stack, {CLIPS} clips at once": lambda: ours(0, CLIPS),
    }
    difference = np.abs(ours(0, 1)[0].numpy() - librosa_stack(signals[0]))
    return {
        "ways": speed_page.in_turns(ways, TURNS, CLIPS),
        "largest_difference_db": float(difference[:6].max()),
        "clips": CLIPS,
    }


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--page-only", action="store_true", help="only rewrite the tables")
    if not parser.parse_args().page_only:
        torch.set_num_threads(1)
        started = time.process_time()
        with threadpool_limits(1):  # of the linear algebra that librosa calls
            result = {**measure(), "threads": 1}
        result["processor_seconds"] = round(time.process_time() - started, 1)
        result["provenance"] = provenance("torch", "numpy", "librosa")
        RESULT.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    speed_page.write_page()


if __name__ == "__main__":
    main()
