"""The verbs on small data: what they write and print, and what bad input is answered with."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile

from acoustic_sense.cli.main import run
from acoustic_sense.cli.models import chosen_model
from acoustic_sense.datasets import open_dataset
from acoustic_sense.errors import ModelError
from acoustic_sense.inference import load_model

TRAIN = """
[data]
path = "{data}"
feature = "mel-stack"

[encoder]
name = "bgm2pose-fa"
config = {{ width = 0.125 }}

[training]
epochs = 1
batch_size = 4
threads = 1
"""


def outcome(capsys, *arguments):
    """Run the program; return its exit code, standard output and standard error."""
    capsys.readouterr()
    code = run([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def left_in(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


TRAINED: dict[str, Path] = {}


@pytest.fixture
def trained(tiny_dataset, tmp_path_factory):
    """A folder with `data`, `train.toml` and `run`, made once by the program itself."""
    if "folder" not in TRAINED:
        folder = tmp_path_factory.mktemp("trained")
        shutil.move(tiny_dataset, folder / "data")
        (folder / "train.toml").write_text(TRAIN.format(data="data"))
        assert run(["train", str(folder / "train.toml"), "--out", str(folder / "run")]) == 0
        TRAINED["folder"] = folder
    return TRAINED["folder"]


@pytest.fixture
def pair(trained, tmp_path):
    """Recording and playback of a take as files, in a folder of their own."""
    take = open_dataset(trained / "data").read_take("s2-a")
    folder = tmp_path / "pair"
    folder.mkdir()
    ambix = take.recording.samples[[0, 2, 3, 1]].T
    soundfile.write(folder / "recording.wav", ambix, 48_000, subtype="PCM_24")
    soundfile.write(folder / "playback.wav", take.playback.samples.T, 48_000, subtype="PCM_24")
    return folder


def test_train_writes_a_run_and_says_how_to_go_on(trained):
    written = left_in(trained / "run")
    for name in ("config.toml", "history.csv", "metrics.json", "model.safetensors"):
        assert name in written


def test_train_refuses_a_folder_with_a_run_and_leaves_it_as_it_is(capsys, trained):
    before = left_in(trained / "run")
    code, _, err = outcome(capsys, "train", trained / "train.toml", "--out", trained / "run")
    assert code == 2
    assert err == (
        f"error: {trained}/run: holds a run already; resume it or choose another folder\n"
    )
    assert left_in(trained / "run") == before


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        (
            "batch_size",
            "batch_siez",
            "unknown key 'training.batch_siez'; did you mean 'batch_size'?",
        ),
        ("width", "widht", "unknown key 'widht'; did you mean 'width'?"),
        (
            "bgm2pose-fa",
            "bgm2pose-af",
            "unknown encoder 'bgm2pose-af'; did you mean 'bgm2pose-fa'?",
        ),
        ("mel-stack", "mel-stak", "unknown feature 'mel-stak'; did you mean 'mel-stack'?"),
        ("[training]", "[training", "not valid TOML"),
        ("epochs = 1", "epochs = 0", "'training.epochs': Input should be greater than or equal"),
        ('path = "{data}"', 'path = "gone"', "gone: no such folder; give the folder of a dataset"),
    ],
    ids=lambda value: value.split()[0],
)
def test_train_answers_a_bad_configuration_with_one_line(capsys, tmp_path, old, new, line):
    text = TRAIN.replace(old, new)
    (tmp_path / "train.toml").write_text(
        text.replace("{data}", ".").replace("{{", "{").replace("}}", "}")
    )
    code, out, err = outcome(capsys, "train", tmp_path / "train.toml", "--out", tmp_path / "a/run")
    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    assert line in err
    assert err.count("\n") == 1
    assert left_in(tmp_path) == ["train.toml"]


def test_train_answers_a_missing_configuration_with_one_line(capsys, tmp_path):
    code, _, err = outcome(capsys, "train", tmp_path / "no.toml", "--out", tmp_path / "run")
    assert code == 2
    assert err == f"error: {tmp_path}/no.toml: no such configuration file; check the path\n"
    assert left_in(tmp_path) == []


def test_evaluate_prints_the_mean_pose_beside_the_model_and_writes_json(capsys, trained):
    code, out, err = outcome(
        capsys, "evaluate", trained / "run", "--data", trained / "data", "--protocol", "all"
    )
    assert code == 0
    rows = [line.split() for line in out.splitlines()]
    numbers = {" ".join(row[:-3]): row[-3:] for row in rows if row and re.match(r"\d", row[-1])}
    file = trained / "run" / "evaluation-data-all.json"
    written = json.loads(file.read_text())
    for name, method in (("mean pose", "mean_pose"), ("model", "model"), ("arm model", "model")):
        suffix = "/arm" if name.startswith("arm") else ""
        metrics = [written["scores"][method][key + suffix] for key in ("rmse", "mae", "pckh@0.5")]
        assert numbers[name] == [f"{value:.3f}" for value in metrics]
    assert "note: subjects that the model was trained on: s0, s1" in err
    assert str(file) in out
    file.unlink()


def test_evaluate_as_json_prints_what_it_writes(capsys, trained, tmp_path):
    code, out, _ = outcome(
        capsys,
        *("evaluate", trained / "run", "--data", trained / "data", "--json"),
        *("--out", tmp_path / "scores.json"),
    )
    assert code == 0
    assert json.loads(out) == json.loads((tmp_path / "scores.json").read_text())
    assert json.loads(out)["protocol"] == "leave-one-subject-out"


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (
            ["--protocol", "cross-musik"],
            "unknown protocol 'cross-musik'; did you mean 'cross-music'",
        ),
        (["--take", "s9-a"], "no take 's9-a' among 6; did you mean"),
        (["--protocol", "all", "--take", "s0-a"], "--protocol and --take exclude each other"),
        (["--out", "/no/such/folder/a.json"], "there is no folder /no/such/folder; make it first"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_evaluate_answers_bad_input_with_one_line(capsys, trained, arguments, line):
    before = left_in(trained)
    code, out, err = outcome(
        capsys, "evaluate", trained / "run", "--data", trained / "data", *arguments
    )
    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    assert line in err
    assert err.count("\n") == 1
    assert left_in(trained) == before


def test_report_writes_one_page(capsys, trained, tmp_path):
    code, out, _ = outcome(capsys, "report", trained / "run", "--out", tmp_path / "page.html")
    assert code == 0
    assert out == f"report: {tmp_path}/page.html\n"
    assert "<html" in (tmp_path / "page.html").read_text()[:500]


def test_report_answers_a_folder_without_a_run_with_one_line(capsys, tmp_path):
    for path, line in ((tmp_path, "holds no history.csv"), (tmp_path / "no", "no such folder")):
        code, _, err = outcome(capsys, "report", path)
        assert code == 2
        assert err.startswith(f"error: {path}: {line}")
        assert err.count("\n") == 1
    assert left_in(tmp_path) == []


@pytest.mark.parametrize("ending", ["npz", "csv", "bvh"])
def test_predict_writes_the_pose_and_says_frames_seconds_and_model(
    capsys, trained, pair, tmp_path, ending
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


def test_predict_equals_the_model_on_the_take_itself(capsys, trained, pair, tmp_path):
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


def test_predict_reads_the_channel_order_that_is_named(capsys, trained, pair, tmp_path):
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
    assert np.abs(joints[0] - joints[2]).max() > 1e-6


def test_predict_tells_what_it_changed(capsys, trained, pair, tmp_path):
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
def test_predict_answers_a_bad_recording_with_one_line(capsys, tmp_path, name):
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
def test_predict_answers_bad_options_with_one_line(capsys, tmp_path, monkeypatch, arguments, line):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "r.wav")
    write(tmp_path / "p.wav", channels=2)
    code, out, err = outcome(capsys, "predict", "r.wav", "--playback", "p.wav", *arguments)
    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    assert line in err
    assert err.count("\n") == 1
    assert left_in(tmp_path) == ["p.wav", "r.wav"]


def test_dataset_info_lists_what_is_in_it(capsys, tiny_dataset):
    code, out, _ = outcome(capsys, "dataset", "info", tiny_dataset)
    assert code == 0
    assert "6 takes, 10.8 s, 48000 Hz, layout 'takes'" in out.splitlines()[0]
    rows = [line.split() for line in out.splitlines()]
    assert ["subject", "s1", "3.6", "s"] in rows
    assert ["genre", "jazz", "5.4", "s"] in rows
    code, out, _ = outcome(capsys, "dataset", "info", tiny_dataset, "--json")
    assert json.loads(out)["take_count"] == 6


def test_dataset_validate_exits_with_1_and_names_the_file(capsys, tiny_dataset):
    code, out, _ = outcome(capsys, "dataset", "validate", tiny_dataset)
    assert (code, out) == (0, f"{tiny_dataset}: 6 takes, sound\n")
    (tiny_dataset / "takes" / "s1-a" / "pose.npz").write_bytes(b"broken")
    code, out, _ = outcome(capsys, "dataset", "validate", tiny_dataset)
    assert code == 1
    assert out.startswith("s1-a: ")
    assert "pose.npz" in out
    assert out.endswith(f"{tiny_dataset}: 6 takes, 1 problems in 1 places\n")


def test_simulate_answers_an_unknown_key_with_one_line(capsys, tmp_path):
    (tmp_path / "a.toml").write_text("secnds = 3\n")
    code, out, err = outcome(capsys, "simulate", tmp_path / "a.toml", "--out", tmp_path / "data")
    assert (code, out) == (2, "")
    assert err == f"error: {tmp_path}/a.toml: unknown key 'secnds'; did you mean 'seconds'?\n"
    assert left_in(tmp_path) == ["a.toml"]


def test_simulate_answers_an_unknown_signal_source_with_one_line(capsys, tmp_path):
    (tmp_path / "a.toml").write_text('[[tracks]]\nname = "x"\nsource = "generated-musik"\n')
    code, out, err = outcome(capsys, "simulate", tmp_path / "a.toml", "--out", tmp_path / "data")
    assert (code, out) == (2, "")
    assert "did you mean 'generated-music'?" in err
    assert left_in(tmp_path) == ["a.toml"]


def test_simulate_refuses_a_folder_that_holds_something_else(capsys, tiny_dataset, tmp_path):
    (tmp_path / "a.toml").write_text("seconds = 1\n")
    before = left_in(tiny_dataset)
    code, _, err = outcome(capsys, "simulate", tmp_path / "a.toml", "--out", tiny_dataset)
    assert code == 2
    assert err.splitlines()[-1].startswith(f"error: {tiny_dataset}: ")
    assert left_in(tiny_dataset) == before


def test_demo_with_an_unknown_model_leaves_nothing_behind(capsys, tmp_path):
    code, out, err = outcome(capsys, "demo", "--out", tmp_path / "a" / "demo", "--model", "no-such")
    assert (code, out) == (2, "")
    assert err.splitlines()[-1].startswith("error: no-such: no such run folder, model file or")
    assert left_in(tmp_path) == []


@pytest.mark.slow
def test_demo_goes_the_whole_way_and_predict_repeats_it(capsys, trained, tmp_path):
    out_folder = tmp_path / "demo"
    code, out, err = outcome(
        capsys,
        *("demo", "--out", out_folder, "--seconds", "1", "--seed", "3"),
        *("--model", trained / "run"),
    )
    assert code == 0
    assert "simulating 1 s" in err
    written = ["playback.wav", "pose.npz", "recording.wav", "report.html"]
    assert left_in(out_folder) == written
    assert not [path for path in tmp_path.iterdir() if "partial" in path.name]
    rows = [line.split() for line in out.splitlines()]
    assert ["estimate", "RMSE", "MAE", "PCKh@0.5"] in rows
    mean_pose = next(row for row in rows if row[:2] == ["mean", "pose"])
    model = next(row for row in rows if row[:1] == ["model"])
    assert all(0 <= float(value) < 100 for value in (*mean_pose[2:], *model[1:]))
    assert out.splitlines()[-1] == f"report: {out_folder}/report.html"
    code, _, _ = outcome(
        capsys,
        *("predict", out_folder / "recording.wav", "--playback", out_folder / "playback.wav"),
        *("--model", trained / "run", "--out", tmp_path / "again.npz"),
    )
    assert code == 0
    first = np.load(out_folder / "pose.npz")["joints"]
    again = np.load(tmp_path / "again.npz")["joints"]
    assert first.shape == (20, 21, 3)
    np.testing.assert_allclose(again, first, atol=5e-2)  # 24-bit files; poses reach 6


def test_without_a_model_the_shipped_one_is_taken(monkeypatch):
    def ship(*names):
        models = {name: Path(f"{name}.safetensors") for name in names}
        monkeypatch.setattr(
            "acoustic_sense.inference.shipped_models", lambda: models, raising=False
        )

    ship("other", "small")
    assert chosen_model("") == "small"
    assert chosen_model("mine") == "mine"
    ship("other")
    assert chosen_model("") == "other"
    ship()
    with pytest.raises(ModelError, match="no model ships with this installation; name one with"):
        chosen_model("")
