"""Scene sampling: determinism, independence of order, and validity of every scene."""

import json
import math
import subprocess
import sys
import tomllib
from typing import Any

import numpy as np
import pytest
from acoustic_sense_simulator.room.decay import absorption_for
from acoustic_sense_simulator.sampling import GenerationConfig, scenes
from hypothesis import given, settings
from hypothesis import strategies as st

from acoustic_sense.config import parse_config
from acoustic_sense.errors import ConfigError, SimulationError
from acoustic_sense.types import Scene

AMPL_LIKE = """
seconds = 4
repeats = 2
[subjects]
count = 3
clothes = [{ name = "suit", absorption = 0.1 }, { name = "coat", absorption = 0.5 }]
[[tracks]]
name = "jazz"
config = { style = "jazz" }
[[tracks]]
name = "chirp"
source = "tsp"
same_scenes_as = "jazz"
"""

RANDOMISED = """
setup_per = "take"
[subjects]
count = 3
[[tracks]]
name = "any"
count = 4
repeats_continue = true
[[rooms]]
name = "small"
width_m = [4.5, 6]
height_m = [2.5, 3]
depth_m = [4.5, 6]
[[rooms]]
name = "hall"
width_m = [8, 14]
height_m = [3, 6]
depth_m = [8, 20]
[layout]
distance_m = [2.2, 5]
axis_deg = [-180, 180]
offset_m = [-3, 3]
subject_along = [0.2, 0.8]
subject_off_axis_m = [-1.5, 1.5]
subject_jitter_m = [-0.5, 0.5]
facing = "any"
"""


def configured(text: str, **changes: Any) -> GenerationConfig:
    return parse_config(GenerationConfig, tomllib.loads(text) | changes, "test")


def by_id(config: GenerationConfig) -> dict[str, Scene]:
    return {scene.id: scene for scene in scenes(config)}


def assert_valid(scene: Scene, config: GenerationConfig) -> None:
    """Check a scene's geometry from its data alone, not through the sampler's own check."""
    size = np.array(scene.room.size_m)
    layout = config.layout
    assert scene.subject is not None
    body = np.array(scene.subject.position_m)
    assert body[1] == 0
    floor = body[[0, 2]]
    assert np.all(floor >= layout.body_wall_clearance_m)
    assert np.all(floor <= size[[0, 2]] - layout.body_wall_clearance_m)
    equipment = [np.array(each.position_m) for each in (*scene.loudspeakers, scene.microphone)]
    for position in equipment:
        assert np.all(position >= layout.wall_clearance_m)
        assert np.all(position <= size - layout.wall_clearance_m)
        distance = np.linalg.norm(position[[0, 2]] - floor)
        assert distance >= layout.body_equipment_clearance_m
    absorption = np.atleast_1d(scene.room.absorption)
    assert np.all((absorption > 0) & (absorption < 1))


@given(seed=st.integers(0, 2**63), text=st.sampled_from([AMPL_LIKE, RANDOMISED]))
@settings(max_examples=40, deadline=None)
def test_every_scene_is_valid(seed: int, text: str) -> None:
    config = configured(text, seed=seed)
    for scene in scenes(config):
        assert_valid(scene, config)


def test_same_seed_same_scenes_and_other_seed_other_scenes() -> None:
    config = configured(RANDOMISED, seed=7)
    assert scenes(config) == scenes(config)
    assert scenes(config)[0] != scenes(configured(RANDOMISED, seed=8))[0]


@pytest.mark.parametrize("text", [AMPL_LIKE, RANDOMISED])
def test_scenes_do_not_depend_on_order_or_number(text: str) -> None:
    config = configured(text, seed=5)
    whole = by_id(config)
    reversed_tracks = config.model_copy(
        update={"tracks": config.tracks[::-1], "rooms": config.rooms[::-1]}
    )
    assert by_id(reversed_tracks) == whole
    subjects = config.subjects.model_copy(update={"count": 1})
    fewer = by_id(config.model_copy(update={"subjects": subjects}))
    assert fewer
    assert fewer.items() <= whole.items()


def test_scenes_are_the_same_in_another_process() -> None:
    program = (
        "import json, sys, tomllib\n"
        "from acoustic_sense_simulator.sampling import GenerationConfig, scenes\n"
        "config = GenerationConfig(**tomllib.loads(sys.stdin.read()))\n"
        "print(json.dumps([scene.to_json() for scene in scenes(config)]))\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], input=RANDOMISED, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr
    there = tuple(Scene.from_json(data) for data in json.loads(run.stdout))
    assert there == scenes(configured(RANDOMISED))


def test_crosses_subjects_tracks_rooms_and_repeats() -> None:
    ids = set(by_id(configured(RANDOMISED, repeats=2)))
    assert len(ids) == 3 * 4 * 2 * 2
    assert "s02_any-3_hall_r2" in ids
    assert set(by_id(configured(AMPL_LIKE, repeats=1))) == {
        f"s0{subject}_{track}" for subject in (1, 2, 3) for track in ("jazz", "chirp")
    }


def test_all_subjects_hear_the_same_stretch_of_a_track() -> None:
    heard: dict[str, set[str]] = {}
    for scene in scenes(configured(RANDOMISED, repeats=3, seconds=4)):
        key = f"{scene.playback.track} {scene.id.rsplit('_', 1)[1]}"
        heard.setdefault(key, set()).add(repr(scene.playback))
    assert all(len(playbacks) == 1 for playbacks in heard.values())
    assert len(set().union(*heard.values())) == 4 * 3  # tracks differ, and repeats go on


def test_repeats_continue_where_the_one_before_ended() -> None:
    starts = [
        scene.playback.start_s
        for scene in scenes(configured(RANDOMISED, repeats=3, seconds=4))
        if scene.id.startswith("s01_any-1_small")
    ]
    assert starts == [0, 4, 8]


def test_tracks_can_share_scenes() -> None:
    found = by_id(configured(AMPL_LIKE))
    for take, scene in found.items():
        if "_chirp_" not in take:
            continue
        twin = found[take.replace("_chirp_", "_jazz_")]
        assert (scene.seed, scene.subject, scene.room) == (twin.seed, twin.subject, twin.room)
        assert scene.playback != twin.playback


def test_setup_per_dataset_keeps_room_and_equipment_but_moves_the_subject() -> None:
    found = scenes(configured(AMPL_LIKE, setup_per="dataset"))
    assert len({repr((s.room, s.loudspeakers, s.microphone, s.noise)) for s in found}) == 1
    places = {s.subject.position_m for s in found if s.subject}
    assert len(places) == len(found) // 2  # the chirp repeats the places of jazz


def test_setup_per_subject_and_take_draw_anew() -> None:
    per_subject = scenes(configured(AMPL_LIKE, setup_per="subject"))
    assert len({s.room.size_m for s in per_subject}) == 3
    per_take = scenes(configured(RANDOMISED))
    assert len({s.room.size_m for s in per_take}) == len(per_take)


def test_subjects_keep_body_clothes_and_style_across_takes() -> None:
    people: dict[str, set[str]] = {}
    for scene in scenes(configured(AMPL_LIKE)):
        assert scene.subject is not None
        body = (scene.subject.betas, scene.subject.clothes_absorption, scene.subject.style_seed)
        people.setdefault(scene.subject.name, set()).add(repr((body, scene.tags)))
    assert all(len(bodies) == 1 for bodies in people.values())
    assert len(set().union(*people.values())) == 3


def test_explicit_people_are_taken_as_given() -> None:
    subjects = {
        "people": [{"name": "ann", "betas": [1.5], "clothes": "coat", "style_seed": 3}],
        "clothes": [{"name": "suit", "absorption": 0.1}, {"name": "coat", "absorption": 0.5}],
    }
    (scene,) = scenes(GenerationConfig.model_validate({"subjects": subjects}))
    assert scene.subject is not None
    assert scene.subject.name == "ann"
    assert scene.subject.betas == (1.5,)
    assert scene.subject.clothes_absorption == 0.5
    assert scene.subject.style_seed == 3
    assert scene.tags == ("coat",)


@pytest.mark.parametrize("axis_deg", [0.0, 37.0, 90.0, -135.0])
def test_microphone_looks_at_the_loudspeakers_and_the_first_is_on_its_left(axis_deg: float) -> None:
    layout = {"axis_deg": axis_deg, "microphone_yaw_deg": 0, "heading_jitter_deg": 0}
    (scene,) = scenes(GenerationConfig.model_validate({"layout": layout, "seed": 2}))
    yaw = math.radians(scene.microphone.yaw_deg)
    front = np.array([math.cos(yaw), 0.0, -math.sin(yaw)])
    left = np.cross([0.0, 1.0, 0.0], front)
    microphone = np.array(scene.microphone.position_m)
    speakers = [np.array(each.position_m) - microphone for each in scene.loudspeakers]
    middle = np.mean(speakers, axis=0) * [1, 0, 1]
    assert np.dot(middle / np.linalg.norm(middle), front) > 0.9999
    assert np.dot(speakers[0], left) > 0 > np.dot(speakers[1], left)
    assert scene.subject is not None
    heading = math.radians(scene.subject.heading_deg)
    facing = np.array([math.sin(heading), 0.0, math.cos(heading)])
    to_microphone = (microphone - np.array(scene.subject.position_m)) * [1, 0, 1]
    assert np.dot(facing, to_microphone / np.linalg.norm(to_microphone)) > 0.99


def test_drawn_absorption_gives_the_reverberation_time_by_sabines_limit() -> None:
    size = (8.0, 3.0, 7.0)
    volume, surface = 168.0, 2 * (24 + 21 + 56)
    # for long reverberation every formula becomes Sabine's: T = 0.161 V / (S a)
    assert absorption_for(size, 5.0) == pytest.approx(0.161 * volume / surface / 5.0, rel=0.03)
    (scene,) = scenes(configured("[[rooms]]\nrt60_s = 0.5\nrt60_spread = 0\n"))
    expected = absorption_for(scene.room.size_m, 0.5)
    np.testing.assert_allclose(scene.room.absorption, expected, atol=1e-4)


def test_given_absorption_replaces_the_reverberation_time() -> None:
    (scene,) = scenes(configured("[[rooms]]\nabsorption = [0.3]\n"))
    assert scene.room.absorption == 0.3


def test_impossible_layout_says_why() -> None:
    text = "[[rooms]]\nname = 'closet'\nwidth_m = 2.5\ndepth_m = 2.5\n"
    with pytest.raises(SimulationError, match=r"room 'closet': no valid layout .* nearer than"):
        scenes(configured(text))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("secnds = 3", r"unknown key 'secnds'; did you mean 'seconds'\?"),
        ("[layout]\ndistnce_m = 3", r"'layout.distnce_m'; did you mean 'distance_m'\?"),
        ("[[tracks]]\nname = 'a'\nsorce = 'tsp'", r"tracks.0.sorce'; did you mean 'source'\?"),
        ("[layout]\ndistance_m = [4, 3]", "a range is \\[low, high\\]"),
        ("[layout]\nsubject_along = [0.5, 1.5]", "must stay between 0 and 1"),
        ("[[rooms]]\nabsorption = [0.1, 0.2]", "one for each of 8 octave bands"),
        ("[[tracks]]\nname = 'a_b'", "tracks.0.name"),
        ("[[tracks]]\nname = 'a'\n[[tracks]]\nname = 'a'", "tracks: 'a' is given twice"),
        (
            "[[tracks]]\nname = 'jazz'\n[[tracks]]\nname = 'b'\nsame_scenes_as = 'jaz'",
            "nothing is named 'jaz'; did you mean 'jazz'",
        ),
    ],
)
def test_rejects_a_bad_configuration_in_one_line(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        configured(text)
    assert "\n" not in str(caught.value)


def test_every_field_is_described() -> None:
    schema = GenerationConfig.model_json_schema()
    tables = [schema, *schema["$defs"].values()]
    bare = [
        f"{table['title']}.{key}"
        for table in tables
        for key, field in table.get("properties", {}).items()
        if "description" not in field
    ]
    assert len(tables) > 8
    assert bare == []
