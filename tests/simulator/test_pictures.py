"""Pictures of a scene: what is in them, what they are measured in, and how they are refused."""

import sys
from dataclasses import replace
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
import trimesh

sys.path.insert(0, str(Path(__file__).parents[1] / "references"))
from acoustic_sense_simulator import simulate
from acoustic_sense_simulator.pictures import (
    decay_plot,
    level_behind_body_plot,
    scene_plot,
    write_figure,
)
from acoustic_sense_simulator.pictures.decay_picture import (
    OCTAVES_HZ,
    fitted_decay,
    remaining_level,
)
from acoustic_sense_simulator.pictures.level_picture import body_slice, inside_slice, level_map
from acoustic_sense_simulator.pictures.posed_body import PosedBody, posed_body
from acoustic_sense_simulator.pictures.sound_paths import (
    BODY,
    DIRECT,
    WALL,
    WALL_AND_BODY,
    first_images,
    over_wall,
    paths_of,
)
from acoustic_sense_simulator.room.decay import reverberation_time
from sphere_series import scattered_by_sphere

from acoustic_sense.cli.main import run
from acoustic_sense.errors import SimulationError
from acoustic_sense.types import Loudspeaker, Microphone, Motion, Room, Scene

SCENE = Scene(
    seconds=0.5,
    seed=4,
    loudspeakers=(
        Loudspeaker((2.1, 1.2, 0.8), yaw_deg=-80.0, cabinet_radius_m=0.1),
        Loudspeaker((3.9, 1.3, 0.9)),
    ),
    microphone=Microphone((3.0, 1.2, 4.3), 90.0),
    motion=Motion(activities=("walk",)),
)
CENTRE = np.array([3.0, 1.2, 2.5])
CONFIG = 'name = "two"\nseconds = 1\n[subjects]\ncount = 2\n'


def ball():
    mesh = trimesh.creation.icosphere(4, radius=0.25)
    return PosedBody(mesh.vertices + CENTRE, np.asarray(mesh.faces), np.zeros((21, 3)), 0.0)


def marked(axes, name):
    """The artists of an axes with a name."""
    return [artist for artist in axes.get_children() if artist.get_gid() == name]


def outcome(capsys, *arguments):
    capsys.readouterr()
    code = run([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


# ---------------------------------------------------------------------------------- poses and paths


def test_pose_that_is_drawn_is_that_of_the_take():
    joints = simulate(SCENE).pose.joints
    for pose in (0, 17):
        assert np.allclose(posed_body(SCENE, pose).joints, joints[pose], atol=1e-6)
        finer = posed_body(SCENE, pose, "medium")
        assert len(finer.faces) > 4000
        middle = finer.vertices.mean(axis=0)
        assert np.linalg.norm(middle - joints[pose].mean(axis=0)) < 0.25


def test_wall_paths_are_as_long_as_the_way_from_the_image_and_reflect_like_a_mirror():
    start, end = np.array([2.1, 1.2, 0.8]), np.array([3.0, 1.4, 4.3])
    size = np.array([6.0, 3.0, 5.0])
    for image in first_images(tuple(start), tuple(size)):
        point = over_wall(start, image, end)
        length = np.linalg.norm(point - start) + np.linalg.norm(end - point)
        assert length == pytest.approx(np.linalg.norm(end - image))
        wall = int(np.abs(image - start).argmax())
        assert point[wall] == pytest.approx(0.0) or point[wall] == pytest.approx(size[wall])
        assert ((point > -1e-9) & (point < size + 1e-9)).all()


def test_paths_are_those_that_are_rendered():
    body = posed_body(SCENE, 0)

    def kinds(scene, body=body):
        found = [path.kind for path in paths_of(scene, body)]
        return [found.count(kind) for kind in (DIRECT, WALL, BODY, WALL_AND_BODY)]

    assert kinds(SCENE) == [2, 12, 2, 24]
    assert kinds(replace(SCENE, source_order=0)) == [2, 12, 2, 12]
    assert kinds(replace(SCENE, source_order=0, microphone_order=0)) == [2, 12, 2, 0]
    assert kinds(replace(SCENE, room=Room(image_order=0)), None) == [2, 0, 0, 0]
    direct, shortest = paths_of(SCENE, body)[0], paths_of(SCENE, body)[7]
    assert shortest.kind == BODY
    assert direct.length_m <= shortest.length_m < direct.length_m + 1.0


# ------------------------------------------------------------------------------------------- scene


def test_scene_plot_shows_everything_once_in_each_view_in_metres():
    figure = scene_plot(SCENE, pose=9)
    above, side, above_images, side_images = figure.axes
    for axes, names in ((above, "xz"), (side, "zy"), (above_images, "xz"), (side_images, "zy")):
        assert (axes.get_xlabel(), axes.get_ylabel()) == (f"{names[0]} (m)", f"{names[1]} (m)")
        assert axes.get_aspect() == 1.0
        (room,) = marked(axes, "room")
        size = dict(zip("xyz", SCENE.room.size_m, strict=True))
        assert (room.get_width(), room.get_height()) == (size[names[0]], size[names[1]])
    for axes in (above, side):
        (body,) = marked(axes, "body")
        assert len(body.get_paths()) == len(posed_body(SCENE, 9).faces)
        assert len(marked(axes, "loudspeaker")) == 2
        assert len(marked(axes, "cabinet")) == 1
        assert len(marked(axes, "path direct")) == 2
        assert len(marked(axes, "path wall")) == 12
        assert len(marked(axes, "path wall and body")) == 24
        assert len(marked(axes, "axis")) == 1 + 2  # the loudspeaker's, two of the microphone's
    assert "pose 9 at 0.15 s" in figure.get_suptitle()


def test_scene_plot_shows_six_images_of_each_device_inside_the_picture():
    for axes in scene_plot(SCENE).axes[2:]:
        images = marked(axes, "images of loudspeaker") + marked(axes, "images of microphone")
        assert [len(line.get_xdata()) for line in images] == [6, 6, 6]
        for line in images:
            for values, limits in ((line.get_xdata(), axes.get_xlim()),
                                   (line.get_ydata(), axes.get_ylim())):  # fmt: skip
                assert min(limits) < values.min() <= values.max() < max(limits)
    images = marked(scene_plot(SCENE).axes[2], "images of microphone")[0].get_xydata()
    assert {tuple(p.round(6)) for p in images} == {
        (-3.0, 4.3), (9.0, 4.3), (3.0, 4.3), (3.0, -4.3), (3.0, 5.7),
    }  # fmt: skip


def test_empty_room_is_drawn_without_a_body():
    figure = scene_plot(replace(SCENE, subject=None))
    assert not marked(figure.axes[0], "body")
    assert not marked(figure.axes[0], "path body")
    assert len(marked(figure.axes[0], "path wall")) == 12
    assert "nobody" in figure.get_suptitle()


# ------------------------------------------------------------------------------------------- decay


def test_fit_finds_the_decay_of_noise_that_dies_away():
    time_s = np.arange(48_000) / 48_000
    noise = np.random.default_rng(2).standard_normal(48_000)
    found, _ = fitted_decay(remaining_level(noise * 10 ** (-3 * time_s / 0.4)), 48_000)
    assert found == pytest.approx(0.4, rel=0.03)


def test_decay_plot_names_fitted_and_statistical_times_of_every_octave():
    room = Room(absorption=0.3, image_order=6, late_tail=True, scattering=0.7)
    figure = decay_plot(replace(SCENE, room=room, seed=1))
    (axes,) = figure.axes
    assert axes.get_xlabel().endswith("(s)")
    assert axes.get_ylabel().endswith("(dB)")
    texts = [text.get_text() for text in axes.get_legend().get_texts()]
    assert len(texts) == len(OCTAVES_HZ)
    for octave, text, expected in zip(OCTAVES_HZ, texts, reverberation_time(room), strict=False):
        assert text.startswith(f"{octave:g} Hz: ")
        assert f"(statistics {expected:.2f} s)" in text
        found = float(text.split(": ")[1].split()[0])
        assert found == pytest.approx(expected, rel=0.35)
        (curve,), (line,) = marked(axes, f"decay {octave:g}"), marked(axes, f"fit {octave:g}")
        level = curve.get_ydata()
        assert level[0] == pytest.approx(0.0)
        assert (np.diff(level) <= 0).all()
        slope = np.diff(line.get_ydata()) / np.diff(line.get_xdata())
        assert -60 / slope[0] == pytest.approx(found, abs=0.006)


# ------------------------------------------------------------------------------------------- level


def test_slice_of_a_ball_is_a_circle_and_holds_its_inside():
    segments = body_slice(ball(), 1.2 + 0.15)
    assert len(segments) > 20
    radius = np.linalg.norm(segments - [3.0, 2.5], axis=2)
    assert np.allclose(radius, 0.2, atol=0.005)
    points = np.array([[3.0, 2.5], [3.19, 2.5], [3.21, 2.5], [3.0, 2.2], [3.1, 2.6]])
    assert inside_slice(points, segments).tolist() == [True, True, False, False, True]
    assert len(body_slice(ball(), 2.0)) == 0


def test_level_map_is_that_of_the_exact_series_around_a_ball():
    source, across, along = (
        np.array([3.0, 1.2, 0.4]),
        np.arange(2.4, 3.7, 0.1),
        np.array([2.1, 3.3]),
    )
    level = level_map(ball(), source, 1.2, across, along, np.array([700.0, 2000.0]))
    x, z = np.meshgrid(across, along)
    points = np.stack([x.ravel(), np.full(x.size, 1.2), z.ravel()], axis=1)
    for frequency, got in zip((700.0, 2000.0), level, strict=True):
        exact = scattered_by_sphere(0.25, source - CENTRE, points - CENTRE, frequency)
        distance = np.linalg.norm(points - source, axis=1)
        incident = np.exp(2j * np.pi * frequency / 343 * distance) / (4 * np.pi * distance)
        wanted = 20 * np.log10(np.abs(1 + exact / incident))
        assert np.ptp(wanted) > 5
        assert np.allclose(got.ravel(), wanted, atol=0.4)


def test_level_map_leaves_the_inside_out():
    along = np.arange(2.125, 2.9, 0.05)
    level = level_map(ball(), np.array([3.0, 1.2, 0.4]), 1.2, CENTRE[:1], along, np.array([500.0]))
    inside = np.abs(along - CENTRE[2]) < 0.24
    assert (np.isnan(level[0, :, 0]) == inside).all()


@pytest.mark.slow
def test_level_plot_has_a_map_for_each_frequency_with_the_body_left_out():
    figure = level_behind_body_plot(SCENE, (300.0, 700.0, 900.0))
    *maps, unused, scale = figure.axes
    assert [axes.get_title() for axes in maps] == ["300 Hz", "700 Hz", "900 Hz"]
    assert not unused.get_visible()
    assert "dB" in scale.get_ylabel()
    for axes in maps:
        assert (axes.get_xlabel(), axes.get_ylabel()) == ("x (m)", "z (m)")
        level = np.ma.masked_invalid(axes.get_images()[0].get_array())
        assert 5 < level.mask.sum() < 0.1 * level.size
        assert level.min() < -1.0
        left, right, below, above = axes.get_images()[0].get_extent()
        joints = posed_body(SCENE, 0).joints
        assert left < joints[:, 0].min() < joints[:, 0].max() < right
        assert above < joints[:, 2].min() < joints[:, 2].max() < below


# ------------------------------------------------------------------------------------------- files


@pytest.mark.parametrize("ending", ["png", "svg"])
def test_same_scene_gives_the_same_file(tmp_path, ending):
    paths = [tmp_path / f"{name}.{ending}" for name in "ab"]
    for path in paths:
        write_figure(scene_plot(SCENE), path, source="this scene")
    one, two = (path.read_bytes() for path in paths)
    assert one == two
    assert b"this scene" in one
    assert len(one) > 10_000


def test_pictures_leave_matplotlib_as_it_was(tmp_path):
    before = dict(mpl.rcParams)
    write_figure(scene_plot(SCENE), tmp_path / "a.png")
    assert dict(mpl.rcParams) == before


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (lambda: scene_plot(SCENE, 31), "no pose 31.*have poses 0 to 30"),
        (lambda: scene_plot(SCENE, -1), "no pose -1"),
        (lambda: decay_plot(SCENE, 2), "no loudspeaker 2; the scene has 0 to 1"),
        (lambda: level_behind_body_plot(SCENE, loudspeaker=5), "no loudspeaker 5"),
        (lambda: level_behind_body_plot(SCENE, ()), "at least one frequency"),
        (lambda: level_behind_body_plot(replace(SCENE, subject=None)), "no subject"),
        (lambda: write_figure(scene_plot(SCENE), Path("scene.jpeg")), "end in .png or .svg"),
    ],
)
def test_rejects_what_cannot_be_drawn_with_one_line(draw, message):
    with pytest.raises(SimulationError, match=message) as raised:
        draw()
    assert "\n" not in str(raised.value)


# ------------------------------------------------------------------------------------- command line


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "two.toml"
    path.write_text(CONFIG)
    return path


@pytest.mark.slow
def test_command_draws_the_take_that_is_named(capsys, config, tmp_path):
    out = tmp_path / "pictures"
    code, text, err = outcome(
        capsys, "scene", config, "--take", 1, "--out", out, "--pose", 30, "--format", "svg"
    )
    names = ["decay.svg", "level-behind-body.svg", "scene.svg"]
    assert (code, err) == (0, "")
    assert text == f"{out}: {', '.join(names)} of take 's02_jazz'\n"
    assert sorted(path.name for path in out.iterdir()) == names
    assert "pose 30 at 0.50 s" in (out / "scene.svg").read_text()
    assert "4000 Hz" in (out / "level-behind-body.svg").read_text()


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (("--take", 2), "there is no take 2; the dataset has takes 0 to 1"),
        (("--take", -1), "there is no take -1; the dataset has takes 0 to 1"),
        (("--pose", 999), "there is no pose 999; 1 s at 60 poses a second have poses 0 to 60"),
        (("--format", "pgn"), "unknown picture format 'pgn'; did you mean 'png'?"),
    ],
)
def test_command_answers_what_is_not_there_with_one_line(capsys, config, tmp_path, options, line):
    code, text, err = outcome(capsys, "scene", config, "--out", tmp_path / "out", *options)
    assert (code, text) == (2, "")
    assert err.startswith("error: ")
    assert line in err
    assert err.count("\n") == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["two.toml"]


def test_without_matplotlib_there_is_one_line_that_says_how_to_install_it(
    capsys, config, tmp_path, monkeypatch
):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    code, text, err = outcome(capsys, "scene", config, "--out", tmp_path / "out")
    assert (code, text) == (2, "")
    assert err == (
        "error: pictures need the package 'matplotlib'; install it with: "
        "pip install 'acoustic-sense[pictures]'\n"
    )
    assert sorted(path.name for path in tmp_path.iterdir()) == ["two.toml"]
