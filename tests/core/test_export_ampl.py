"""Export to AMPL's layout: what is read back is what the takes hold, window by window."""

import csv
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from acoustic_sense import features
from acoustic_sense.cli.main import run
from acoustic_sense.datasets import DatasetWriter, open_dataset, validate
from acoustic_sense.datasets.ampl import AmplDataset
from acoustic_sense.errors import DatasetError
from acoustic_sense.exporting import export_ampl
from acoustic_sense.metrics import normalise_pose
from acoustic_sense.types import Playback, PoseTrack


def outcome(capsys, *arguments):
    """Run the program; return its exit code, standard output and standard error."""
    capsys.readouterr()
    code = run([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def write(folder, *takes, **options):
    with DatasetWriter(folder, {"name": "test"}, **options) as writer:
        for take in takes:
            writer.write_take(take)
    return open_dataset(folder)


def rows(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def left_in(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


@pytest.fixture(scope="module")
def exported(shared_dataset, tmp_path_factory):
    """The shared dataset, three people and two tracks of 1.8 s, exported by the program."""
    out = tmp_path_factory.mktemp("export") / "ampl"
    assert (
        run(["dataset", "export", str(shared_dataset), "--format", "ampl", "--out", str(out)]) == 0
    )
    return out


def test_layout_is_the_published_one(exported):
    names = left_in(exported)
    assert names[1] == "dataset_spec_2400/music_intensity.csv"
    inside = "dataset_spec_2400/music_with_intensity"
    assert f"{inside}/subject_0_a_0_0.6_music_intensity.npy" in names
    assert f"{inside}/joint_pos_subject_2_b_2_0.6.npy" in names
    assert len(names) == 3 + 2 * 18 + 1
    table = rows(exported / "dataset_spec_2400" / "music_intensity.csv")
    assert len(table) == 18
    assert table[4] == {
        "sound_path": f"./{inside}/subject_0_b_1_0.6_music_intensity.npy",
        "label": "0",
        "testee": "subject_0",
        "music_type": "b",
        "spec_duration": "0.6",
        "joint_path": f"./{inside}/joint_pos_subject_0_b_1_0.6.npy",
    }
    for row in table:
        sound = np.load(exported / row["sound_path"], allow_pickle=False)
        joints = np.load(exported / row["joint_path"], allow_pickle=False)
        assert (sound.shape, sound.dtype) == ((15, 128, 12), np.float32)
        assert (joints.shape, joints.dtype) == ((12, 63), np.float32)


def test_read_back_equals_feature_and_normalised_poses_of_the_takes(exported, shared_dataset):
    ours, theirs = open_dataset(shared_dataset), open_dataset(exported)
    assert isinstance(theirs, AmplDataset)
    assert validate(theirs) == []
    assert len(theirs.takes) == 6
    for row in rows(exported / "takes.csv"):
        take_id = f"{row['testee']}_{row['music_type']}_{int(row['first_index']):05d}"
        take = ours.read_take(row["take"])
        expected = features.compute("mel-stack", take.recording.samples, take.playback.samples)
        stored = theirs.stored_frames(take_id)
        assert stored.shape == (15, 36, 128)
        np.testing.assert_allclose(stored, expected.numpy(), rtol=1e-5, atol=1e-5)
        np.testing.assert_array_equal(
            theirs.pose_targets(take_id), normalise_pose(ours.pose_targets(row["take"]))
        )
        assert theirs.info(take_id).seconds == pytest.approx(take.info.seconds)


def test_mapping_says_which_take_became_what(exported):
    mapping = rows(exported / "takes.csv")
    assert [row["take"] for row in mapping] == ["s0-a", "s0-b", "s1-a", "s1-b", "s2-a", "s2-b"]
    assert mapping[3] == {
        "take": "s1-b",
        "subject": "s1",
        "track": "b",
        "room": "r0",
        "tags": "",
        "testee": "subject_1",
        "music_type": "b",
        "first_index": "0",
        "windows": "3",
        "left_out": "",
    }


def test_every_column_of_the_mapping_is_documented(exported):
    page = (Path(__file__).parents[2] / "docs/how-to/export-a-dataset.md").read_text()
    assert all(f"`{name}`" in page for name in rows(exported / "takes.csv")[0])


def test_windows_lie_on_the_grid_of_the_track(make_take, tmp_path):
    dataset = write(tmp_path / "data", make_take("t", seconds=1.8, start_s=2.0))
    made = export_ampl(dataset, tmp_path / "out")
    assert made.windows == 2  # the track's windows 4 and 5, from 2.4 s on
    theirs = open_dataset(tmp_path / "out")
    (info,) = theirs.takes
    assert (info.id, info.start_s) == ("subject_0_a_00004", pytest.approx(2.4))
    take = dataset.read_take("t")
    first, last = 19_200, 19_200 + 2 * 28_800
    expected = features.compute(
        "mel-stack", take.recording.samples[:, first:last], take.playback.samples[:, first:last]
    )
    np.testing.assert_allclose(theirs.stored_frames(info.id), expected, rtol=1e-5, atol=1e-5)
    times = 0.4 + (np.arange(24) + 0.5) / 20
    known = np.arange(len(take.pose.joints)) / take.pose.rate_hz
    joints = np.stack(
        [np.interp(times, known, column) for column in take.pose.joints.reshape(-1, 63).T], axis=1
    )
    np.testing.assert_allclose(
        theirs.pose_targets(info.id),
        normalise_pose(joints.reshape(-1, 21, 3)),
        atol=1e-4,
    )


def test_further_takes_of_the_same_stretch_become_tracks_of_their_own(make_take, tmp_path):
    takes = [
        make_take("t1", room="r0"),
        make_take("t2", room="r1", seed=1),
        make_take("t3", start_s=1.8, seed=2),  # goes on where t1 ends
        make_take("t4", track="a+2", seed=3),
    ]
    export_ampl(write(tmp_path / "data", *takes), tmp_path / "out")
    mapping = {row["take"]: row for row in rows(tmp_path / "out" / "takes.csv")}
    assert [row["music_type"] for row in mapping.values()] == ["a", "a+3", "a", "a+2"]
    dataset = open_dataset(tmp_path / "out")
    assert validate(dataset) == []
    assert {info.id: round(info.seconds, 3) for info in dataset.takes} == {
        "subject_0_a_00000": 3.6,
        "subject_0_a+2_00000": 1.8,
        "subject_0_a+3_00000": 1.8,
    }


def test_short_takes_and_takes_without_poses_are_left_out_with_a_note(capsys, make_take, tmp_path):
    whole, empty = make_take("whole"), make_take("empty", track="b")
    nobody = PoseTrack(np.zeros((0, 21, 3), np.float32), 60.0)
    write(
        tmp_path / "data",
        whole,
        make_take("short", subject="a-first", seconds=0.5),
        replace(empty, pose=nobody),
    )
    code, out, err = outcome(
        capsys,
        *("dataset", "export", tmp_path / "data", "--format", "ampl", "--out", tmp_path / "out"),
    )
    assert code == 0
    assert out == f"{tmp_path}/out: 3 windows of 0.6 s; takes.csv says which take became what\n"
    assert err.splitlines() == [
        "note: take 'empty' is left out: it has no poses",
        "note: take 'short' is left out: it holds no whole window of 0.6 s",
    ]
    mapping = {row["take"]: row for row in rows(tmp_path / "out" / "takes.csv")}
    assert mapping["whole"]["testee"] == "subject_0"  # people without windows get no number
    assert mapping["short"]["left_out"] == "holds no whole window of 0.6 s"
    assert (mapping["empty"]["testee"], mapping["empty"]["windows"]) == ("", "0")


def test_windows_beyond_the_last_pose_are_left_out(make_take, tmp_path):
    take = make_take("t", seconds=1.8)
    cut = PoseTrack(take.pose.joints[: round(1.25 * take.pose.rate_hz)], take.pose.rate_hz)
    made = export_ampl(write(tmp_path / "data", replace(take, pose=cut)), tmp_path / "out")
    assert made.windows == 2


def one_speaker(make_take, folder):
    take = make_take("t1")
    mono = Playback(take.playback.samples[:1], take.playback.sample_rate_hz)
    write(folder, make_take("t0"), replace(take, playback=mono))


def other_rate(make_take, folder):
    write(folder, sample_rate_hz=44_100)


def only_short(make_take, folder):
    write(folder, make_take("t0", seconds=0.3))


def slash(make_take, folder):
    write(folder, make_take("t0", track="a/b"))


@pytest.mark.parametrize(
    ("make", "line"),
    [
        (one_speaker, "take 't1' has 1 loudspeaker, but AMPL's layout holds 2; export a dataset"),
        (other_rate, "has 44100 Hz, but AMPL's layout 48000 Hz; simulate it with sample_rate_hz"),
        (only_short, "no take can be exported to AMPL's layout: take 't0' holds no whole window"),
        (slash, "take 't0': its track 'a/b' cannot be part of a file name; rename it with"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_what_ampl_cannot_hold_is_one_line_and_leaves_nothing(
    capsys, make_take, tmp_path, make, line
):
    make(make_take, tmp_path / "data")
    before = left_in(tmp_path)
    code, out, err = outcome(
        capsys,
        *("dataset", "export", tmp_path / "data", "--format", "ampl"),
        *("--out", tmp_path / "a" / "out"),
    )
    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    assert line in err
    assert err.count("\n") == 1
    assert left_in(tmp_path) == before


def test_ampl_itself_is_not_exported_again(exported, tmp_path):
    with pytest.raises(DatasetError, match="in layout 'ampl' already; export a dataset of takes"):
        export_ampl(open_dataset(exported), tmp_path / "out")


@pytest.mark.parametrize(
    ("form", "line"),
    [
        ("amlp", "unknown export format 'amlp'; did you mean 'ampl'?"),
        ("wav", "unknown export format 'wav'; known are: ampl, sofa"),
    ],
)
def test_unknown_format_is_one_line(capsys, shared_dataset, tmp_path, form, line):
    code, _, err = outcome(
        capsys, "dataset", "export", shared_dataset, "--format", form, "--out", tmp_path / "out"
    )
    assert (code, err) == (2, f"error: {line}\n")
    assert left_in(tmp_path) == []


def test_a_folder_that_exists_is_refused_and_left_as_it_is(capsys, shared_dataset, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine")
    code, _, err = outcome(
        capsys, "dataset", "export", shared_dataset, "--format", "ampl", "--out", tmp_path / "out"
    )
    assert code == 2
    assert err == f"error: {tmp_path}/out: exists already; name a new folder\n"
    assert left_in(tmp_path) == ["out", "out/mine.txt"]


@pytest.mark.slow
def test_killed_export_leaves_no_folder_and_the_next_one_no_leftovers(
    shared_dataset, tmp_path, exported
):
    program = (
        "import os, sys\n"
        "from acoustic_sense.exporting import ampl\n"
        "from acoustic_sense.cli.main import run\n"
        "ampl._write_table = lambda *_: os.kill(os.getpid(), 9)\n"
        "run(sys.argv[1:])\n"
    )
    arguments = ["dataset", "export", str(shared_dataset), "--format", "ampl", "--out"]
    killed = subprocess.run([sys.executable, "-c", program, *arguments, str(tmp_path / "out")])
    assert killed.returncode == -9
    assert [path.name.split("-")[0] for path in tmp_path.iterdir()] == [".out.partial"]
    assert run([*arguments, str(tmp_path / "out")]) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert left_in(tmp_path / "out") == left_in(exported)
    for name in left_in(exported):
        if (exported / name).is_file():
            assert (tmp_path / "out" / name).read_bytes() == (exported / name).read_bytes(), name
