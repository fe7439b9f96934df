"""Outputs: there once they are whole, and nothing left behind when they fail."""

import pytest

from acoustic_sense.cli.outputs import new_file, new_folder, resumable_folder
from acoustic_sense.errors import AcousticSenseError


def left_in(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def write_and_raise(error, *paths):
    """Write files, in folders that need not exist, and fail."""
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("half")
    raise error


def test_a_file_appears_under_its_name_only_when_whole(tmp_path):
    with new_file(tmp_path / "pose.npz") as temporary:
        temporary.write_text("whole")
        assert temporary.suffix == ".npz"
        assert not (tmp_path / "pose.npz").exists()
    assert left_in(tmp_path) == ["pose.npz"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_a_file_that_fails_leaves_what_was_there(tmp_path, error):
    (tmp_path / "pose.npz").write_text("old")
    with pytest.raises(error), new_file(tmp_path / "pose.npz") as temporary:
        write_and_raise(error, temporary)
    assert left_in(tmp_path) == ["pose.npz"]
    assert (tmp_path / "pose.npz").read_text() == "old"


def test_a_file_needs_its_folder(tmp_path):
    with (
        pytest.raises(AcousticSenseError, match=r"there is no folder .*; make it first"),
        new_file(tmp_path / "gone" / "pose.npz"),
    ):
        pass
    with pytest.raises(AcousticSenseError, match="is a folder"), new_file(tmp_path):
        pass


def test_a_folder_appears_with_its_parents(tmp_path):
    with new_folder(tmp_path / "a" / "b") as temporary:
        (temporary / "x").write_text("1")
        assert not (tmp_path / "a" / "b").exists()
    assert left_in(tmp_path) == ["a", "a/b", "a/b/x"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_a_folder_that_fails_leaves_no_parents_either(tmp_path, error):
    with pytest.raises(error), new_folder(tmp_path / "a" / "b" / "c") as temporary:
        write_and_raise(error, temporary / "x")
    assert left_in(tmp_path) == []


def test_a_folder_that_is_there_keeps_its_other_files(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").write_text("keep")
    (tmp_path / "out" / "x").write_text("old")
    with new_folder(tmp_path / "out") as temporary:
        (temporary / "x").write_text("new")
    assert left_in(tmp_path) == ["out", "out/mine", "out/x"]
    assert (tmp_path / "out" / "x").read_text() == "new"


def test_a_folder_cannot_take_a_files_place(tmp_path):
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file", tmp_path / "file" / "out"):
        with pytest.raises(AcousticSenseError, match="is a file"), new_folder(path):
            pass


def test_a_resumable_folder_is_kept_once_something_is_worth_resuming(tmp_path):
    run = tmp_path / "a" / "run"
    with pytest.raises(ValueError), resumable_folder(run, begun="checkpoints/*"):
        write_and_raise(ValueError, run / "checkpoints" / "last.ckpt")
    assert (run / "checkpoints" / "last.ckpt").exists()


def test_a_resumable_folder_without_anything_worth_resuming_is_removed(tmp_path):
    run = tmp_path / "a" / "run"
    with pytest.raises(KeyboardInterrupt), resumable_folder(run, begun="checkpoints/*"):
        write_and_raise(KeyboardInterrupt, run / "config.toml", run / "logs" / "a")
    assert left_in(tmp_path) == []


def test_a_resumable_folder_that_was_there_is_not_removed(tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").write_text("")
    for name in ("empty", "full"):
        with pytest.raises(ValueError), resumable_folder(tmp_path / name, begun="checkpoints/*"):
            write_and_raise(ValueError, tmp_path / name / "config.toml")
    assert left_in(tmp_path) == ["empty", "full", "full/config.toml", "full/mine"]
