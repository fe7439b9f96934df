"""Normalisation by the constants that AMPL's publisher gives."""

import sys
from pathlib import Path

import numpy as np
import pytest

from acoustic_sense.datasets import open_dataset
from acoustic_sense.errors import DatasetError
from acoustic_sense.inference.model import build_pipeline, describe_model
from acoustic_sense.training.clip_set import ClipSet
from acoustic_sense.training.config import TrainConfig
from acoustic_sense.training.evaluation import take_statistics
from acoustic_sense.training.feature_store import FeatureStore
from acoustic_sense.training.preparation import prepare

sys.path.insert(0, str(Path(__file__).parents[1] / "references"))
from ampl_folder import EVERYBODY, sound_name, write_ampl

STATISTICS = """
jazz -16.957 -18.001 -20.530 -15.928 -19.951 -20.871 .00061 .00098 -.01383
jazz 20.590 17.214 15.243 18.579 28.552 28.647 .01536 .01157 .01887
cirrus -21.438 -21.862 -24.831 -20.684 -21.426 -22.515 .00055 .00031 -.01346
cirrus 21.075 18.123 15.192 18.575 26.828 26.987 .01652 .01142 .01750
arnor -22.348 -22.291 -25.804 -21.671 -31.663 -30.171 -.00008 .00040 -.01121
arnor 21.993 19.654 16.044 19.641 32.622 31.799 .01738 .01113 .01745
mantron -24.252 -24.135 -27.593 -23.682 -35.573 -36.082 .00010 .00019 -.01084
mantron 22.484 20.396 16.392 19.991 35.625 35.554 .01766 .01119 .01710
"""


def test_clips_are_normalised_by_the_published_constants(tmp_path):
    """Against the published table as text; channels 9-14 by the track's own windows."""
    rows = [line.split() for line in STATISTICS.strip().splitlines()]
    published = {
        mean[0]: (np.array(mean[1:], float), np.array(deviation[1:], float))
        for mean, deviation in zip(rows[::2], rows[1::2], strict=True)
    }
    dataset = open_dataset(write_ampl(tmp_path, EVERYBODY))
    clips = ClipSet(FeatureStore(dataset, "mel-stack"), dataset.takes)
    clips.normalise(clips.measure("ampl", FeatureStore(dataset, "mel-stack").feature.channel_names))
    index = clips.grid(12)
    batch = clips.gather(index, np.arange(len(index)))
    assert set(published) == {clips.tracks[track] for track in batch.track}
    for row, track in enumerate(clips.tracks[number] for number in batch.track):
        subject = clips.takes[batch.take[row]].subject.removeprefix("subject_")
        path = tmp_path / "dataset_spec_2400" / sound_name(subject, track, batch.segment[row])
        mean, deviation = published[track]
        expected = (np.load(path)[:9] - mean[:, None, None]) / deviation[:, None, None]
        got = batch.features[row].numpy().transpose(0, 2, 1)
        np.testing.assert_allclose(got[:9], expected, rtol=1e-4, atol=1e-4)
    for track in range(4):
        own = batch.features[batch.track == track, 9:].numpy()
        np.testing.assert_allclose(own.mean(axis=(0, 2, 3)), 0, atol=1e-4)
        np.testing.assert_allclose(own.std(axis=(0, 2, 3)), 1, atol=1e-4)


def config_for(path: Path, **data) -> TrainConfig:
    return TrainConfig.model_validate(
        {
            "data": {"path": str(path), **data},
            "encoder": {"name": "bgm2pose-fa", "config": {"width": 0.125}},
            "training": {"epochs": 1, "batch_size": 2, "normalisation": "ampl", "threads": 1},
        }
    )


def test_published_constants_are_refused_for_other_tracks(tmp_path):
    windows = {("0", "arnor"): (0, 1), ("1", "waltz"): (0, 1), ("2", "jazz"): (0, 1)}
    with pytest.raises(DatasetError, match=r"no statistics of the track 'waltz'.*'track'"):
        prepare(config_for(write_ampl(tmp_path, windows)))


def test_published_constants_are_refused_for_audio(tiny_dataset):
    with pytest.raises(DatasetError, match="no statistics of the track 'a'"):
        prepare(config_for(tiny_dataset))


def test_evaluation_normalises_published_tracks_alone_by_the_constants(tmp_path):
    windows = {("0", "arnor"): (0, 1), ("1", "waltz"): (0, 1)}
    dataset = open_dataset(write_ampl(tmp_path, windows))
    config = config_for(dataset.path)
    pipeline = build_pipeline(
        describe_model(config.feature, config.encoder, config.task, normalisation="ampl")
    )
    clips = ClipSet(FeatureStore(dataset, "mel-stack"), dataset.takes)
    (arnor, deviation), (waltz, _) = take_statistics(pipeline, clips)
    assert arnor[4, 17] == -31.663
    assert deviation[8, 127] == 0.01745
    assert waltz[0, 5] == pytest.approx(11.5)  # the mean of 0 ... 23
