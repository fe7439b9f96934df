"""The report of a comparison: page and plots, with and without runs and data at hand."""

import base64
import io
import json
import re
import shutil
from html.parser import HTMLParser

import numpy as np
import pytest
import soundfile

from acoustic_sense.benchmarking import run_plan, write_benchmark_report
from acoustic_sense.constants import JOINT_NAMES
from acoustic_sense.datasets import open_dataset
from acoustic_sense.inference import load_model
from acoustic_sense.metrics import normalise_pose

PLAIN = "noise/apart/plain/seed-0"
VOID = {"meta", "img", "input", "br"}


class Page(HTMLParser):
    """Collects elements, and checks that every element is closed in order."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.open = [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture(scope="module")
def page(finished, tmp_path_factory):
    """The page with clips."""
    out = shutil.copytree(finished, tmp_path_factory.mktemp("report") / "out")
    return write_benchmark_report(out).page.read_text()


@pytest.fixture
def cells_only(out):
    """The cells and nothing else."""
    shutil.rmtree(out / "runs")
    (out / "plan.json").unlink()
    return out


def change(out, name, edit):
    path = out / "cells" / f"{name}.json"
    data = json.loads(path.read_text())
    edit(data)
    path.write_text(json.dumps(data))


def rows_of(page, corner):
    """The rows of the table whose first heading this is, as texts."""
    table = re.search(rf'<tr><th scope="col">{corner}</th>.*?</table>', page)[0]
    return [
        [re.sub("<.*?>", "", cell) for cell in re.findall(r"<t[hd].*?</t[hd]>", row)]
        for row in re.findall("<tr>.*?</tr>", table)
    ]


def test_cells_alone_make_tables_plots_and_page(cells_only, finished):
    written = write_benchmark_report(cells_only)
    text = written.page.read_text()
    Page(text)
    assert "Cells: 4; without plan.json it is not known how many are missing." in text
    assert text.count("its training run is not in the folder") == 1
    assert "<audio" not in text
    assert "Cells: 4; without plan.json" in written.tables.read_text()
    names = ["rmse", "learning", "activities", "joints"]
    assert [path.name for path in written.plots] == [f"noise-apart-{name}.png" for name in names]
    for path in written.plots:
        assert path.read_bytes().startswith(b"\x89PNG")
        assert path.stat().st_size < 100_000


def test_same_cells_give_the_same_bytes(cells_only):
    first = write_benchmark_report(cells_only)
    before = {path: path.read_bytes() for path in (*first.plots, first.page, first.tables)}
    write_benchmark_report(cells_only)
    assert {path: path.read_bytes() for path in before} == before


def test_table_and_errors_by_joint_and_activity_hold_literal_means(page, finished, read):
    both = [read(finished, f"noise/apart/plain/seed-{seed}") for seed in (0, 1)]

    def text(values):
        return f"{np.mean(values):.3f} ± {np.std(values, ddof=1):.3f}"

    plain = next(row for row in rows_of(page, "method") if row[0] == "plain")
    assert plain[2] == text([each.scores["method"]["rmse"] for each in both])
    head, *joints = rows_of(page, "Joint")
    assert head == ["Joint", "mean-pose", "nearest-neighbour", "plain"]
    assert [row[0] for row in joints] == list(JOINT_NAMES)
    for name, *_, found in joints:
        assert found == text([each.scores["method"][f"rmse/{name}"] for each in both])
    _, *activities = rows_of(page, "Activity")
    assert [row[0] for row in activities] == ["lower", "raise"]
    for name, *_, found in activities:
        values = [each.activities[name].scores["method"]["rmse"] for each in both]
        assert found == text(values)


def test_bars_are_as_long_as_their_figures(page):
    table = re.search(r'<tr><th scope="col">method</th>.*?</table>', page)[0]
    rows = re.findall(r"<td>(\d\.\d+)[^<]*<span class=.rail.[^>]*><i style=.width:([\d.]+)%", table)
    assert len(rows) == 3
    scales = [float(width) / float(value) for value, width in rows]
    np.testing.assert_allclose(scales, scales[0], rtol=2e-3)


def test_clips_are_those_of_a_literal_ranking(page, finished, folder):
    model = load_model(next((finished / "runs/noise/plain").glob("seed-0-*[0-9a-f]")))
    dataset = open_dataset(folder / "tiny")
    found = []
    for name in ("s2-a", "s2-b"):
        take = dataset.read_take(name)
        error = model.predict(take.recording, take.playback).astype(float)
        error -= normalise_pose(dataset.pose_targets(name).astype(float))
        for first in (0, 12, 24):  # 36 frames
            squares = [float(x) ** 2 for x in error[first : first + 12].ravel()]
            found.append(((sum(squares) / len(squares)) ** 0.5, name, first / 20))
    found.sort()
    for which, (rmse, name, seconds) in (
        ("best", found[0]),
        ("median", found[2]),
        ("worst", found[5]),
    ):
        line = re.search(rf"seed 0: {which} clip</h3><p class=.change.>(.*?)</p>", page)[1]
        assert line.startswith(f"take {name}, {seconds:.1f} s, RMSE ")
        assert float(line.split()[-1]) == pytest.approx(rmse, abs=2e-3)


def test_clips_can_be_played_and_every_player_has_its_own_controls(page):
    parsed = Page(page)
    prefixes = [a["data-player"] for _, a in parsed.elements if "data-player" in a]
    assert prefixes == [f"clip-1-{which}-" for which in ("best", "median", "worst")]
    identities = [a["id"] for _, a in parsed.elements if a.get("id")]
    assert len(identities) == len(set(identities))
    asked = set(re.findall(r'element\("([\w-]+)"\)', page[page.rindex("<script>") :]))
    assert asked >= {"play", "scrub", "figures", "player-data"}
    for prefix in prefixes:
        assert {prefix + name for name in (*asked, "recording", "playback")} <= set(identities)
        data = json.loads(re.search(rf'id="{prefix}player-data">(.*?)</script>', page)[1])
        sounds = re.findall(rf'id="{prefix}(?:recording|playback)".*?base64,([^"]+)"', page)
        assert len(sounds) == 2
        for sound in sounds:
            samples, rate_hz = soundfile.read(io.BytesIO(base64.b64decode(sound)))
            assert len(samples) / rate_hz == pytest.approx(data["frames"] / 20, abs=0.01)


def test_page_needs_no_network_and_says_what_pictures_show(page):
    parsed = Page(page)
    for _, attributes in parsed.elements:
        for name in ("src", "href"):
            assert (attributes.get(name) or "#").startswith(("data:", "#"))
    assert not re.search(r"@import|url\(\s*['\"]?(?!data:|#)", page)
    assert "prefers-color-scheme: dark" in page
    assert all(image["alt"] for image in parsed.all("img"))
    drawn = [a for a in parsed.all("svg") + parsed.all("canvas") if a.get("role") == "img"]
    assert drawn
    assert all(a["aria-label"] for a in drawn)


def test_cells_from_before_errors_of_joints_make_a_report(out):
    def forget(data):
        for scores in data["scores"].values():
            for joint in JOINT_NAMES:
                del scores[f"rmse/{joint}"]

    write_benchmark_report(out)
    for method, seeds in (("mean-pose", 1), ("nearest-neighbour", 1), ("plain", 2)):
        for seed in range(seeds):
            change(out, f"noise/apart/{method}/seed-{seed}", forget)
    shutil.rmtree(out / "runs")
    written = write_benchmark_report(out)
    assert "cells that are run anew do" in written.page.read_text()
    assert "by joint" not in written.tables.read_text()
    assert not (out / "plots" / "noise-apart-joints.png").exists()


def test_training_that_was_cut_short_says_so_on_the_page(cells_only):
    change(cells_only, PLAIN, lambda data: data.update(cut_short=True))
    text = write_benchmark_report(cells_only).page.read_text()
    assert "plain * (cut short)" in text
    assert "Trainings that a time budget ended early: 1." in text


def test_another_dataset_than_the_cells_is_not_shown(out, tiny_dataset, outcome_of):
    (tiny_dataset / "manifest.sha256").write_text("other bytes\n")
    code, printed, _ = outcome_of("benchmark", "report", out, "--data", f"noise={tiny_dataset}")
    assert code == 0
    assert f"plots: 4 in {out}/plots" in printed
    text = (out / "report.html").read_text()
    assert "the dataset &#x27;tiny&#x27; is not the one that it was tested on" in text
    assert "<audio" not in text


def test_page_of_references_alone_has_no_player(folder, tmp_path, plan_of):
    run_plan(plan_of(folder, tmp_path / "out", only="mean-pose"))
    text = write_benchmark_report(tmp_path / "out").page.read_text()
    assert "Cells done: 1 of 4." in text
    assert "<script" not in text


def test_names_from_a_configuration_are_escaped(cells_only):
    def rename(data):
        data["config"]["method"] = "<b>plain"

    change(cells_only, PLAIN, rename)
    shutil.rmtree(cells_only / "cells/noise/apart/nearest-neighbour")
    (cells_only / "cells/noise/apart/<b>plain").mkdir()
    (cells_only / "cells" / f"{PLAIN}.json").rename(
        cells_only / "cells/noise/apart/<b>plain/seed-0.json"
    )
    text = write_benchmark_report(cells_only).page.read_text()
    assert "&lt;b&gt;plain" in text
    assert "<b>plain" not in text
