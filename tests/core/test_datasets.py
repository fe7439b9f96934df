"""The dataset of takes: exact, deterministic, resumable, and every fault named."""

import json
import multiprocessing
import os
import shutil
import signal
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

from acoustic_sense.datasets import (
    DatasetWriter,
    flac,
    open_dataset,
    summarise,
    validate,
    write_take,
)
from acoustic_sense.datasets.pose_frame import seen_from_microphone
from acoustic_sense.datasets.take_files import PARTIAL_PREFIX
from acoustic_sense.errors import DatasetError


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_take_survives_the_disk_within_half_a_24_bit_step(tmp_path, make_take):
    take = make_take(tags=("plain-clothes", "near"), start_s=1.25)
    with DatasetWriter(tmp_path / "d", {}) as writer:
        writer.write_take(take)
    back = open_dataset(tmp_path / "d").read_take("t0")
    assert back.info == take.info
    assert back.extra == take.extra
    assert back.recording.samples.dtype == np.float32
    np.testing.assert_allclose(back.recording.samples, take.recording.samples, atol=0.51 / 2**23)
    np.testing.assert_allclose(back.playback.samples, take.playback.samples, atol=0.51 / 2**23)
    np.testing.assert_array_equal(back.pose.joints, take.pose.joints)
    np.testing.assert_array_equal(back.pose.activity, take.pose.activity)


def test_recording_on_disk_is_ambix(tmp_path, make_take):
    take = make_take()
    folder = write_take(tmp_path, take)
    on_disk, _ = soundfile.read(folder / "recording.flac")
    w, x, y, z = take.recording.samples
    np.testing.assert_allclose(on_disk.T, [w, y, z, x], atol=1e-6)
    assert soundfile.info(folder / "recording.flac").subtype == "PCM_24"


def test_same_takes_give_the_same_bytes_in_any_order_and_at_any_time(tmp_path, make_take):
    takes = [make_take(f"t{number}", seed=number) for number in range(3)]
    for name, order in (("one", takes), ("two", takes[::-1])):
        with DatasetWriter(tmp_path / name, {"seed": 1, "b": [1.5]}) as writer:
            for take in order:
                writer.write_take(take)
        time.sleep(2.1 if name == "one" else 0)  # a zip's times have steps of two seconds
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def _write_for_ever(path: Path, takes) -> None:
    while True:
        for take in takes:
            if not (path / "takes" / take.info.id).exists():
                write_take(path, take)


def test_killed_writer_resumes_to_the_same_bytes(tmp_path, make_take):
    takes = [make_take(f"t{number}", seed=number, seconds=1.0) for number in range(4)]
    with DatasetWriter(tmp_path / "whole", {"seed": 1}) as writer:
        for take in takes:
            writer.write_take(take)
    broken = tmp_path / "broken"
    for delay in (0.02, 0.05, 0.11):
        DatasetWriter(broken, {"seed": 1})
        process = multiprocessing.get_context("fork").Process(
            target=_write_for_ever, args=(broken, takes)
        )
        process.start()
        time.sleep(delay)
        os.kill(process.pid, signal.SIGKILL)
        process.join()
    (broken / "takes" / f"{PARTIAL_PREFIX}t9-1").mkdir(exist_ok=True)
    with DatasetWriter(broken, {"seed": 1}) as writer:
        for take in takes:
            if not writer.has_take(take.info.id):
                writer.write_take(take)
    assert contents(broken) == contents(tmp_path / "whole")
    assert not list(broken.rglob(f"{PARTIAL_PREFIX}*"))


def test_another_description_is_refused(tmp_path, make_take):
    DatasetWriter(tmp_path / "d", {"seed": 1})
    with pytest.raises(DatasetError, match="another configuration"):
        DatasetWriter(tmp_path / "d", {"seed": 2})


def test_folder_with_other_files_is_refused_and_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("x")
    with pytest.raises(DatasetError, match="holds other files"):
        DatasetWriter(tmp_path, {})
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize("take_id", ["../x", "", ".hidden", "a b", "a/b"])
def test_take_id_that_is_no_folder_name_is_refused(tmp_path, make_take, take_id):
    with pytest.raises(DatasetError, match="cannot name a folder"):
        write_take(tmp_path, make_take(take_id))


def test_level_above_full_scale_is_refused_and_nothing_is_left(tmp_path, make_take):
    take = make_take()
    take.recording.samples[0, 5] = 1.5
    writer = DatasetWriter(tmp_path / "d", {})
    with pytest.raises(DatasetError, match="above full scale"):
        writer.write_take(take)
    assert list((tmp_path / "d" / "takes").iterdir()) == []


def test_existing_take_is_not_overwritten(tmp_path, make_take):
    write_take(tmp_path, make_take())
    with pytest.raises(DatasetError, match="exists already"):
        write_take(tmp_path, make_take(seed=5))


def test_unfinished_dataset_says_how_to_go_on(tmp_path, make_take):
    DatasetWriter(tmp_path / "d", {}).write_take(make_take())
    with pytest.raises(DatasetError, match="it will resume"):
        open_dataset(tmp_path / "d")


def test_folders_that_are_no_dataset_are_refused(tmp_path):
    with pytest.raises(DatasetError, match="no such folder"):
        open_dataset(tmp_path / "nothing")
    with pytest.raises(DatasetError, match="not a dataset"):
        open_dataset(tmp_path)


def test_targets_and_activities_stand_at_the_feature_frames(tiny_dataset):
    dataset = open_dataset(tiny_dataset)
    take = dataset.read_take("s1-a")
    assert dataset.frame_count("s1-a") == 36
    np.testing.assert_array_equal(dataset.pose_targets("s1-a"), take.pose.at_feature_frames(36))
    assert set(dataset.activity("s1-a")) == {"raise", "lower"}


def test_unknown_take_gets_a_suggestion(tiny_dataset):
    with pytest.raises(DatasetError, match="did you mean 's1-a'"):
        open_dataset(tiny_dataset).info("s1-aa")


def test_sound_dataset_has_no_problems(tiny_dataset):
    assert validate(open_dataset(tiny_dataset)) == []


def test_summary_adds_up(tiny_dataset):
    summary = summarise(open_dataset(tiny_dataset))
    assert summary.take_count == 6
    assert summary.seconds == pytest.approx(6 * 1.8)
    assert summary.subjects == pytest.approx({"s0": 3.6, "s1": 3.6, "s2": 3.6})
    assert sum(summary.activities.values()) == pytest.approx(6 * 1.8)
    assert summary.genres == pytest.approx({"ambient": 5.4, "jazz": 5.4})


def _truncate(folder):
    data = (folder / "recording.flac").read_bytes()
    (folder / "recording.flac").write_bytes(data[: len(data) // 2])


def _not_audio(folder):
    (folder / "playback.flac").write_bytes(b"not audio")


def _remove(folder):
    (folder / "playback.flac").unlink()


def _three_channels(folder):
    soundfile.write(folder / "recording.flac", np.zeros((86400, 3)), 48000, subtype="PCM_24")


def _silence(folder):
    soundfile.write(folder / "recording.flac", np.zeros((86400, 4)), 48000, subtype="PCM_24")


def _shorter(folder):
    soundfile.write(folder / "playback.flac", np.ones((43200, 2)) / 9, 48000, subtype="PCM_24")


def _nan(folder):
    joints = np.zeros((72, 21, 3), np.float32)
    joints[3, 2, 1] = np.nan
    np.savez(folder / "pose.npz", joints=joints, rate_hz=40.0)


def _wrong_joints(folder):
    np.savez(folder / "pose.npz", joints=np.zeros((72, 17, 3), np.float32), rate_hz=40.0)


def _pickled(folder):
    np.savez(folder / "pose.npz", joints=np.array([{"a": 1}], dtype=object), rate_hz=40.0)


def _short_pose(folder):
    np.savez(folder / "pose.npz", joints=np.zeros((20, 21, 3), np.float32), rate_hz=40.0)


def _other_row(folder):
    data = json.loads((folder / "take.json").read_text())
    data["info"]["subject"] = "somebody"
    (folder / "take.json").write_text(json.dumps(data))


def _bad_json(folder):
    (folder / "take.json").write_text("{")


@pytest.mark.parametrize(
    ("damage", "file", "text"),
    [
        (_truncate, "recording.flac", ""),
        (_not_audio, "playback.flac", "not readable audio"),
        (_remove, "playback.flac", "missing"),
        (_three_channels, "recording.flac", "3 channels"),
        (_silence, "recording.flac", "silent"),
        (_shorter, "s1-a", "differ"),
        (_nan, "pose.npz", "not finite"),
        (_wrong_joints, "pose.npz", "(72, 17, 3)"),
        (_pickled, "pose.npz", "not a readable npz"),
        (_short_pose, "pose.npz", "0.500 s of poses"),
        (_other_row, "take.json", "differs from its row"),
        (_bad_json, "take.json", "not valid JSON"),
    ],
)
def test_damage_is_found_and_the_file_named(tiny_dataset, damage, file, text):
    damage(tiny_dataset / "takes" / "s1-a")
    problems = validate(open_dataset(tiny_dataset))
    assert [problem.take for problem in problems] == ["s1-a"]
    assert file in problems[0].message
    assert text in problems[0].message


def test_table_and_folders_are_compared(tiny_dataset):
    (tiny_dataset / "takes" / "s0-a").rename(tiny_dataset / "takes" / "stranger")
    table = tiny_dataset / "takes.csv"
    lines = table.read_text().splitlines()
    table.write_text("\n".join([*lines, lines[-1]]) + "\n")
    messages = [problem.message for problem in validate(open_dataset(tiny_dataset))]
    assert len(messages) == 3
    assert any("listed twice" in text for text in messages)
    assert any("no such folder" in text for text in messages)
    assert any("not listed" in text for text in messages)


def test_unknown_joints_are_found(tiny_dataset):
    file = tiny_dataset / "dataset.json"
    data = json.loads(file.read_text())
    data["conventions"]["joint_names"][4] = "Tail"
    file.write_text(json.dumps(data))
    problems = validate(open_dataset(tiny_dataset))
    assert len(problems) == 1
    assert "Tail" in problems[0].message


def test_long_signals_are_written_and_read_in_blocks_without_a_seam(tmp_path):
    generator = np.random.default_rng(5)
    samples = (0.2 * generator.standard_normal((4, 2**19 + 4321))).astype(np.float32)
    flac.write_flac(tmp_path / "a.flac", samples, 48_000, order=(0, 2, 3, 1))
    whole = np.rint(samples[[0, 2, 3, 1]].astype(np.float64) * 2**23).astype(np.int32)
    soundfile.write(tmp_path / "b.flac", (whole << 8).T, 48_000, subtype="PCM_24")
    assert (tmp_path / "a.flac").read_bytes() == (tmp_path / "b.flac").read_bytes()
    back, rate_hz = flac.read_flac(tmp_path / "a.flac", order=(0, 3, 1, 2))
    assert rate_hz == 48_000
    np.testing.assert_allclose(back, samples, atol=2**-24)
    order = (0, 2, 3, 1)
    assert flac.holds(tmp_path / "a.flac", samples, 48_000, order)
    assert flac.holds(tmp_path / "a.flac", back, 48_000, order)
    for place in (0, 2**16 - 1, 2**19 + 4320):
        changed = back.copy()
        changed[3, place] += 2**-22
        assert not flac.holds(tmp_path / "a.flac", changed, 48_000, order)


def test_a_file_of_another_shape_or_rate_does_not_hold_the_samples(tmp_path):
    samples = np.zeros((2, 100), dtype=np.float32)
    flac.write_flac(tmp_path / "a.flac", samples, 48_000)
    assert flac.holds(tmp_path / "a.flac", samples, 48_000)
    assert not flac.holds(tmp_path / "a.flac", samples, 44_100)
    assert not flac.holds(tmp_path / "a.flac", samples[:1], 48_000)
    assert not flac.holds(tmp_path / "a.flac", samples[:, :-1], 48_000)


@pytest.mark.parametrize("yaw_deg", [0.0, 90.0, 200.0])
def test_poses_seen_from_the_microphone_turn_with_it(yaw_deg):
    """A point ahead of the microphone lies at -Z, one to its left at -X, whatever its yaw."""
    yaw = np.radians(yaw_deg)  # the front is world +X at 0 and turns towards world -Z
    ahead, left = (np.cos(yaw), 0.5, -np.sin(yaw)), (-np.sin(yaw), -1.0, -np.cos(yaw))
    joints = np.array([[ahead, left]], dtype=np.float32)
    seen = seen_from_microphone(joints, yaw_deg)
    np.testing.assert_allclose(seen[0], [[0.0, 0.5, -1.0], [-1.0, -1.0, 0.0]], atol=1e-6)


def test_a_stray_take_has_another_name_before_its_files_go(tmp_path, monkeypatch):
    """Its worker may live on, and must not rename a take that is half removed."""
    with DatasetWriter(tmp_path / "d", {}):
        pass
    stray = tmp_path / "d" / "takes" / ".partial-a-1"
    stray.mkdir(parents=True)
    (stray / "take.json").write_text("{}", encoding="utf-8")
    seen = []
    monkeypatch.setattr(shutil, "rmtree", lambda path, **_: seen.append((path, stray.exists())))
    with DatasetWriter(tmp_path / "d", {}):
        pass
    assert [there for _, there in seen] == [False]
    assert (seen[0][0] / "take.json").exists()
