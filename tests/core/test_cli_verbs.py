"""The verbs on small data: what they write and print, and what bad input is answered with."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from acoustic_sense.cli.models import chosen_model
from acoustic_sense.errors import ModelError


def test_train_writes_a_run_and_says_how_to_go_on(trained, left_in):
    written = left_in(trained / "run")
    for name in ("config.toml", "history.csv", "metrics.json", "model.safetensors"):
        assert name in written


def test_train_refuses_a_folder_with_a_run_and_leaves_it_as_it_is(
    capsys, trained, outcome, left_in
):
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
def test_train_answers_a_bad_configuration_with_one_line(
    capsys, tmp_path, old, new, line, TRAIN, outcome, left_in
):
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


def test_train_answers_a_missing_configuration_with_one_line(capsys, tmp_path, outcome, left_in):
    code, _, err = outcome(capsys, "train", tmp_path / "no.toml", "--out", tmp_path / "run")
    assert code == 2
    assert err == f"error: {tmp_path}/no.toml: no such configuration file; check the path\n"
    assert left_in(tmp_path) == []


def test_evaluate_prints_the_mean_pose_beside_the_model_and_writes_json(capsys, trained, outcome):
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


def test_evaluate_as_json_prints_what_it_writes(capsys, trained, tmp_path, outcome):
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
def test_evaluate_answers_bad_input_with_one_line(
    capsys, trained, arguments, line, outcome, left_in
):
    before = left_in(trained)
    code, out, err = outcome(
        capsys, "evaluate", trained / "run", "--data", trained / "data", *arguments
    )
    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    assert line in err
    assert err.count("\n") == 1
    assert left_in(trained) == before


def test_report_writes_one_page(capsys, trained, tmp_path, outcome):
    code, out, _ = outcome(capsys, "report", trained / "run", "--out", tmp_path / "page.html")
    assert code == 0
    assert out == f"report: {tmp_path}/page.html\n"
    assert "<html" in (tmp_path / "page.html").read_text()[:500]


def test_report_answers_a_folder_without_a_run_with_one_line(capsys, tmp_path, outcome, left_in):
    for path, line in ((tmp_path, "holds no history.csv"), (tmp_path / "no", "no such folder")):
        code, _, err = outcome(capsys, "report", path)
        assert code == 2
        assert err.startswith(f"error: {path}: {line}")
        assert err.count("\n") == 1
    assert left_in(tmp_path) == []


def test_dataset_info_lists_what_is_in_it(capsys, tiny_dataset, outcome):
    code, out, _ = outcome(capsys, "dataset", "info", tiny_dataset)
    assert code == 0
    assert "6 takes, 10.8 s, 48000 Hz, layout 'takes'" in out.splitlines()[0]
    rows = [line.split() for line in out.splitlines()]
    assert ["subject", "s1", "3.6", "s"] in rows
    assert ["genre", "jazz", "5.4", "s"] in rows
    code, out, _ = outcome(capsys, "dataset", "info", tiny_dataset, "--json")
    assert json.loads(out)["take_count"] == 6


def test_dataset_validate_exits_with_1_and_names_the_file(capsys, tiny_dataset, outcome):
    code, out, _ = outcome(capsys, "dataset", "validate", tiny_dataset)
    assert (code, out) == (0, f"{tiny_dataset}: 6 takes, sound\n")
    (tiny_dataset / "takes" / "s1-a" / "pose.npz").write_bytes(b"broken")
    code, out, _ = outcome(capsys, "dataset", "validate", tiny_dataset)
    assert code == 1
    assert out.startswith("s1-a: ")
    assert "pose.npz" in out
    assert out.endswith(f"{tiny_dataset}: 6 takes, 1 problems in 1 places\n")


def test_simulate_answers_an_unknown_key_with_one_line(capsys, tmp_path, outcome, left_in):
    (tmp_path / "a.toml").write_text("secnds = 3\n")
    code, out, err = outcome(capsys, "simulate", tmp_path / "a.toml", "--out", tmp_path / "data")
    assert (code, out) == (2, "")
    assert err == f"error: {tmp_path}/a.toml: unknown key 'secnds'; did you mean 'seconds'?\n"
    assert left_in(tmp_path) == ["a.toml"]


def test_simulate_answers_an_unknown_signal_source_with_one_line(
    capsys, tmp_path, outcome, left_in
):
    (tmp_path / "a.toml").write_text('[[tracks]]\nname = "x"\nsource = "generated-musik"\n')
    code, out, err = outcome(capsys, "simulate", tmp_path / "a.toml", "--out", tmp_path / "data")
    assert (code, out) == (2, "")
    assert "did you mean 'generated-music'?" in err
    assert left_in(tmp_path) == ["a.toml"]


def test_simulate_refuses_a_folder_that_holds_something_else(
    capsys, tiny_dataset, tmp_path, outcome, left_in
):
    (tmp_path / "a.toml").write_text("seconds = 1\n")
    before = left_in(tiny_dataset)
    code, _, err = outcome(capsys, "simulate", tmp_path / "a.toml", "--out", tiny_dataset)
    assert code == 2
    assert err.splitlines()[-1].startswith(f"error: {tiny_dataset}: ")
    assert left_in(tiny_dataset) == before


def test_demo_with_an_unknown_model_leaves_nothing_behind(capsys, tmp_path, outcome, left_in):
    code, out, err = outcome(capsys, "demo", "--out", tmp_path / "a" / "demo", "--model", "no-such")
    assert (code, out) == (2, "")
    assert err.splitlines()[-1].startswith("error: no-such: no such run folder, model file or")
    assert left_in(tmp_path) == []


@pytest.mark.slow
def test_demo_goes_the_whole_way_and_predict_repeats_it(
    capsys, trained, tmp_path, outcome, left_in
):
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
