"""The page about a training run."""

import json
from pathlib import Path

import numpy as np
import pytest

from acoustic_sense.errors import DatasetError
from acoustic_sense.metrics import pose_metrics
from acoustic_sense.reporting import report_from_run
from acoustic_sense.training.evaluation import Evaluation, Group

HISTORY = """epoch,learning_rate,loss,pose,validation/rmse,validation/rmse/arm
1,0.003,2.5,2.0,1.25,
2,0.002,1.5,1.0,1.125,1.5
"""


@pytest.fixture
def run(tmp_path: Path) -> Path:
    folder = tmp_path / "run <1>"
    folder.mkdir()
    (folder / "history.csv").write_text(HISTORY)
    (folder / "config.toml").write_text('[encoder]\nname = "bgm2pose-fa"\n')
    metrics = {"train_seconds": 90.0, "parameters": 12345, "validation": {"rmse": 1.125}}
    (folder / "metrics.json").write_text(json.dumps(metrics))
    return folder


def test_shows_curves_numbers_and_settings(run: Path) -> None:
    path = report_from_run(run)
    text = path.read_text(encoding="utf-8")
    assert path == run / "report.html"
    assert text.count("<polyline") == 4  # every column but the parts of the validation
    assert "validation/rmse over 2 epochs: smallest 1.125, last 1.125" in text
    assert "12 345" in text
    assert "1.5 <small>min" in text
    assert "encoder · name" in text
    assert "run &lt;1&gt;" in text
    assert "run <1>" not in text


def test_same_run_gives_same_bytes(run: Path, tmp_path: Path) -> None:
    first = report_from_run(run, tmp_path / "one.html").read_bytes()
    assert report_from_run(run, tmp_path / "two.html").read_bytes() == first


def test_evaluation_becomes_tables(run: Path) -> None:
    target = np.random.default_rng(0).normal(size=(20, 21, 3))
    scores = {"model": pose_metrics(target + 0.25, target)}
    scores["mean_pose"] = pose_metrics(target + 0.5, target)
    group = Group(frames=20, scores=scores)
    Evaluation(
        model="small",
        dataset="a <dataset>",
        protocol="all",
        takes=("one",),
        frames=20,
        seconds=1.0,
        seen_subjects=(),
        scores=scores,
        relative_rmse=0.5,
        per_activity={"walk-in-place": group},
        per_take={"one": group},
    ).save(run / "evaluation-a-all.json")
    text = report_from_run(run).read_text(encoding="utf-8")
    assert text.count("<table>") == 3
    assert text.count('<td class="best">0.250</td><td>0.500</td>') == 2 * (4 + 1 + 1)
    for shown in ("mean pose", "walk in place", "Evaluation on a &lt;dataset&gt;", "relative rmse"):
        assert shown in text


def test_rejects_what_is_no_evaluation(run: Path) -> None:
    (run / "evaluation-x.json").write_text('{"scores": {}}')
    with pytest.raises(DatasetError, match="not an evaluation"):
        report_from_run(run)


def test_run_that_still_trains_has_a_page(run: Path) -> None:
    (run / "metrics.json").unlink()
    (run / "config.toml").unlink()
    assert "<polyline" in report_from_run(run).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "text"),
    [("history.csv", "epoch,loss\n1,low\n"), ("metrics.json", "{"), ("config.toml", "= 3")],
)
def test_names_the_file_that_cannot_be_read(run: Path, name: str, text: str) -> None:
    (run / name).write_text(text)
    with pytest.raises(DatasetError, match=name):
        report_from_run(run)


def test_rejects_a_folder_without_a_run(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"holds no history\.csv"):
        report_from_run(tmp_path)
    with pytest.raises(DatasetError, match="is not a folder"):
        report_from_run(tmp_path / "absent")
