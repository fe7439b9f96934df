"""Training runs: reproducible, resumable, better than the mean pose, and clear when refused."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from acoustic_sense.errors import ConfigError, DatasetError, ModelError
from acoustic_sense.inference import load_model, load_pipeline
from acoustic_sense.inference.model_files import read_tensors
from acoustic_sense.training import TrainConfig, evaluate, load_train_config, train
from acoustic_sense.training.averaging import WeightAverage, measure_batch_norm
from acoustic_sense.training.checkpoints import CHECKPOINT_PATH
from acoustic_sense.training.history import read_history
from acoustic_sense.training.preparation import prepare

ENCODER = {"name": "bgm2pose-fa", "config": {"width": 0.0625}}


def config_for(dataset: Path, **training) -> TrainConfig:
    settings = {"epochs": 3, "batch_size": 4, "average_last_epochs": 2, **training}
    return TrainConfig.model_validate(
        {
            "data": {"path": str(dataset), "protocol": "leave-one-subject-out"},
            "encoder": ENCODER,
            "objectives": [{"name": "bgm2pose-cpe"}],
            "training": settings,
        }
    )


@pytest.fixture(scope="module")
def tiny_dataset(shared_dataset):
    return shared_dataset


@pytest.fixture(scope="module")
def run(tiny_dataset, tmp_path_factory):
    return train(config_for(tiny_dataset), tmp_path_factory.mktemp("module") / "run")


def test_same_config_and_seed_give_the_same_bytes_and_another_seed_others(
    run, tiny_dataset, tmp_path
):
    torch.manual_seed(123)  # the global state must not matter
    state = torch.get_rng_state()
    again = train(config_for(tiny_dataset), tmp_path / "again")
    assert torch.equal(torch.get_rng_state(), state)
    assert again.model.read_bytes() == run.model.read_bytes()
    other = train(config_for(tiny_dataset, seed=1), tmp_path / "other")
    assert other.model.read_bytes() != run.model.read_bytes()


_TRAIN_AND_DIE = """
import os, signal, sys
from pathlib import Path
import torch
from acoustic_sense.training import load_train_config, train

torch.set_num_threads(1)
seen = 0

def die(progress):
    global seen
    seen += progress.stage == "training"
    if seen == int(sys.argv[3]):
        os.kill(os.getpid(), signal.SIGKILL)

train(load_train_config(Path(sys.argv[1])), Path(sys.argv[2]), resume=True, on_progress=die)
"""


def test_killed_and_resumed_run_equals_an_uninterrupted_one(run, tiny_dataset, tmp_path):
    config, out = config_for(tiny_dataset), tmp_path / "killed"
    per_epoch = 3
    file = run.folder / "config.toml"
    for batches in (2, per_epoch + 1):  # before the first checkpoint, and after it
        command = [sys.executable, "-c", _TRAIN_AND_DIE, file, out, str(batches)]
        assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
    assert len(read_history(out / "history.csv")) == 1
    resumed = train(config, out, resume=True)
    assert resumed.model.read_bytes() == run.model.read_bytes()
    assert resumed.history == run.history
    assert train(config, out, resume=True).model.read_bytes() == run.model.read_bytes()
    assert not list(out.rglob(".partial*"))


def test_run_folder_holds_what_it_promises(run, tiny_dataset):
    names = {path.name for path in run.folder.iterdir()}
    assert names == {
        "config.toml",
        "model.safetensors",
        "history.csv",
        "metrics.json",
        "checkpoints",
    }
    assert load_train_config(run.folder / "config.toml") == config_for(tiny_dataset)
    assert read_history(run.folder / "history.csv") == run.history
    assert json.loads((run.folder / "metrics.json").read_text())["epochs"] == 3
    card = load_model(run.folder).card
    assert card["training"]["subjects"] == ["s0", "s1"]
    assert str(tiny_dataset.parent) not in json.dumps(card)


def test_an_objective_that_reads_the_prediction_is_trained_and_trains(tiny_dataset, tmp_path):
    models = []
    for weight in (0.0, 1.0):
        config = config_for(tiny_dataset, epochs=1, gradient_clip=0.0).model_dump()
        settings = {"weight": weight, "ramp_steps": 0}
        config["objectives"] = [{"name": "motion-adversary", "config": settings}]
        result = train(TrainConfig.model_validate(config), tmp_path / str(weight))
        assert (result.history[0]["motion-adversary"] > 0) == (weight > 0)
        models.append(read_tensors(result.model))
    assert any(not torch.equal(value, models[1][name]) for name, value in models[0].items())


def test_learning_rate_falls_as_a_cosine(run):
    rates = [row["learning_rate"] for row in run.history]
    assert rates == sorted(rates, reverse=True)
    assert 0.001 < rates[-1] < 0.0015


def test_training_learns_what_the_sound_says(tiny_dataset, tmp_path):
    config = TrainConfig.model_validate(
        {
            "data": {"path": str(tiny_dataset), "protocol": "leave-one-subject-out"},
            "encoder": ENCODER,
            "task": {"name": "pose", "config": {"smoothness_weight": 1.0}},
            "training": {"epochs": 25, "batch_size": 4},
        }
    )
    result = train(config, tmp_path / "run")
    evaluation = evaluate(result.folder, tiny_dataset, nearest_neighbour=True)
    assert evaluation.takes == ("s2-a", "s2-b")
    assert evaluation.seen_subjects == ()
    assert evaluation.relative_rmse < 0.7
    assert set(evaluation.scores) == {"model", "mean_pose", "nearest_neighbour"}


def test_untrained_model_predicts_nearly_the_mean_pose(tiny_dataset, tmp_path):
    config = config_for(tiny_dataset, epochs=1, learning_rate=1e-12, final_learning_rate=1e-12)
    result = train(config, tmp_path / "run")
    evaluation = evaluate(result.folder, tiny_dataset)
    assert evaluation.relative_rmse == pytest.approx(1.0, abs=0.05)


def test_evaluation_breaks_down_and_saves(run, tiny_dataset, tmp_path):
    evaluation = evaluate(load_model(run.folder), tiny_dataset, "all")
    assert evaluation.frames == 6 * 36
    assert evaluation.seen_subjects == ("s0", "s1")
    assert sum(group.frames for group in evaluation.per_activity.values()) == evaluation.frames
    assert set(evaluation.per_take) == set(evaluation.takes)
    squares = [g.frames * g.scores["model"]["rmse"] ** 2 for g in evaluation.per_take.values()]
    overall = np.sqrt(sum(squares) / evaluation.frames)
    assert evaluation.scores["model"]["rmse"] == pytest.approx(overall)
    assert {"rmse", "mae", "pckh@0.5", "rmse/arm"} <= set(evaluation.scores["model"])
    evaluation.save(tmp_path / "e.json")
    assert json.loads((tmp_path / "e.json").read_text())["frames"] == 6 * 36


def test_other_protocol_keeps_the_held_out_subject(tiny_dataset, tmp_path):
    data = config_for(tiny_dataset, epochs=1).model_dump()
    data["data"]["protocol"] = {"name": "leave-one-subject-out", "test_subjects": ("s1",)}
    result = train(TrainConfig.model_validate(data), tmp_path / "run")
    assert evaluate(result.folder, tiny_dataset).takes == ("s1-a", "s1-b")
    assert evaluate(result.folder, tiny_dataset, "cross-music").takes == ("s1-b",)
    assert evaluate(result.folder, tiny_dataset, takes=["s2-a"]).takes == ("s2-a",)


def test_validation_is_watched_each_epoch(tiny_dataset, tmp_path):
    data = config_for(tiny_dataset).model_dump()
    data["data"]["protocol"]["validation_subjects"] = ("s1",)
    result = train(TrainConfig.model_validate(data), tmp_path / "run")
    assert all("validation/rmse" in row for row in result.history)
    assert "rmse" in result.metrics["validation"]


@pytest.mark.parametrize("change", [{"normalisation": "track"}, {"precision": "bf16"}])
def test_settings_train_and_evaluate(tiny_dataset, tmp_path, change):
    result = train(config_for(tiny_dataset, epochs=1, **change), tmp_path / "run")
    assert np.isfinite(evaluate(result.folder, tiny_dataset).scores["model"]["rmse"])


def test_augmentation_changes_training_only(tiny_dataset, tmp_path, run):
    jitter = {"level_jitter_db": 2.0, "channel_jitter": 0.1, "noise": 0.1}
    result = train(config_for(tiny_dataset, augmentation=jitter), tmp_path / "jitter")
    assert result.model.read_bytes() != run.model.read_bytes()
    plain, varied = load_pipeline(run.folder).model, load_pipeline(result.folder).model
    assert torch.equal(plain.feature_mean, varied.feature_mean)


def test_time_budget_stops_early_with_the_learning_rate_fallen(tiny_dataset, tmp_path):
    config = config_for(tiny_dataset, epochs=10_000, time_budget_minutes=1.5 / 60)
    start = time.monotonic()
    result = train(config, tmp_path / "run")
    assert time.monotonic() - start < 30
    assert 1 <= len(result.history) < 10_000
    assert result.history[-1]["learning_rate"] < 0.0012
    resumed = train(config, tmp_path / "run", resume=True)
    assert resumed.model.read_bytes() == result.model.read_bytes()


def test_initialising_from_a_model_takes_its_weights(run, tiny_dataset, tmp_path):
    frozen = config_for(
        tiny_dataset, epochs=1, seed=9, learning_rate=1e-12, final_learning_rate=1e-12
    )
    started = train(frozen, tmp_path / "started", init_from=run.folder)
    old, new = load_pipeline(run.folder).model, load_pipeline(started.folder).model
    for (name, before), after in zip(old.named_parameters(), new.parameters(), strict=True):
        torch.testing.assert_close(before, after, msg=name)
    assert load_model(started.folder).card["training"]["initialised_from"] == "run"


def test_initialising_from_another_width_is_refused(run, tiny_dataset, tmp_path):
    data = config_for(tiny_dataset).model_dump()
    data["encoder"]["config"]["width"] = 0.125
    data["task"] = {"name": "pose"}
    with pytest.raises(ModelError, match="tensors fit encoder"):
        train(TrainConfig.model_validate(data), tmp_path / "other", init_from=run.folder)


def test_run_is_never_overwritten(run, tiny_dataset):
    with pytest.raises(ConfigError, match="holds a run already"):
        train(config_for(tiny_dataset), run.folder)
    with pytest.raises(ConfigError, match="another configuration"):
        train(config_for(tiny_dataset, epochs=4), run.folder, resume=True)


def test_folder_with_other_files_is_refused(tiny_dataset, tmp_path):
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "thesis.txt").write_text("x")
    with pytest.raises(ConfigError, match="holds other files"):
        train(config_for(tiny_dataset), tmp_path / "work")


def test_pickled_checkpoint_is_refused(tiny_dataset, tmp_path):
    config, out = config_for(tiny_dataset, epochs=1), tmp_path / "run"
    train(config, out)
    torch.save({"acoustic_sense": Path("x")}, out / CHECKPOINT_PATH)
    with pytest.raises(ModelError, match="not a checkpoint to resume from"):
        train(config, out, resume=True)


def test_failing_run_leaves_nothing_behind(tmp_path):
    with pytest.raises(DatasetError, match="no such folder"):
        train(config_for(tmp_path / "nothing"), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_ampl_trains_on_its_stored_features(tmp_path):
    generator = np.random.default_rng(0)
    root = tmp_path / "dataset_spec_2400"
    (root / "music_with_intensity").mkdir(parents=True)
    lines = ["sound_path,label,testee,music_type,spec_duration,joint_path"]
    for subject in (0, 8):
        for index in range(4):
            stem = f"subject_{subject}_arnor_{index}_0.6"
            sound = f"music_with_intensity/{stem}_music_intensity.npy"
            joint = f"music_with_intensity/joint_pos_{stem}.npy"
            np.save(root / sound, generator.normal(size=(15, 128, 12)).astype(np.float32))
            pose = np.abs(generator.normal(size=(12, 21, 3))).astype(np.float32)
            np.save(root / joint, (pose - pose[:, :1]).reshape(12, 63))
            lines.append(
                f"/x/dataset_spec_2400/{sound},0,subject_{subject},arnor,0.6,"
                f"/x/dataset_spec_2400/{joint}"
            )
    (root / "music_intensity.csv").write_text("\n".join(lines) + "\n")
    result = train(config_for(tmp_path, epochs=1, batch_size=2), tmp_path / "run")
    assert np.isfinite(evaluate(result.folder, root).scores["model"]["rmse"])


def test_mean_of_the_last_weights_is_their_mean():
    layer = torch.nn.Linear(3, 2)
    average, kept = WeightAverage(3), []
    for number in range(5):
        with torch.no_grad():
            layer.weight.fill_(number**2)
        kept.append(float(number**2))
        average.add(layer)
    expected = torch.full((2, 3), sum(kept[-3:]) / 3)
    torch.testing.assert_close(average.mean()["weight"], expected)


def test_batch_norm_is_measured_at_the_averaged_weights(run, tiny_dataset):
    ready = prepare(config_for(tiny_dataset))
    model = ready.pipeline.model
    assert measure_batch_norm(model, ready.final_epoch()) > 0
    kind = torch.nn.modules.batchnorm._BatchNorm
    first = next(module for module in model.modules() if isinstance(module, kind))
    seen = []
    hook = first.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    model.eval()
    with torch.no_grad():
        for batch in ready.final_epoch():
            model.encoder(batch.features)
    hook.remove()
    axes = [axis for axis in range(seen[0].ndim) if axis != 1]
    expected = torch.stack([values.mean(axes) for values in seen]).mean(0)
    torch.testing.assert_close(first.running_mean, expected, atol=1e-5, rtol=1e-4)
    assert first.momentum == 0.1
