"""Fine-tuning: what is frozen stands still, rates fall with depth, statistics are as asked."""

import dataclasses
import json
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from acoustic_sense.contracts import EncoderOutput
from acoustic_sense.datasets import DatasetWriter, open_dataset
from acoustic_sense.errors import ConfigError, DatasetError, ModelError
from acoustic_sense.inference import load_model, load_pipeline
from acoustic_sense.training import FeatureStore, TrainConfig, evaluate, load_train_config, train
from acoustic_sense.training.fine_tuning import depths
from acoustic_sense.training.preparation import prepare
from acoustic_sense.types import Recording

RATE = 1e-3
BRANCH = "encoder.recording_branch"


def config_for(dataset, fine_tuning=None, *, encoder=None, **training) -> TrainConfig:
    settings = {"epochs": 1, "batch_size": 64, "average_last_epochs": 1, **training}
    settings |= {"learning_rate": RATE, "final_learning_rate": RATE}
    settings["fine_tuning"] = fine_tuning or {}
    return TrainConfig.model_validate(
        {
            "data": {"path": str(dataset), "protocol": "leave-one-subject-out"},
            "encoder": {"name": "bgm2pose-fa", "config": {"width": 0.0625, **(encoder or {})}},
            "objectives": [{"name": "bgm2pose-cpe"}],
            "training": settings,
        }
    )


@pytest.fixture(scope="module")
def first(shared_dataset, tmp_path_factory):
    """A model trained on one dataset."""
    return train(config_for(shared_dataset), tmp_path_factory.mktemp("first") / "pretrained")


@pytest.fixture(scope="module")
def target(shared_dataset, tmp_path_factory):
    """The same takes from a microphone that is 20 dB quieter."""
    source = open_dataset(shared_dataset)
    path = tmp_path_factory.mktemp("target") / "quiet"
    with DatasetWriter(path, {"name": "quiet"}) as writer:
        for info in source.takes:
            take = source.read_take(info.id)
            quiet = Recording(0.1 * take.recording.samples, take.recording.sample_rate_hz)
            writer.write_take(dataclasses.replace(take, recording=quiet))
    return path


def states(*runs) -> list[dict[str, torch.Tensor]]:
    return [load_pipeline(run.folder).model.state_dict() for run in runs]


# Frozen parts


def test_frozen_parts_stand_still_with_their_batch_norm_and_others_move(first, target, tmp_path):
    config = config_for(target, {"frozen": [BRANCH, "encoder.fusion.embedding"]}, epochs=2)
    data = config.model_dump()
    data["data"]["protocol"]["validation_subjects"] = ("s1",)  # which predicts between epochs
    run = train(TrainConfig.model_validate(data), tmp_path / "run", init_from=first.folder)
    before, after = states(first, run)
    still = {name for name in before if torch.equal(before[name], after[name])}
    frozen = {name for name in before if name.startswith(BRANCH + ".")}
    assert any(name.endswith("running_mean") for name in frozen)
    assert frozen | {"encoder.fusion.embedding"} <= still
    trained = {name for name in before if name.endswith((".weight", ".running_mean"))} - frozen
    assert not trained & still
    sizes = [before[name].numel() for name, _ in load_pipeline(run.folder).model.named_parameters()]
    assert run.metrics["parameters"] == sum(sizes)
    assert 0 < run.metrics["trained_parameters"] < run.metrics["parameters"]


def test_batch_norm_moves_where_only_its_neighbours_are_frozen(first, shared_dataset, tmp_path):
    config = config_for(shared_dataset, {"frozen": [f"{BRANCH}.0.0"]}, seed=5)
    run = train(config, tmp_path / "run", init_from=first.folder)
    before, after = states(first, run)
    assert torch.equal(before[f"{BRANCH}.0.0.weight"], after[f"{BRANCH}.0.0.weight"])
    assert not torch.equal(before[f"{BRANCH}.0.2.weight"], after[f"{BRANCH}.0.2.weight"])


@pytest.mark.parametrize(
    ("frozen", "message"),
    [
        (["encoder.recoding_branch"], "did you mean 'encoder.recording_branch'"),
        (["encoder.fus"], "no part 'encoder.fus'"),  # whole words only
        (["decoder"], "did you mean 'encoder'"),
        (["zzz"], "its parts: encoder.decoder, encoder.fusion"),
        (["encoder", "task"], "leaves nothing to train"),
    ],
)
def test_parts_that_cannot_be_frozen_are_refused(first, target, tmp_path, frozen, message):
    with pytest.raises(ConfigError, match=message):
        train(config_for(target, {"frozen": frozen}), tmp_path / "run", init_from=first.folder)
    assert not (tmp_path / "run").exists()


def test_settings_without_a_model_to_start_from_are_refused(target, tmp_path):
    config = config_for(target, {"frozen": [BRANCH], "learning_rate_decay": 0.5})
    with pytest.raises(ConfigError, match="frozen, learning_rate_decay without a model"):
        train(config, tmp_path / "run")


# Learning rates


@pytest.mark.parametrize("optimiser", ["adam", "adamw"])
def test_first_step_of_adam_shows_each_stages_rate(first, target, tmp_path, optimiser):
    config = config_for(target, {"learning_rate_decay": 0.5}, optimiser=optimiser)
    config = config.model_copy(update={"objectives": ()})  # which would fill a batch a track
    run = train(config, tmp_path / "run", init_from=first.folder)
    assert run.metrics["train_clips"] <= 64  # a single step, in which Adam moves by the rate
    before, after = states(first, run)
    expected = {
        "task.head": 1.0,
        "encoder.decoder": 0.5,
        "encoder.projection": 0.5**2,
        "encoder.reduction": 0.5**3,
        "encoder.fusion": 0.5**4,
        "encoder.recording_branch": 0.5**5,
        "encoder.playback_branch": 0.5**5,
    }
    for part, factor in expected.items():
        moved = max(
            float((after[name] - before[name]).abs().max())
            for name in before
            if name.startswith(part) and name.endswith((".weight", ".bias"))
        )
        assert moved == pytest.approx(RATE * factor, rel=0.02), part
    assert run.history[-1]["learning_rate"] == pytest.approx(RATE)


def test_new_parts_learn_at_the_full_rate(first, target):
    settings = {"init_from": str(first.folder), "learning_rate_decay": 0.5}
    ready = prepare(config_for(target, settings, encoder={"attention": False}))
    factors = ready.fine_tuning.rate_factors
    assert {factors[n] for n in factors if n.startswith("encoder.fusion")} == {1.0}
    assert {factors[n] for n in factors if n.startswith("encoder.reduction")} == {0.5**3}


class Stacked(nn.Module):
    def __init__(self, stages):
        super().__init__()
        self.stages = stages
        self.token = nn.Parameter(torch.zeros(2))
        self.low, self.flat, self.high = nn.Linear(2, 2), nn.Flatten(), nn.Linear(2, 2)


def test_depth_is_counted_from_the_head_by_stages_or_by_order():
    assert depths(Stacked(())) == {"token": 3, "low": 2, "high": 1}
    assert depths(Stacked((("low", "token"), ("none",), ("high",)))) == {
        "token": 2,
        "low": 2,
        "high": 1,
    }
    with pytest.raises(ModelError, match="Stacked: its stages leave out token, high"):
        depths(Stacked((("low",),)))


def test_stages_of_every_registered_encoder_name_all_parts():
    from acoustic_sense import features
    from acoustic_sense.contracts import FeatureShape
    from acoustic_sense.plugin_loading import load_plugins

    for name in load_plugins().encoders:
        kind = load_plugins().encoders[name]
        feature = features.create(kind.default_feature)
        made = kind(None, FeatureShape(feature.channel_names, feature.bin_count))
        assert min(depths(made).values()) == 1


# Statistics


def literal_statistics(dataset, takes) -> tuple[np.ndarray, np.ndarray]:
    store = FeatureStore(open_dataset(dataset), "mel-stack")
    frames = [np.asarray(store.frames(take), dtype=np.float64) for take in takes]
    values = np.concatenate(frames, axis=1)
    return values.mean(axis=(1, 2)), values.std(axis=(1, 2))


TRAINING = ("s0-a", "s0-b", "s1-a", "s1-b")


@pytest.mark.parametrize(
    ("fine_tuning", "sources"),
    [
        ({}, {"recording": ("target", TRAINING), "playback": ("target", TRAINING)}),
        (
            {"normalisation": "keep"},
            {"recording": ("first", TRAINING), "playback": ("first", TRAINING)},
        ),
        (
            {"normalisation": "calibration", "calibration_take": "s1-b"},
            {"recording": ("target", ("s1-b",)), "playback": ("target", TRAINING)},
        ),
    ],
    ids=["target", "keep", "calibration"],
)
def test_channels_are_normalised_by_whom_was_asked(
    first, target, shared_dataset, fine_tuning, sources
):
    settings = {"init_from": str(first.folder), **fine_tuning}
    plain = {"random_start": False}
    ready = prepare(config_for(target, settings, augmentation=plain))
    model = ready.pipeline.model
    folders = {"first": shared_dataset, "target": target}
    measured = {
        kind: literal_statistics(folders[name], takes) for kind, (name, takes) in sources.items()
    }
    for channel, name in enumerate(ready.pipeline.description.channel_names):
        kind = "playback" if "playback" in name else "recording"
        mean, deviation = (values[channel] for values in measured[kind])
        np.testing.assert_allclose(model.feature_mean[channel].numpy(), mean, rtol=1e-4, atol=1e-6)
        np.testing.assert_allclose(model.feature_deviation[channel].numpy(), deviation, rtol=1e-3)
    store = FeatureStore(open_dataset(target), "mel-stack")
    batch = next(iter(ready.open_epoch(0, 0, 1)))
    take, start = int(batch.take[0]), 12 * int(batch.segment[0])
    raw = torch.from_numpy(np.array(store.frames(TRAINING[take])[:, start : start + 12]))
    expected = (raw - model.feature_mean[:, None]) / model.feature_deviation[:, None]
    torch.testing.assert_close(batch.features[0], expected, atol=1e-4, rtol=1e-4)


def test_calibration_by_bins_shares_one_deviation_of_all_levels(shared_dataset, target, tmp_path):
    pretrained = train(
        config_for(shared_dataset, normalisation="train-bins"), tmp_path / "pretrained"
    )
    settings = {
        "init_from": str(pretrained.folder),
        "normalisation": "calibration",
        "calibration_take": "s0-a",
    }
    ready = prepare(config_for(target, settings, normalisation="train-bins"))
    store = FeatureStore(open_dataset(target), "mel-stack")
    all_takes = np.concatenate([store.frames(take) for take in TRAINING], axis=1).astype(float)
    one = np.asarray(store.frames("s0-a"), dtype=float)
    model = ready.pipeline.model
    np.testing.assert_allclose(model.feature_mean[:4].numpy(), one[:4].mean(axis=1), rtol=1e-4)
    np.testing.assert_allclose(
        model.feature_mean[4:6].numpy(), all_takes[4:6].mean(axis=1), rtol=1e-4
    )
    variance = np.concatenate([one[:4].var(axis=1), all_takes[4:6].var(axis=1)]).mean()
    np.testing.assert_allclose(model.feature_deviation[:6].numpy(), variance**0.5, rtol=1e-4)


@pytest.mark.parametrize("normalisation", ["keep", "calibration"])
def test_statistics_that_no_model_stores_are_refused(first, target, tmp_path, normalisation):
    settings = {"normalisation": normalisation}
    if normalisation == "calibration":
        settings["calibration_take"] = "s0-a"
    config = config_for(target, settings, normalisation="track")
    with pytest.raises(ConfigError, match=r"set training\.normalisation to 'train'"):
        train(config, tmp_path / "run", init_from=first.folder)


def test_keeping_statistics_of_another_kind_is_refused(first, target, tmp_path):
    config = config_for(target, {"normalisation": "keep"}, normalisation="train-bins")
    with pytest.raises(ConfigError, match="was trained with normalisation = 'train'"):
        train(config, tmp_path / "run", init_from=first.folder)


@pytest.mark.parametrize(
    ("take", "message"), [("s2-a", "is a test take"), ("s0-aa", "did you mean 's0-a'")]
)
def test_unfit_calibration_takes_are_refused(first, target, tmp_path, take, message):
    config = config_for(target, {"normalisation": "calibration", "calibration_take": take})
    with pytest.raises(DatasetError, match=message):
        train(config, tmp_path / "run", init_from=first.folder)


def test_calibration_and_its_take_go_together(target):
    for settings in ({"normalisation": "calibration"}, {"calibration_take": "s0-a"}):
        with pytest.raises(ValueError, match="go together"):
            config_for(target, settings)


def test_nearest_neighbour_reads_training_clips_as_it_reads_others(first, target, tmp_path):
    run = train(
        config_for(target, {"normalisation": "keep"}), tmp_path / "run", init_from=first.folder
    )
    found = evaluate(run.folder, target, takes=TRAINING, nearest_neighbour=True)
    assert found.scores["nearest_neighbour"]["rmse"] == pytest.approx(0.0, abs=1e-5)


# The model to start from


def test_model_to_start_from_is_recorded_by_name_and_found_again(first, target, tmp_path):
    started = train(config_for(target, epochs=2), tmp_path / "run", init_from=first.folder)
    assert load_train_config(started.folder / "config.toml").training.fine_tuning.init_from == str(
        first.folder.resolve()
    )
    card = load_model(started.folder).card["training"]
    assert card["initialised_from"] == "pretrained"
    assert card["config"]["training"]["fine_tuning"]["init_from"] == "pretrained"
    assert str(tmp_path.parent) not in json.dumps(card)
    for init_from in (None, first.folder):  # as it was begun, or by what the folder says
        again = train(
            config_for(target, epochs=2), tmp_path / "run", resume=True, init_from=init_from
        )
        assert again.model.read_bytes() == started.model.read_bytes()


def test_model_may_be_named_in_the_configuration(first, target, tmp_path):
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "pretrained").symlink_to(first.folder)
    file = tmp_path / "train.toml"
    file.write_text(
        f'[data]\npath = "{target}"\n[training.fine_tuning]\ninit_from = "runs/pretrained"\n'
    )
    named = load_train_config(file).training.fine_tuning.init_from
    assert named == str(first.folder.resolve())
    file.write_text(f'[data]\npath = "{target}"\n[training.fine_tuning]\ninit_from = "small"\n')
    assert load_train_config(file).training.fine_tuning.init_from == "small"


def test_missing_model_leaves_nothing_behind(target, tmp_path):
    with pytest.raises(ModelError, match="no such run folder"):
        train(config_for(target), tmp_path / "run", init_from=tmp_path / "nothing")
    assert not (tmp_path / "run").exists()


# The whole step


def test_one_step_of_training_reaches_every_parameter(target):
    ready = prepare(config_for(target))
    model, objective = ready.pipeline.model, ready.objectives["bgm2pose-cpe"]
    model.train()
    batch = next(iter(ready.open_epoch(0, 0, 1)))
    output: EncoderOutput = model.encoder(batch.features)
    wanted = model.task.target(batch)
    terms = model.task.loss(model.task(output.latents), wanted)
    (sum(terms.values()) + objective(output, batch, wanted)).backward()
    parts = SimpleNamespace(model=model, objective=objective)
    unreached = [
        f"{part}.{name}"
        for part, module in vars(parts).items()
        for name, parameter in module.named_parameters()
        if parameter.grad is None or not parameter.grad.any()
    ]
    assert unreached == []
