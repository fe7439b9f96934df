"""Bad windows of AMPL: each kind is named, listed, refused, and left out on request."""

import json
import pickle
import sys
from pathlib import Path

import numpy as np
import pytest

from acoustic_sense.cli.main import run
from acoustic_sense.datasets import open_dataset, validate
from acoustic_sense.errors import DatasetError
from acoustic_sense.training.clip_set import ClipSet
from acoustic_sense.training.feature_store import FeatureStore

sys.path.insert(0, str(Path(__file__).parents[1] / "references"))
from ampl_folder import FOLDER, edit_table, joint_name, sound_name, write_ampl


class Pwned:
    """What a pickle would run: it makes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def _objects(path):
    np.save(path, np.array([Pwned(path.with_name("pwned"))], object), allow_pickle=True)


def _pickle(path):
    path.write_bytes(pickle.dumps(Pwned(path.with_name("pwned"))))


def _archive(path):
    with path.open("wb") as file:
        np.savez(file, values=np.zeros((15, 128, 12), np.float32))


def _value(number):
    def damage(path):
        values = np.load(path)
        values.flat[3] = number
        np.save(path, values)

    return damage


def _huge(path):
    np.save(path, np.load(path).astype(np.float64) + 1e300)


def _folder(path):
    path.unlink()
    path.mkdir()


DAMAGE = {
    "missing": (Path.unlink, "missing"),
    "empty": (lambda path: path.write_bytes(b""), "not a NumPy array file"),
    "truncated header": (lambda path: path.write_bytes(path.read_bytes()[:40]), "not a readable"),
    "truncated": (lambda path: path.write_bytes(path.read_bytes()[:400]), "not a readable array"),
    "web page": (lambda path: path.write_text("<html>Not found</html>"), "not a NumPy array file"),
    "folder": (_folder, "not a readable array"),
    "archive": (_archive, "not a NumPy array file"),
    "objects": (_objects, "Object arrays cannot be loaded"),
    "pickle": (_pickle, "not a NumPy array file"),
    "shape": (lambda p: np.save(p, np.zeros((15, 64, 12), np.float32)), "shape (15, 64, 12)"),
    "type": (lambda path: np.save(path, np.load(path).astype(np.int16)), "holds int16"),
    "nan": (_value(np.nan), "not finite"),
    "infinite": (_value(-np.inf), "not finite"),
    "beyond float32": (_huge, "not finite"),
}
BAD_FILES = {
    sound_name(0, "arnor", 1): ("subject_0_arnor_00000", "stored_frames"),
    joint_name(8, "jazz", 4): ("subject_8_jazz_00003", "pose_targets"),
}


@pytest.mark.parametrize(("damage", "text"), DAMAGE.values(), ids=DAMAGE)
@pytest.mark.parametrize("name", BAD_FILES)
def test_damaged_file_is_named_and_left_out_on_request(tmp_path, name, damage, text):
    root = write_ampl(tmp_path)
    damage(root / name)
    take_id, read = BAD_FILES[name]
    problems = validate(open_dataset(root))
    assert [problem.take for problem in problems] == [take_id]
    assert text in problems[0].message
    with pytest.raises(DatasetError) as caught:
        getattr(open_dataset(root), read)(take_id)
    assert str(caught.value) == problems[0].message
    assert str(root / name) in str(caught.value)
    assert "\n" not in str(caught.value)
    dataset = open_dataset(root, bad="skip")
    assert dataset.skipped.messages == (problems[0].message,)
    assert "1 of 7 windows is bad" in str(dataset.skipped)
    assert name in str(dataset.skipped)
    assert sum(dataset.frame_count(info.id) for info in dataset.takes) == 6 * 12
    assert [problem.message for problem in validate(dataset)] == [problems[0].message]
    assert not (root / FOLDER / "pwned").exists()


def test_pose_without_a_scale_is_bad(tmp_path):
    root = write_ampl(tmp_path)
    path = root / joint_name(8, "jazz", 4)
    poses = np.load(path)
    poses[7, 3:6] = poses[7, :3]
    np.save(path, poses)
    assert "Hips and Spine at one point" in validate(open_dataset(root))[0].message
    assert len(open_dataset(root, bad="skip").skipped) == 1


def test_sound_folder_skips_nothing(tmp_path):
    assert open_dataset(write_ampl(tmp_path), bad="skip").skipped is None


def test_every_problem_is_listed(tmp_path):
    root = write_ampl(tmp_path)
    (root / sound_name(0, "arnor", 1)).unlink()
    (root / joint_name(0, "arnor", 1)).unlink()
    (root / joint_name(8, "jazz", 3)).unlink()
    edit_table(root, "subject_0,arnor,0.6", "subject_0,arnor,0.9", 1)  # the row of window 6
    edit_table(root, joint_name(0, "arnor", 0), joint_name(0, "arnor", 2))
    messages = [problem.message for problem in validate(open_dataset(root, bad="list"))]
    assert len(messages) == 5
    for text in ("spec_duration", "holds no poses of", "arnor_1_", "pos_subject_0_arnor_1", "jazz"):
        assert any(text in message for message in messages), text
    dataset = open_dataset(root, bad="skip")
    assert [info.id for info in dataset.takes] == [
        "subject_0_arnor_00002",
        "subject_0_arnor_00005",
        "subject_8_jazz_00004",
    ]
    assert "4 of 7 windows are bad" in str(dataset.skipped)


def test_skipping_equals_a_table_without_the_rows(tmp_path):
    """Two bad windows in the middle of takes, against a table that never listed them."""
    windows = {("0", "arnor"): range(8), ("8", "arnor"): range(3, 9)}
    root = write_ampl(tmp_path, windows)
    _value(np.nan)(root / sound_name(0, "arnor", 3))
    (root / joint_name(8, "arnor", 3)).unlink()
    skipped = open_dataset(root, bad="skip")
    table = root / "music_intensity.csv"
    bad = (sound_name(0, "arnor", 3), joint_name(8, "arnor", 3))
    kept = [line for line in table.read_text().splitlines() if not any(b in line for b in bad)]
    assert len(kept) == 1 + 8 + 6 - 2
    table.write_text("\n".join(kept) + "\n")
    rewritten = open_dataset(root)
    assert skipped.takes == rewritten.takes
    for info in rewritten.takes:
        np.testing.assert_array_equal(
            skipped.stored_frames(info.id), rewritten.stored_frames(info.id)
        )
        np.testing.assert_array_equal(
            skipped.pose_targets(info.id), rewritten.pose_targets(info.id)
        )


def test_no_clip_spans_a_hole(tmp_path):
    """The first channel counts the track's frames, so a clip over a hole would jump."""
    root = write_ampl(tmp_path, {("0", "arnor"): range(12)})
    whole = open_dataset(root)
    FeatureStore(whole, "mel-stack").frames(whole.takes[0].id)  # a cache from before the damage
    for index in (3, 7):
        (root / sound_name(0, "arnor", index)).write_bytes(b"")
    dataset = open_dataset(root, bad="skip")
    clips = ClipSet(FeatureStore(dataset, "mel-stack"), dataset.takes)
    index = clips.grid(1)
    assert len(index) == (3 * 12 - 11) + (3 * 12 - 11) + (4 * 12 - 11)
    batch = clips.gather(index, np.arange(len(index)))
    times = batch.features[:, 0, :, 0].numpy()
    np.testing.assert_array_equal(np.diff(times, axis=1), 1.0)
    assert not {3, 7} & set((times // 12).astype(int).ravel())
    np.testing.assert_array_equal(times[:, 0], batch.segment.numpy())  # the track's own clock


def test_folder_without_a_sound_window_is_refused(tmp_path):
    root = write_ampl(tmp_path)
    for path in (root / FOLDER).glob("joint_*"):
        path.unlink()
    with pytest.raises(DatasetError, match=r"every window is bad; the first: .*joint_pos"):
        open_dataset(root, bad="skip")


def test_takes_that_cannot_be_read_are_left_out_too(tiny_dataset):
    file = tiny_dataset / "takes" / "s1-b" / "recording.flac"
    file.write_bytes(file.read_bytes()[:2000])
    dataset = open_dataset(tiny_dataset, bad="skip")
    assert len(dataset.takes) == 5
    assert "1 of 6 takes is bad" in str(dataset.skipped)
    assert "s1-b" in str(dataset.skipped)


def outcome(capsys, *arguments):
    """Run the program; return its exit code, standard output and standard error."""
    capsys.readouterr()
    code = run([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_commands_leave_bad_windows_out_on_request_and_say_so_in_one_line(capsys, tmp_path):
    windows = {(str(subject), "arnor"): range(4) for subject in (0, 2, 8)}
    root = write_ampl(tmp_path, windows)
    (root / sound_name(2, "arnor", 1)).write_bytes(b"")
    (root / joint_name(8, "arnor", 2)).unlink()
    told = f"note: 2 of 12 windows are bad and left out; the first: {root}"
    (tmp_path / "train.toml").write_text(
        """[data]
path = "dataset_spec_2400"
protocol = "ampl-single-music"
[encoder]
name = "bgm2pose-fa"
config = { width = 0.125 }
[training]
epochs = 1
batch_size = 2
threads = 1
normalisation = "ampl"
"""
    )
    train = ("train", tmp_path / "train.toml", "--out", tmp_path / "run")
    evaluate = ("evaluate", tmp_path / "run", "--data", root)
    code, _, error = outcome(capsys, *train)
    assert (code, error.count("\n")) == (2, 1)
    assert sound_name(2, "arnor", 1) in error
    assert not (tmp_path / "run").exists()

    code, _, error = outcome(capsys, *train, "--skip-bad")
    assert code == 0, error
    assert error.count("\n") == 1
    assert error.startswith(told)
    assert "skip_bad = true" in (tmp_path / "run" / "config.toml").read_text()

    code, _, error = outcome(capsys, *evaluate)
    assert (code, error.count("\n")) == (2, 1)
    assert joint_name(8, "arnor", 2) in error
    code, out, error = outcome(capsys, *evaluate, "--skip-bad", "--json")
    assert code == 0, error
    assert error.count("\n") == 1
    assert error.startswith(told)
    found = json.loads(out)
    assert found["takes"] == ["subject_8_arnor_00000", "subject_8_arnor_00003"]
    assert (found["frames"], found["left_out"]) == (36, 2)

    assert outcome(capsys, "dataset", "info", root)[2] == ""
    code, out, error = outcome(capsys, "dataset", "info", root, "--skip-bad")
    assert code == 0
    assert "10 windows of 0.6 s" in out
    assert "subject_8 (4 in the paper)" in out
    assert error.startswith(told)

    code, out, error = outcome(capsys, "dataset", "validate", root)
    assert code == 1
    for name in (sound_name(2, "arnor", 1), joint_name(8, "arnor", 2)):
        assert sum(name in line for line in out.splitlines()) == 1
    assert "3 takes, 2 problems" in out
