"""AMPL's published layout at a small size, written literally as it is described."""

import csv
from pathlib import Path

import numpy as np

WINDOWS = {("0", "arnor"): (0, 1, 2, 5, 6), ("8", "jazz"): (3, 4)}
RELATIVE = "./dataset_spec_2400/"
PUBLISHER = "/home/somebody/data/dataset_spec_2400/"
HEADER = ["sound_path", "label", "testee", "music_type", "spec_duration", "joint_path"]
FOLDER = "music_with_intensity"

EVERYBODY = {
    (str(subject), track): (0, 1)
    for subject in range(10)
    for track in ("arnor", "cirrus", "mantron", "jazz")
}


def sound_name(subject, track, index) -> str:
    return f"{FOLDER}/subject_{subject}_{track}_{index}_0.6_music_intensity.npy"


def joint_name(subject, track, index) -> str:
    return f"{FOLDER}/joint_pos_subject_{subject}_{track}_{index}_0.6.npy"


def write_ampl(folder: Path, windows=None, *, start: str = RELATIVE) -> Path:
    """Write windows by subject and track; the first channel counts the frames of the track."""
    root = folder / "dataset_spec_2400"
    (root / FOLDER).mkdir(parents=True)
    generator = np.random.default_rng(0)
    rows = []
    for (subject, track), indices in (windows or WINDOWS).items():
        for index in indices:
            sound, joint = sound_name(subject, track, index), joint_name(subject, track, index)
            features = generator.normal(size=(15, 128, 12)).astype(np.float32)
            features[0] = 12 * index + np.arange(12)
            np.save(root / sound, features)
            np.save(root / joint, generator.normal(size=(12, 63)).astype(np.float32))
            rows.append([start + sound, 0, f"subject_{subject}", track, 0.6, start + joint])
    with (root / "music_intensity.csv").open("w", newline="") as file:
        csv.writer(file).writerows([HEADER, *rows[::-1]])
    return root


def edit_table(root: Path, old: str, new: str, count: int = -1) -> None:
    table = root / "music_intensity.csv"
    text = table.read_bytes().decode()
    assert old in text
    table.write_bytes(text.replace(old, new, count).encode())
