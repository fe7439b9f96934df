"""AMPL's published layout, written here at a small size."""

import csv
from pathlib import Path

import numpy as np
import pytest

from acoustic_sense.datasets import open_dataset, summarise, validate
from acoustic_sense.datasets.ampl import AmplDataset
from acoustic_sense.errors import DatasetError

WINDOWS = {("0", "arnor"): (0, 1, 2, 5, 6), ("8", "jazz"): (3, 4)}
PUBLISHER = "/home/somebody/data/dataset_spec_2400/"


def write_ampl(folder: Path, *, absolute: bool = False) -> Path:
    root = folder / "dataset_spec_2400"
    (root / "music_with_intensity").mkdir(parents=True)
    generator = np.random.default_rng(0)
    rows = []
    for (subject, track), indices in WINDOWS.items():
        for index in indices:
            stem = f"subject_{subject}_{track}_{index}_0.6"
            sound = f"music_with_intensity/{stem}_music_intensity.npy"
            joint = f"music_with_intensity/joint_pos_{stem}.npy"
            np.save(root / sound, generator.normal(size=(15, 128, 12)).astype(np.float32))
            np.save(root / joint, generator.normal(size=(12, 63)).astype(np.float32))
            start = PUBLISHER if absolute else "./dataset_spec_2400/"
            testee = f"subject_{subject}"
            rows.append([start + sound, 0, testee, track, 0.6, start + joint])
    with (root / "music_intensity.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(
            ["sound_path", "label", "testee", "music_type", "spec_duration", "joint_path"]
        )
        writer.writerows(rows[::-1])
    return root


@pytest.mark.parametrize("absolute", [False, True])
@pytest.mark.parametrize("above", [False, True])
def test_consecutive_windows_join_to_takes(tmp_path, absolute, above):
    root = write_ampl(tmp_path, absolute=absolute)
    dataset = open_dataset(tmp_path if above else root)
    assert isinstance(dataset, AmplDataset)
    assert [info.id for info in dataset.takes] == [
        "subject_0_arnor_00000",
        "subject_0_arnor_00005",
        "subject_8_jazz_00003",
    ]
    info = dataset.info("subject_0_arnor_00005")
    assert (info.subject, info.track, info.genre) == ("subject_0", "arnor", "ambient")
    assert info.start_s == pytest.approx(3.0)
    assert info.seconds == pytest.approx(1.2)
    assert validate(dataset) == []


def test_frames_and_joints_are_those_of_the_files(tmp_path):
    root = write_ampl(tmp_path)
    dataset = open_dataset(root)
    frames = dataset.stored_frames("subject_0_arnor_00000")
    joints = dataset.pose_targets("subject_0_arnor_00000")
    assert frames.shape == (15, 36, 128)
    assert joints.shape == (36, 21, 3)
    window = np.load(root / "music_with_intensity/subject_0_arnor_1_0.6_music_intensity.npy")
    np.testing.assert_array_equal(frames[:, 12:24], window.transpose(0, 2, 1))
    poses = np.load(root / "music_with_intensity/joint_pos_subject_0_arnor_1_0.6.npy")
    np.testing.assert_array_equal(joints[12:24].reshape(12, 63), poses)


def test_audio_is_refused_with_the_feature_to_use(tmp_path):
    dataset = open_dataset(write_ampl(tmp_path))
    with pytest.raises(DatasetError, match="no audio; use the feature 'mel-stack'"):
        dataset.read_take("subject_8_jazz_00003")


def test_summary_counts_windows(tmp_path):
    summary = summarise(open_dataset(write_ampl(tmp_path)))
    assert summary.layout == "ampl"
    assert summary.subjects == pytest.approx({"subject_0": 3.0, "subject_8": 1.2})


def _truncated(path):
    path.write_bytes(path.read_bytes()[:400])


def _shape(path):
    np.save(path, np.zeros((15, 64, 12), np.float32))


def _nan(path):
    values = np.load(path)
    values.flat[3] = np.nan
    np.save(path, values)


@pytest.mark.parametrize(
    "kind", ["subject_0_arnor_2_0.6_music_intensity", "joint_pos_subject_8_jazz_4_0.6"]
)
@pytest.mark.parametrize(
    ("damage", "text"),
    [
        (Path.unlink, "missing"),
        (_truncated, "not a readable array"),
        (_shape, "shape (15, 64, 12)"),
        (_nan, "not finite"),
    ],
)
def test_damaged_file_is_named(tmp_path, kind, damage, text):
    root = write_ampl(tmp_path)
    damage(root / "music_with_intensity" / f"{kind}.npy")
    problems = validate(open_dataset(root))
    assert len(problems) == 1
    assert kind in problems[0].message
    assert text in problems[0].message


def test_repeated_row_is_listed_and_read_once(tmp_path):
    root = write_ampl(tmp_path)
    table = root / "music_intensity.csv"
    lines = table.read_text().splitlines()
    table.write_text("\n".join([*lines, lines[1]]) + "\n")
    dataset = open_dataset(root)
    assert dataset.frame_count("subject_8_jazz_00003") == 24
    assert ["listed twice" in problem.message for problem in validate(dataset)] == [True]


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        ("./dataset_spec_2400/music", "./elsewhere/music", "does not lie below"),
        ("./dataset_spec_2400/music", "./dataset_spec_2400/../music", "does not lie below"),
        ("subject_8,jazz", "subject_7,jazz", "testee 'subject_7'"),
        (",0.6,", ",1.2,", "spec_duration is '1.2'"),
        ("sound_path", "path", "lacks the column 'sound_path'"),
    ],
)
def test_table_that_is_not_ampls_is_refused_with_its_line(tmp_path, old, new, text):
    root = write_ampl(tmp_path)
    table = root / "music_intensity.csv"
    table.write_text(table.read_text().replace(old, new))
    with pytest.raises(DatasetError, match=text) as caught:
        open_dataset(root)
    assert "music_intensity.csv" in str(caught.value)
