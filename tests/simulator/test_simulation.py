"""From a scene to a take."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import soundfile
from acoustic_sense_simulator import simulate
from acoustic_sense_simulator.body import load_body
from acoustic_sense_simulator.clock import read_at
from acoustic_sense_simulator.rendering.renderer import MovingMesh, scattered_sound

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


def test_poses_keep_the_recorders_time_under_drift(tmp_path):
    """What the body adds to a late click is that of the pose at the recording's time."""
    rate, ratio, click = 48_000, 1 - 1000e-6, 13 * 48_000
    samples = np.zeros(14 * rate, dtype=np.float32)
    samples[click] = 1.0
    soundfile.write(tmp_path / "click.wav", samples, rate, subtype="FLOAT")
    scene = replace(
        SCENE,
        seconds=13.5,
        room=Room(absorption=0.99, image_order=0),
        loudspeakers=(Loudspeaker((3.0, 1.2, 0.8)),),
        motion=Motion(activities=("walk-in-place",), rate_hz=240.0),
        playback=PlaybackSource(
            source="music-file", config={"path": str(tmp_path / "click.wav"), "loop": False}
        ),
        noise=replace(QUIET, playback_level_db_spl=40.0, clock_drift_ppm=-1000.0),
    )
    take = simulate(scene)
    empty = simulate(replace(scene, subject=None))
    added = take.recording.samples - empty.recording.samples
    gain = take.extra["playback_gain_pa"] / (20e-6 * 10 ** (100 / 20) * 2**0.5)

    body = load_body(scene.subject, scene.facets)
    still = np.zeros((1, 72), dtype=np.float32), np.zeros((1, 3), dtype=np.float32)
    rest = body.pose_vertices(*still)[0]
    start = click - rate // 2
    window = slice(round((click + 480) * ratio), round((click + 1500) * ratio))

    def difference(pose):
        chosen = take.pose.smpl_pose[pose : pose + 1], take.pose.smpl_trans[pose : pose + 1]
        mesh = MovingMesh(body.pose_vertices(*chosen), body.faces, rest, 240.0)
        sound = scattered_sound(scene, samples[None, start:], mesh) * np.float32(gain)
        sound = read_at(sound, -start + 0.0, 1 / ratio, added.shape[1])[:, window]
        return np.linalg.norm(sound - added[:, window]) / np.linalg.norm(added[:, window])

    travel = 1.7 / 343  # from the loudspeaker to the body
    right = round((click / rate + travel) * ratio * 240)
    errors = {step: difference(right + step) for step in range(-4, 5)}
    best = min(errors, key=errors.get)
    assert abs(best) <= 1, errors
    assert errors[best] < 0.15, errors
