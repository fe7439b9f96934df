"""The page about one take."""

import base64
import io
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
import soundfile

from acoustic_sense.constants import JOINT_PARENTS
from acoustic_sense.errors import DatasetError
from acoustic_sense.metrics import normalise_pose, pose_metrics
from acoustic_sense.reporting import Report, render_report, write_report
from acoustic_sense.types import Playback, PoseTrack, Recording, Scene, Take, TakeInfo

RATE_HZ = 48_000
VOID = {"meta", "img", "input", "br", "link"}


class Page(HTMLParser):
    """Collects elements, and checks that every element is closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def make_report(seconds: float = 2.0, *, scene: bool = True, text: str = "plain") -> Report:
    """A standing person who waves, heard through a decaying echo, and a noisy estimate."""
    generator = np.random.default_rng(7)
    frames = round(seconds * 20)
    offsets = generator.normal(scale=0.15, size=(21, 3))
    rest = np.zeros((21, 3))
    for joint, parent in enumerate(JOINT_PARENTS):
        if parent >= 0:
            rest[joint] = rest[parent] + offsets[joint]
    rest += np.array([3.0, 1.2, 2.5])
    joints = np.repeat(rest[None], frames, axis=0)
    joints[:, 8, 1] += 0.3 * np.sin(np.arange(frames) / 3)
    activity = np.where(np.arange(frames) < frames // 2, text, "wave")
    pose = PoseTrack(joints.astype(np.float32), 20.0, activity=activity)
    sound = generator.normal(scale=0.1, size=(2, round(seconds * RATE_HZ))).astype(np.float32)
    take = Take(
        TakeInfo("take-1", subject=text, track="noise", seconds=seconds),
        Recording(np.repeat(sound[:1], 4, axis=0) * np.float32(0.01), RATE_HZ),
        Playback(sound, RATE_HZ),
        pose,
        Scene(seconds=seconds) if scene else None,
    )
    target = normalise_pose(pose.at_feature_frames(frames))
    prediction = target + generator.normal(scale=0.2, size=target.shape).astype(np.float32)
    return Report(take, prediction, target, target.mean(axis=0) + 0.5, {"note": text}, text)


@pytest.fixture(scope="module")
def report() -> Report:
    return make_report()


@pytest.fixture(scope="module")
def page(report: Report) -> str:
    return render_report(report)


def test_same_report_gives_same_bytes(page: str, tmp_path: Path) -> None:
    path = write_report(tmp_path / "new" / "report.html", make_report())
    assert path.read_text(encoding="utf-8") == page
    assert [file.name for file in path.parent.iterdir()] == ["report.html"]


def test_asks_nothing_of_the_network(page: str) -> None:
    parsed = Page(page)
    for _, attributes in parsed.elements:
        for name in ("src", "href", "srcset", "action", "data"):
            value = attributes.get(name) or "#"
            assert value.startswith(("data:", "#")), value[:80]
    assert not parsed.all("link")
    assert not re.search(r"@import|url\(\s*['\"]?(?!data:|#)", page)
    assert "default-src 'none'" in page


def test_text_is_escaped() -> None:
    page = render_report(make_report(text="</script><b>&\"'"))
    assert "<b>&" not in page
    parsed = Page(page)
    assert len(parsed.all("script")) == 2
    data = json.loads(re.search(r'id="player-data">(.*?)</script>', page).group(1))
    assert data["activities"][0].startswith("</script>")


def test_images_charts_and_controls_say_what_they_are(page: str) -> None:
    parsed = Page(page)
    assert len(parsed.all("img")) == 2
    assert all(image["alt"] for image in parsed.all("img"))
    pictures = [a for a in parsed.all("svg") + parsed.all("canvas") if a.get("role") == "img"]
    assert len(pictures) == 4
    assert all(picture["aria-label"] for picture in pictures)
    assert all(audio["aria-label"] for audio in parsed.all("audio"))
    assert 'lang="en"' in page
    identities = [a["id"] for _, a in parsed.elements if a.get("id")]
    assert len(identities) == len(set(identities))
    for _, attributes in parsed.elements:
        assert (attributes.get("aria-labelledby") or identities[0]) in identities


def test_every_element_the_player_asks_for_is_there(page: str) -> None:
    script = page[page.rindex("<script>") :]
    asked = set(re.findall(r'element\("([\w-]+)"\)', script))
    assert asked >= {"play", "scrub", "figures", "sound"}
    assert asked <= set(re.findall(r'id="([\w-]+)"', page))
    options = set(re.findall(r'<option value="(\w+)"', page))
    assert {"recording", "playback"} <= options


def test_embedded_poses_are_the_given_ones(report: Report, page: str) -> None:
    data = json.loads(re.search(r'id="player-data">(.*?)</script>', page).group(1))

    def unpack(text: str) -> np.ndarray:
        whole = np.frombuffer(base64.b64decode(text), "<i2").reshape(-1, 21, 3)
        return whole / data["scale"]

    half_step = 0.5 / data["scale"] + 1e-6
    np.testing.assert_allclose(unpack(data["truth"]), report.target, atol=half_step)
    np.testing.assert_allclose(unpack(data["estimate"]), report.prediction, atol=half_step)
    np.testing.assert_allclose(unpack(data["mean"])[3], report.mean_pose, atol=half_step)
    world = report.take.pose.at_feature_frames(data["frames"])
    np.testing.assert_allclose(unpack(data["world"]), world, atol=half_step)
    rmse = np.sqrt(((report.prediction - report.target) ** 2).mean(axis=(1, 2)))
    np.testing.assert_allclose(data["error"], rmse, atol=1e-3)


def test_metrics_are_those_of_the_whole_take(report: Report, page: str) -> None:
    for poses in (report.prediction, np.broadcast_to(report.mean_pose, report.target.shape)):
        metrics = pose_metrics(poses, report.target)
        for key in ("rmse", "mae", "rmse/arm", "mae/leg"):
            assert f"{metrics[key]:.3f}" in page
        assert f"{100 * metrics['pckh@0.5/body']:.0f} %" in page


def test_summary_says_when_the_estimate_is_worse() -> None:
    report = make_report()
    worse = Report(report.take, report.target + 3, report.target, report.target.mean(axis=0))
    assert re.search(r"\d+ % farther</strong> from the true pose", render_report(worse))
    same = Report(report.take, worse.mean_poses, report.target, worse.mean_pose)
    assert "no nearer" in render_report(same)


def test_embedded_sound_can_be_read_back(page: str) -> None:
    sources = re.findall(r'src="data:audio/flac;base64,([^"]+)"', page)
    assert len(sources) == 2
    for source in sources:
        samples, rate_hz = soundfile.read(io.BytesIO(base64.b64decode(source)))
        assert len(samples) / rate_hz == pytest.approx(2.0, abs=0.01)
        assert np.abs(samples).max() == pytest.approx(0.9, abs=0.01)


def test_real_take_needs_no_scene() -> None:
    page = render_report(make_report(scene=False))
    assert "is unknown" in page
    Page(page)


def test_silent_recording_makes_a_page() -> None:
    report = make_report()
    silence = Recording(np.zeros((4, 2 * RATE_HZ), np.float32), RATE_HZ)
    take = Take(report.take.info, silence, report.take.playback, report.take.pose)
    Page(render_report(Report(take, report.prediction, report.target, report.mean_pose)))


def test_long_take_is_cut_and_stays_small(tmp_path: Path) -> None:
    report = make_report(seconds=70.0)
    path = write_report(tmp_path / "long.html", report)
    assert path.stat().st_size < 8_000_000
    assert "plays the first 60 s" in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["prediction", "target", "mean_pose"])
def test_rejects_poses_that_do_not_fit(report: Report, name: str) -> None:
    arrays = {key: getattr(report, key) for key in ("prediction", "target", "mean_pose")}
    with pytest.raises(DatasetError, match=r"shape"):
        Report(take=report.take, **{**arrays, name: arrays[name][1:]})
    broken = arrays[name].copy()
    broken[0, 0] = np.nan
    with pytest.raises(DatasetError, match="finite"):
        Report(take=report.take, **{**arrays, name: broken})


def test_rejects_more_frames_than_the_take_has(report: Report) -> None:
    longer = np.repeat(report.target, 2, axis=0)
    with pytest.raises(DatasetError, match="longer than the take"):
        Report(report.take, longer, longer, report.mean_pose)
