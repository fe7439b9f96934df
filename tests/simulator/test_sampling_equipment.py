"""Sampling of equipment, clocks and clothes."""

import math
import tomllib
from typing import Any

import numpy as np
import pytest
from acoustic_sense_simulator.loudspeaker import axis_of
from acoustic_sense_simulator.sampling import GenerationConfig, scenes
from acoustic_sense_simulator.sampling.clothes import (
    PRESETS,
    normal_absorption,
    random_incidence_absorption,
)

from acoustic_sense.config import parse_config
from acoustic_sense.errors import ConfigError
from acoustic_sense.types import Scene

MANY = "setup_per = 'take'\nrepeats = 40\n"


def drawn(text: str, **changes: Any) -> tuple[Scene, ...]:
    return scenes(parse_config(GenerationConfig, tomllib.loads(text) | changes, "test"))


def test_loudspeakers_look_at_the_subject_within_their_jitter() -> None:
    for scene in drawn(MANY):
        assert scene.subject is not None
        for loudspeaker in scene.loudspeakers:
            assert 0.09 <= loudspeaker.cabinet_radius_m <= 0.11
            assert 0.06 <= loudspeaker.cone_radius_m <= 0.07
            towards = np.subtract(scene.subject.position_m, loudspeaker.position_m)[[0, 2]]
            axis = axis_of(loudspeaker)[[0, 2]]
            cosine = axis @ towards / np.linalg.norm(axis) / np.linalg.norm(towards)
            # 10 degrees of aim, and 15 cm of the subject's own jitter at 1.1 m and more
            assert math.degrees(math.acos(min(1.0, float(cosine)))) < 10 + 8


def test_loudspeakers_without_jitter_meet_the_middle_of_the_subjects_area() -> None:
    text = "[equipment]\naim_jitter_deg = 0\n[layout]\nsubject_jitter_m = 0\n"
    (scene,) = drawn(text)
    assert scene.subject is not None
    chest = np.add(scene.subject.position_m, (0.0, 1.2, 0.0))
    for loudspeaker in scene.loudspeakers:
        towards = chest - loudspeaker.position_m
        np.testing.assert_allclose(
            axis_of(loudspeaker), towards / np.linalg.norm(towards), atol=1e-3
        )


def test_cabinet_of_no_size_is_a_point_source() -> None:
    (scene,) = drawn("[equipment]\ncabinet_radius_m = 0\n")
    assert all(each.cabinet_radius_m == 0 == each.yaw_deg for each in scene.loudspeakers)


def test_equipment_and_clock_are_right_unless_asked_otherwise() -> None:
    (scene,) = drawn("")
    assert (scene.microphone.axes, scene.microphone.convention) == ("+x+y+z", "ambix")
    assert scene.microphone.channel_gain_db == (0.0, 0.0, 0.0, 0.0)
    assert (scene.noise.clock_drift_ppm, scene.noise.latency_s) == (0.0, 0.0)


def test_errors_are_drawn_from_their_ranges_and_lists() -> None:
    text = MANY + (
        "[equipment]\nchannel_gain_spread_db = 1.0\n"
        "microphone_axes = ['+x+y+z', '+y-x+z']\nmicrophone_convention = ['ambix', 'fuma']\n"
        "[noise]\nlatency_s = [-0.025, 0.025]\nclock_drift_ppm = [-50, 50]\n"
    )
    found = drawn(text)
    pairs = {(s.microphone.axes, s.microphone.convention) for s in found}
    assert pairs == {(a, c) for a in ("+x+y+z", "+y-x+z") for c in ("ambix", "fuma")}
    gains = np.array([s.microphone.channel_gain_db for s in found])
    np.testing.assert_allclose(gains.std(axis=0), 1.0, rtol=0.4)
    latency = np.array([s.noise.latency_s for s in found])
    assert latency.min() < -0.015 < 0.015 < latency.max()
    assert np.abs(latency).max() <= 0.025
    drift = np.array([s.noise.clock_drift_ppm for s in found])
    assert drift.min() < -30 < 30 < drift.max()


def test_other_ranges_of_errors_leave_the_rest_of_a_scene_alone() -> None:
    plain = drawn(MANY)
    wrong = drawn(MANY + "[equipment]\nchannel_gain_spread_db = 2\naim_jitter_deg = [-30, 30]\n")
    for one, two in zip(plain, wrong, strict=True):
        assert (one.room, one.noise, one.subject) == (two.room, two.noise, two.subject)
        assert one.microphone.response_db == two.microphone.response_db
        assert one.microphone.channel_gain_db != two.microphone.channel_gain_db


def test_clothes_by_name_absorb_in_bands() -> None:
    text = "[subjects]\ncount = 12\nclothes = [{ name = 'coat' }, { name = 'plain-clothes' }]\n"
    worn = {
        scene.tags[-1]: scene.subject.clothes_absorption for scene in drawn(text) if scene.subject
    }
    assert worn == {name: PRESETS[name] for name in ("coat", "plain-clothes")}
    suit, plain, coat = (np.array(PRESETS[n]) for n in ("mocap-suit", "plain-clothes", "coat"))
    assert (np.diff([suit, plain, coat], axis=0) > 0).all()
    assert (suit > 0).all()
    assert (coat < 1).all()


def test_normal_absorption_is_that_of_the_same_admittance() -> None:
    """Paris' mean over all angles, integrated numerically."""
    cosines = (np.arange(20_000) + 0.5) / 20_000
    for mean in (0.1, 0.4, 0.77):
        normal = normal_absorption(mean)
        reflection = math.sqrt(1 - normal)
        beta = (1 - reflection) / (1 + reflection)
        at_angle = 1 - ((cosines - beta) / (cosines + beta)) ** 2
        assert np.mean(2 * cosines * at_angle) == pytest.approx(mean, abs=1e-4)
        assert random_incidence_absorption(np.array([beta]))[0] == pytest.approx(mean, abs=1e-4)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[equipment]\ncone_radius_m = 0.2", "at most at the smallest cabinet_radius_m, 0.09 m"),
        ("[equipment]\nmicrophone_axes = ['+x+x+z']", "each of x, y and z once"),
        ("[equipment]\nmicrophone_convention = ['fumo']", "'fuma'"),
        ("[noise]\nlatency_s = [-0.6, 0]", "must stay between -0.5 and 0.5"),
        ("[noise]\nclock_drift_ppm = 2000", "must stay between -1000 and 1000"),
        ("[subjects]\nclothes = [{ name = 'cote' }]", "no clothes are named 'cote'; did .* 'coat'"),
        (
            "[subjects]\nclothes = [{ name = 'a', absorption = [0.1, 0.2] }]",
            "8 octave bands, not 2",
        ),
        ("[subjects]\nclothes = [{ name = 'a', absorption = 1 }]", "less than 1"),
    ],
)
def test_rejects_with_one_line(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        drawn(text)
    assert "\n" not in str(caught.value)


def test_rejects_clothes_of_a_scene_that_are_none() -> None:
    from acoustic_sense.types import Subject

    with pytest.raises(ValueError, match="8 octaves from 125 Hz to 16 kHz, not 3"):
        Subject(clothes_absorption=(0.1, 0.2, 0.3))
    with pytest.raises(ValueError, match="below 1"):
        Subject(clothes_absorption=1.0)
