"""`acoustic-sense predict`: what it writes and prints, and what bad input is answered with."""

import numpy as np
import pytest
import soundfile

from acoustic_sense.datasets import open_dataset
from acoustic_sense.inference import load_model


@pytest.mark.parametrize("ending", ["npz", "csv", "bvh"])
def test_predict_writes_the_pose_and_says_frames_seconds_and_model(
    capsys, trained, pair, tmp_path, ending, outcome, left_in
):
    out_file = tmp_path / f"pose.{ending}"
    code, out, err = outcome(
        capsys,
        *("predict", pair / "recording.wav", "--playback", pair / "playback.wav"),
        *("--out", out_file, "--model", trained / "run"),
    )
    assert code == 0
    assert out == f"{out_file}: 36 frames from 1.80 s of sound, model '{trained}/run'\n"
    assert (err == "") == (ending != "bvh")
    assert out_file.stat().st_size > 1000
    assert left_in(tmp_path / "pair") == ["playback.wav", "recording.wav"]


def test_predict_equals_the_model_on_the_take_itself(capsys, trained, pair, tmp_path, outcome):
    arguments = ["--model", trained / "run", "--out", tmp_path / "pose.npz"]
    code, _, _ = outcome(
        capsys,
        *("predict", pair / "recording.wav", "--playback", pair / "playback.wav"),
        *arguments,
    )
    assert code == 0
    take = open_dataset(trained / "data").read_take("s2-a")
    expected = load_model(trained / "run").predict(take.recording, take.playback)
    with np.load(tmp_path / "pose.npz", allow_pickle=False) as pose:
        np.testing.assert_allclose(pose["joints"], expected, atol=1e-4)


def test_predict_reads_the_channel_order_that_is_named(capsys, trained, pair, tmp_path, outcome):
    ambix, rate_hz = soundfile.read(pair / "recording.wav")
    soundfile.write(pair / "wxyz.wav", ambix[:, [0, 3, 1, 2]], rate_hz, subtype="PCM_24")
    joints = []
    for name, order in (("recording", "ambix"), ("wxyz", "wxyz"), ("wxyz", "ambix")):
        out_file = tmp_path / f"{name}-{order}.npz"
        code, _, _ = outcome(
            capsys,
            *("predict", pair / f"{name}.wav", "--playback", pair / "playback.wav"),
            *("--channels", order, "--out", out_file, "--model", trained / "run"),
        )
        assert code == 0
        joints.append(np.load(out_file)["joints"])
    np.testing.assert_array_equal(joints[0], joints[1])
    assert not np.array_equal(joints[0], joints[2])


def test_predict_tells_what_it_changed(capsys, trained, pair, tmp_path, outcome):
    samples, _ = soundfile.read(pair / "playback.wav")
    soundfile.write(pair / "playback.wav", samples[:60_000], 44_100)
    code, out, err = outcome(
        capsys,
        *("predict", pair / "recording.wav", "--playback", pair / "playback.wav"),
        *("--out", tmp_path / "pose.npz", "--model", trained / "run"),
    )
    assert code == 0
    assert err.splitlines() == [
        "note: playback.wav is at 44100 Hz; resampled to 48000 Hz",
        "note: recording.wav lasts 1.800 s and playback.wav 1.361 s; both are cut to 1.361 s",
    ]
    assert "27 frames from 1.36 s" in out


def write(path, channels=4, seconds=1.0, gain=0.1):
    rng = np.random.default_rng(0)
    samples = gain * rng.standard_normal((round(48_000 * seconds), channels))
    soundfile.write(path, samples, 48_000, subtype="FLOAT")


BAD_RECORDINGS = {
    "missing": (lambda path: None, "no such file; check the path"),
    "text": (
        lambda path: path.write_text("hello"),
        "is not an audio file that can be read; give WAV, FLAC or OGG",
    ),
    "stereo": (
        lambda path: write(path, channels=2),
        "has 2 channels but a recording needs 4 (first-order ambisonics); "
        "give the file of the ambisonics microphone",
    ),
    "silent": (
        lambda path: write(path, gain=0.0),
        "is silent (all samples are 0); check the input and its gain",
    ),
    "short": (
        lambda path: write(path, seconds=0.5),
        "lasts 0.500 s but a clip needs 0.6 s; give a longer one",
    ),
}


@pytest.mark.parametrize("name", BAD_RECORDINGS)
def test_predict_answers_a_bad_recording_with_one_line(capsys, tmp_path, name, outcome, left_in):
    make, line = BAD_RECORDINGS[name]
    recording = tmp_path / "recording.wav"
    write(tmp_path / "playback.wav", channels=2)
    make(recording)
    before = left_in(tmp_path)
    code, out, err = outcome(
        capsys,
        *("predict", recording, "--playback", tmp_path / "playback.wav"),
        *("--out", tmp_path / "pose.npz"),
    )
    assert (code, out) == (2, "")
    assert err == f"error: {recording}: {line}\n"
    assert left_in(tmp_path) == before


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--out", "pose.txt"], "unknown pose format '.txt'; name a file ending in .npz"),
        (["--out", "gone/pose.npz"], "there is no folder gone; make it first"),
        (["--out", "pose.npz", "--channels", "ambx"], "did you mean 'ambix'?"),
        (["--out", "pose.npz", "--model", "no-such"], "no such run folder, model file or model"),
    ],
    ids=lambda value: value[-1] if isinstance(value, list) else "",
)
def test_predict_answers_bad_options_with_one_line(
    capsys, tmp_path, monkeypatch, arguments, line, outcome, left_in
):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "r.wav")
    write(tmp_path / "p.wav", channels=2)
    code, out, err = outcome(capsys, "predict", "r.wav", "--playback", "p.wav", *arguments)
    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    assert line in err
    assert err.count("\n") == 1
    assert left_in(tmp_path) == ["p.wav", "r.wav"]
