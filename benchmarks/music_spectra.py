"""Log-mel statistics of generated music beside those of real tracks.

Run `python benchmarks/music_spectra.py`; it writes `benchmarks/results/music_spectra.json` and the
table in `docs/explanation/playback-signals.md` (`--page-only`: the table alone). Real tracks are
read from the cache that `scripts/fetch_benchmark_music` fills; a track that is not there keeps the
numbers of the last run. The statistics are those of AMPL's playback channels: log-mel power in dB
(Hann window and hop of 2,400 samples, 128 Slaney bands, floor at -100 dB), mean and standard
deviation over all bands and frames of both channels.
"""

import argparse
import json
import re
import time
from pathlib import Path
from typing import Any

import librosa
import numpy as np
import platformdirs
import soundfile
import soxr

from acoustic_sense.constants import FRAME_SAMPLES, MEL_BINS, SAMPLE_RATE_HZ
from acoustic_sense.plugin_loading import load_plugins

RESULT = Path(__file__).parent / "results" / "music_spectra.json"
PAGE = Path(__file__).parents[1] / "docs" / "explanation" / "playback-signals.md"
GENERATED_S = 60.0
BANDS_A_GROUP = 8

REAL_GENRES = {
    "deprecation": "ambient",
    "nebula": "ambient",
    "orbital-elevator": "ambient",
    "sunflower-slow-drag": "jazz",
}

PUBLISHED = {
    "arnor": {"genre": "ambient", "mean_db": [-31.663, -30.171], "std_db": [32.622, 31.799]},
    "cirrus": {"genre": "ambient", "mean_db": [-21.426, -22.515], "std_db": [26.828, 26.987]},
    "mantron": {"genre": "ambient", "mean_db": [-35.573, -36.082], "std_db": [35.625, 35.554]},
    "jazz": {"genre": "jazz", "mean_db": [-19.951, -20.871], "std_db": [28.552, 28.647]},
}
"""AMPL's published statistics of the two playback channels."""


def log_mel(samples: np.ndarray) -> np.ndarray:
    """Return the log-mel power in dB, `(channel, frame, bin)`, of samples `(channel, sample)`."""
    filters = librosa.filters.mel(sr=SAMPLE_RATE_HZ, n_fft=FRAME_SAMPLES, n_mels=MEL_BINS)
    window = librosa.filters.get_window("hann", FRAME_SAMPLES)
    channels = []
    for channel in samples:
        whole = channel[: channel.size // FRAME_SAMPLES * FRAME_SAMPLES]
        spectrum = np.fft.rfft(whole.reshape(-1, FRAME_SAMPLES) * window)
        power = np.abs(spectrum) ** 2 @ filters.T
        channels.append(10 * np.log10(np.maximum(power, 1e-10)))
    return np.stack(channels)


def statistics(samples: np.ndarray) -> dict[str, Any]:
    """Return the statistics of a playback `(channel, sample)` at 48 kHz."""
    levels = log_mel(samples)
    profile = levels.mean(axis=(0, 1)).reshape(-1, BANDS_A_GROUP).mean(axis=1)
    return {
        "mean_db": round(float(levels.mean()), 2),
        "std_db": round(float(levels.std()), 2),
        "std_over_time_db": round(float(levels.std(axis=1).mean()), 2),
        "at_floor_percent": round(100 * float(np.mean(levels <= -99.99)), 2),
        "rms_dbfs": round(float(20 * np.log10(np.sqrt(np.mean(samples.astype(float) ** 2)))), 2),
        "peak": round(float(np.abs(samples).max()), 3),
        "correlation_of_channels": round(float(np.corrcoef(samples)[0, 1]), 3),
        "profile_db": [round(float(level), 1) for level in profile],
    }


def real_tracks(folder: Path, before: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return the statistics of the real tracks, measured where there, else as before."""
    rows = {}
    for name, genre in REAL_GENRES.items():
        path = folder / f"{name}.ogg"
        if path.exists():
            samples, rate_hz = soundfile.read(path, dtype="float32", always_2d=True)
            seconds = samples.shape[0] / rate_hz
            samples = soxr.resample(samples, rate_hz, SAMPLE_RATE_HZ)
            rows[name] = {"genre": genre, "seconds": round(seconds, 1), **statistics(samples.T)}
        elif name in before:
            print(f"{name}: not in {folder}; the numbers of the last run are kept")
            rows[name] = before[name]
        else:
            raise SystemExit(f"{path}: not there; run scripts/fetch_benchmark_music first")
    return rows


def generated(style: str, seeds: int) -> dict[str, Any]:
    """Return the statistics of one style, each seed's and their mean."""
    source_class = load_plugins().signal_sources["generated-music"]
    pieces, cpu_s = [], []
    for seed in range(seeds):
        source = source_class(source_class.parse({"style": style}))
        start = time.process_time()
        samples = source.generate(GENERATED_S, SAMPLE_RATE_HZ, 2, np.random.default_rng(seed))
        cpu_s.append(time.process_time() - start)
        pieces.append({"seed": seed, **statistics(samples)})
    keys = ("mean_db", "std_db", "std_over_time_db", "rms_dbfs")
    mean = {key: round(float(np.mean([piece[key] for piece in pieces])), 2) for key in keys}
    return {
        **mean,
        "profile_db": np.mean([piece["profile_db"] for piece in pieces], axis=0).round(1).tolist(),
        "cpu_s": {"median": round(float(np.median(cpu_s)), 2), "most": round(max(cpu_s), 2)},
        "pieces": pieces,
    }


def table(result: dict[str, Any]) -> str:
    """Return the statistics as a Markdown table."""
    lines = [
        "| playback | genre | mean | deviation | deviation over time |",
        "|---|---|---|---|---|",
    ]
    for group, label in (("published", "AMPL"), ("real", "real"), ("generated", "generated")):
        for name, row in result[group].items():
            mean, deviation = (float(np.mean(row[key])) for key in ("mean_db", "std_db"))
            over_time = f"{row['std_over_time_db']:.1f}" if "std_over_time_db" in row else ""
            genre = row.get("genre", name)
            lines.append(
                f"| {label}: {name} | {genre} | {mean:.1f} | {deviation:.1f} | {over_time} |"
            )
    return "\n".join(lines) + "\n"


def filled(page: str, result: dict[str, Any]) -> str:
    """Return the page with its table as it should be."""
    pattern = re.compile(
        "(<!-- music-spectra: begin.*?-->\n).*?(<!-- music-spectra: end -->)", re.S
    )
    return pattern.sub(lambda match: f"{match[1]}\n{table(result)}\n{match[2]}", page)


def main() -> None:
    """Measure everything, print a table, write the JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=5, help="pieces of each style")
    parser.add_argument(
        "--music", type=Path, default=platformdirs.user_cache_path("acoustic-sense") / "music"
    )
    parser.add_argument("--page-only", action="store_true", help="rewrite the page's table only")
    arguments = parser.parse_args()
    if arguments.page_only:
        PAGE.write_text(filled(PAGE.read_text(), json.loads(RESULT.read_text())))
        return
    before = json.loads(RESULT.read_text())["real"] if RESULT.exists() else {}
    result: dict[str, Any] = {
        "seconds": GENERATED_S,
        "published": PUBLISHED,
        "real": real_tracks(arguments.music, before),
        "generated": {
            style: generated(style, arguments.seeds) for style in ("ambient", "jazz", "electronic")
        },
    }
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=1) + "\n")
    PAGE.write_text(filled(PAGE.read_text(), result))
    print(table(result))


if __name__ == "__main__":
    main()
