"""Tables of a comparison against literal means."""

import json
import re
import shutil

import numpy as np
import pytest

from acoustic_sense.benchmarking import write_tables
from acoustic_sense.errors import DatasetError

PLAIN = "noise/apart/plain/seed-0"


def cells_of(line):
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_table_holds_literal_means_and_deviations(out):
    text = write_tables(out).read_text()
    lines = text.split("## noise: apart")[1].splitlines()
    head = cells_of(next(line for line in lines if line.startswith("| method | seeds")))
    row = dict(zip(head, cells_of(next(x for x in lines if x.startswith("| plain"))), strict=True))
    both = [
        json.loads((out / f"cells/noise/apart/plain/seed-{s}.json").read_text()) for s in (0, 1)
    ]
    assert row["seeds"] == "2"
    for metric, name in (("rmse", "RMSE"), ("mae", "MAE"), ("pckh@0.5", "PCKh@0.5")):
        a, b = (each["scores"]["method"][metric] for each in both)
        middle = (a + b) / 2
        deviation = ((a - middle) ** 2 + (b - middle) ** 2) ** 0.5  # over n - 1 = 1
        assert row[name] == f"{middle:.3f} ± {deviation:.3f}"
    a, b = (e["scores"]["method"]["rmse"] / e["scores"]["mean_pose"]["rmse"] for e in both)
    assert row["relative RMSE"] == f"{(a + b) / 2:.3f} ± {abs(a - b) / np.sqrt(2):.3f}"
    assert row["parameters"] == f"{both[0]['parameters']:,}"
    minutes = (both[0]["train_seconds"] + both[1]["train_seconds"]) / 120
    assert row["training, min"] == f"{minutes:.1f}"
    clip_ms = (both[0]["inference_ms"]["total"] + both[1]["inference_ms"]["total"]) / 2
    assert row["a clip, ms"] == f"{clip_ms:.1f}"


def test_tables_by_part_and_activity_hold_literal_means(out):
    text = write_tables(out).read_text()
    both = [
        json.loads((out / f"cells/noise/apart/plain/seed-{s}.json").read_text()) for s in (0, 1)
    ]
    arm = np.mean([each["scores"]["method"]["rmse/arm"] for each in both])
    up = np.mean([each["activities"]["raise"]["scores"]["method"]["rmse"] for each in both])
    for title, column, value in (("by part", "arm", arm), ("by activity", "raise", up)):
        head, _, *rows = re.search(rf"RMSE {title}.*:\n\n((?:\|.*\n)+)", text)[1].splitlines()
        found = {cells_of(row)[0]: cells_of(row) for row in rows}
        assert list(found) == ["mean-pose", "nearest-neighbour", "plain"]
        cell = found["plain"][cells_of(head).index(column)]
        assert cell.startswith(f"{value:.3f} ±")


def test_missing_cells_are_told(out):
    shutil.rmtree(out / "cells/noise/apart/nearest-neighbour")
    (out / "cells/noise/apart/plain/seed-1.json").unlink()
    text = write_tables(out).read_text()
    assert "Cells done: 2 of 4." in text
    assert "| nearest-neighbour | 0 of 1 | - | - | - | - | - | - | - |" in text
    assert "| plain | 1 of 2 |" in text


def test_rejects_a_folder_without_results(tmp_path):
    with pytest.raises(DatasetError, match=r"holds no plan\.json; give the folder of"):
        write_tables(tmp_path)


def test_rejects_a_result_that_is_none(folder, out, plan_of):
    path = out / "cells" / f"{PLAIN}.json"
    path.write_text("{}")
    with pytest.raises(DatasetError, match=r"seed-0\.json: not the result of a cell .*delete"):
        plan_of(folder, out)
