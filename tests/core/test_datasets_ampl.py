"""AMPL's published layout: its table however it is written, its subjects, its protocols."""

import sys
from pathlib import Path

import numpy as np
import pytest

from acoustic_sense.datasets import find_protocol, open_dataset, summarise, validate
from acoustic_sense.datasets.ampl import AmplDataset
from acoustic_sense.datasets.ampl_table import PAPER_SUBJECTS, paper_subject
from acoustic_sense.datasets.protocols import ProtocolChoice
from acoustic_sense.errors import DatasetError

sys.path.insert(0, str(Path(__file__).parents[1] / "references"))
from ampl_folder import EVERYBODY, FOLDER, PUBLISHER, RELATIVE, WINDOWS, edit_table, write_ampl

WRITTEN_AS = {
    "relative": lambda root: None,
    "absolute": lambda root: edit_table(root, RELATIVE, PUBLISHER),
    "windows": lambda root: (
        edit_table(root, RELATIVE, "D:\\data\\dataset_spec_2400\\"),
        edit_table(root, f"{FOLDER}/", f"{FOLDER}\\"),
    ),
    "byte order mark": lambda root: edit_table(root, "sound_path", "\ufeffsound_path"),
    "unix lines": lambda root: edit_table(root, "\r\n", "\n"),
    "empty lines": lambda root: edit_table(root, "\r\n", "\r\n\r\n"),
    "numbered rows": lambda root: (
        edit_table(root, "\r\n", "\r\n7,", len(WINDOWS[("0", "arnor")]) + 2),
        edit_table(root, "sound_path", ",sound_path"),
    ),
}


@pytest.mark.parametrize("rewrite", WRITTEN_AS.values(), ids=WRITTEN_AS)
@pytest.mark.parametrize("above", [False, True])
def test_consecutive_windows_join_to_takes(tmp_path, rewrite, above):
    root = write_ampl(tmp_path)
    rewrite(root)
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
        ("./dataset_spec_2400/music", "./dataset_spec_2400/C:/music", "does not lie below"),
        ("_0.6_music_intensity", "_0.6_intensity", "is not named subject_"),
        ("subject_8,jazz", "subject_8,cirrus", "music_type 'cirrus'"),
        ("joint_pos_subject_8", "joint_pos_subject_9", "holds no poses of"),
        ("subject_8,jazz", "subject_7,jazz", "testee 'subject_7'"),
        (",0.6,", ",1.2,", "spec_duration is '1.2'"),
        ("sound_path", "path", "lacks the column 'sound_path'"),
    ],
)
def test_table_that_is_not_ampls_is_refused_with_its_line(tmp_path, old, new, text):
    root = write_ampl(tmp_path)
    edit_table(root, old, new)
    with pytest.raises(DatasetError, match=text) as caught:
        open_dataset(root)
    assert "music_intensity.csv" in str(caught.value)


def test_bad_row_is_named_by_its_line(tmp_path):
    root = write_ampl(tmp_path)
    edit_table(root, "\r\n", "\r\n\r\n", 1)  # an empty line after the header
    edit_table(root, "subject_8,jazz", "subject_7,jazz", 1)  # the first row: line 3
    with pytest.raises(DatasetError, match=r"music_intensity\.csv: line 3: testee 'subject_7'"):
        open_dataset(root)


def test_path_cannot_leave_the_root(tmp_path):
    root = write_ampl(tmp_path)
    edit_table(root, RELATIVE, "./dataset_spec_2400//")
    dataset = open_dataset(root)
    assert all(root in window.sound.parents for window in dataset.table)
    assert validate(dataset) == []


def test_subjects_carry_the_numbers_of_the_paper(tmp_path):
    windows = {(str(number), "arnor"): (0,) for number in range(10)}
    summary = summarise(open_dataset(write_ampl(tmp_path, windows)))
    published = dict(enumerate((1, 9, 6, None, 7, 8, 2, 3, 4, 5)))
    assert summary.paper_subjects == {f"subject_{k}": v for k, v in published.items()}
    assert sorted(PAPER_SUBJECTS.values()) == list(range(1, 10))
    assert paper_subject("subject_12") is paper_subject("somebody") is None
    assert summary.windows == 10


def test_export_with_other_tracks_has_no_numbers_of_the_paper(tmp_path):
    root = write_ampl(tmp_path, {("0", "arnor"): (0,), ("1", "waltz"): (0, 1)})
    dataset = open_dataset(root)
    assert validate(dataset) == []
    assert dataset.info("subject_1_waltz_00000").genre == ""
    assert summarise(dataset).paper_subjects == {}


TRAINED = {f"subject_{number}" for number in (0, 2, 4, 5, 6, 7, 8, 9)}


@pytest.mark.parametrize(
    ("choice", "trained", "tested"),
    [
        ({"name": "ampl-single-music", "test_tracks": ("cirrus",)}, {"cirrus"}, {"cirrus"}),
        (
            {"name": "ampl-cross-music", "test_tracks": ("arnor",)},
            {"cirrus", "mantron", "jazz"},
            {"arnor"},
        ),
        ({"name": "ampl-cross-genre"}, {"arnor", "cirrus", "mantron"}, {"jazz"}),
    ],
)
@pytest.mark.parametrize("subject", ["subject_4", "subject_1"])
def test_published_protocols_leave_one_subject_out_and_never_train_on_1_and_3(
    tmp_path, choice, trained, tested, subject
):
    takes = open_dataset(write_ampl(tmp_path, EVERYBODY)).takes
    split = find_protocol(ProtocolChoice(**choice, test_subjects=(subject,)), takes).split(takes)
    assert {info.subject for info in split.train} == TRAINED - {subject}
    assert {info.subject for info in split.test} == {subject}
    assert {info.track for info in split.train} == trained
    assert {info.track for info in split.test} == tested


def test_published_protocols_hold_for_a_part_of_the_subjects(tmp_path):
    windows = {key: value for key, value in EVERYBODY.items() if key[0] in "013"}
    takes = open_dataset(write_ampl(tmp_path, windows)).takes
    with pytest.raises(DatasetError, match="no subject is left to train on"):
        find_protocol("ampl-cross-genre", takes)
    choice = ProtocolChoice(name="ampl-cross-genre", test_subjects=("subject_1",))
    assert {info.subject for info in find_protocol(choice, takes).split(takes).train} == {
        "subject_0"
    }
