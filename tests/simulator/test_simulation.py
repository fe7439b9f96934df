"""From a scene to a take."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from acoustic_sense_simulator import simulate

from acoustic_sense.errors import SimulationError, UnknownPluginError
from acoustic_sense.types import (
    Loudspeaker,
    Motion,
    Noise,
    PlaybackSource,
    Room,
    Scene,
    Subject,
)

QUIET = Noise(noise_criterion=None, self_noise_db_spl=None)
SCENE = Scene(
    seconds=0.6,
    room=Room(image_order=3),
    playback=PlaybackSource(source="white-noise"),
    noise=QUIET,
    source_order=0,
    microphone_order=0,
)


def level_db_spl(take):
    full_scale = take.scene.noise.full_scale_db_spl
    rms = np.sqrt(np.mean(take.recording.samples[0].astype(float) ** 2))
    return 20 * np.log10(rms * np.sqrt(2)) + full_scale


def test_same_scene_gives_the_same_bytes():
    scene = replace(SCENE, noise=Noise(), seed=5)
    one, two = simulate(scene), simulate(scene)
    assert one.recording.samples.tobytes() == two.recording.samples.tobytes()
    assert one.pose.joints.tobytes() == two.pose.joints.tobytes()


def test_playback_has_its_level_at_the_microphone():
    take = simulate(replace(SCENE, subject=None))
    assert level_db_spl(take) == pytest.approx(65.0, abs=0.01)


def test_person_changes_the_recording_a_little():
    empty = simulate(replace(SCENE, subject=None)).recording.samples
    take = simulate(SCENE)
    change = np.std(take.recording.samples[0] - empty[0]) / np.std(empty[0])
    assert 0.02 < change < 0.8
    assert take.pose.joints.shape[1:] == (21, 3)
    assert take.playback.samples.shape[1] == take.recording.samples.shape[1]


def test_empty_room_has_no_poses_and_no_scattering():
    take = simulate(replace(SCENE, subject=None))
    assert len(take.pose.joints) == 0
    assert take.info.subject == ""


def test_latency_delays_the_recording():
    scene = replace(SCENE, subject=None)
    late = simulate(replace(scene, noise=replace(QUIET, latency_s=0.01)))
    now = simulate(scene).recording.samples
    assert np.allclose(late.recording.samples[:, 480:], now[:, :-480], atol=1e-6)
    assert not late.recording.samples[:, :400].any()


def test_take_that_starts_later_hears_what_was_played_before():
    later = replace(SCENE, subject=None, playback=replace(SCENE.playback, start_s=0.4))
    whole = replace(SCENE, subject=None, seconds=1.0)
    one, two = simulate(later), simulate(whole)
    assert np.array_equal(one.playback.samples, two.playback.samples[:, 19_200:])
    ratio = two.extra["playback_gain_pa"] / one.extra["playback_gain_pa"]
    expected = two.recording.samples[:, 19_200:]
    assert np.allclose(one.recording.samples * ratio, expected, atol=1e-5)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"loudspeakers": (Loudspeaker((9.0, 1.0, 1.0)),)}, "loudspeaker 0 .* outside"),
        ({"subject": Subject(position_m=(0.05, 0.0, 2.5))}, "through a wall"),
        ({"subject": Subject(position_m=(-1.0, 0.0, 2.5))}, "outside"),
        ({"noise": replace(QUIET, playback_level_db_spl=105.0)}, "clips"),
        ({"room": Room(absorption=(0.1, 0.2))}, "2 bands"),
    ],
)
def test_rejects_impossible_scenes(change, message):
    scene = replace(SCENE, motion=Motion(activities=("stand",)))
    with pytest.raises(SimulationError, match=message):
        simulate(replace(scene, **change))


def test_names_an_unknown_signal_source():
    with pytest.raises(UnknownPluginError, match="white-noise"):
        simulate(replace(SCENE, playback=PlaybackSource(source="whitenoise")))


def test_import_leaves_heavy_libraries_alone():
    code = (
        "import sys, acoustic_sense_simulator; "
        "print([m for m in ('numba', 'pyroomacoustics', 'torch', 'scipy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
