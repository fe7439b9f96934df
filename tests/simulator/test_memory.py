"""Memory of a long take: what a worker holds grows by few channels, and it is spared torch."""

import subprocess
import sys
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from acoustic_sense_simulator import simulate
from acoustic_sense_simulator.generation.jobs import TakeJob, make_take
from acoustic_sense_simulator.simulation import _energy, rendered

from acoustic_sense.datasets import DatasetWriter
from acoustic_sense.types import Loudspeaker, Microphone, Noise, PlaybackSource, Room, Scene

RESPONSE_DB = (-6.0, 3.0, 0.0, 0.0, 2.0, -4.0, 0.0, 0.0, -9.0)
PLAIN = Scene(
    room=Room(image_order=1),
    loudspeakers=(Loudspeaker((2.3, 1.2, 0.8)), Loudspeaker((3.7, 1.2, 0.8))),
    playback=PlaybackSource(source="white-noise", start_s=1.5),
    subject=None,
)
EVERYTHING_WRONG = replace(
    PLAIN,
    loudspeakers=tuple(replace(each, response_db=RESPONSE_DB) for each in PLAIN.loudspeakers),
    microphone=Microphone(
        (3.0, 1.2, 4.3), 90.0, RESPONSE_DB, (0.5, 0.0, 0.0, 0.0), "+y-x+z", "fuma"
    ),
    noise=Noise(clock_drift_ppm=200.0, latency_s=0.02),
)
"""Every step that may change the sound does."""
CHANNELS = 6
"""Recording, and what the loudspeakers radiate or two channels of noise; 0.5 for all else."""


def peak_bytes(scene, folder):
    """The most that one take needs beside its track, rendered and written."""
    rendered(scene)  # the track is kept from here on
    tracemalloc.start()
    make_take(TakeJob(scene.to_json(), str(folder)))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


@pytest.mark.parametrize("scene", [PLAIN, EVERYTHING_WRONG])
def test_ten_seconds_more_need_six_channels_more(tmp_path, scene):
    short, long = (replace(scene, seconds=s, id=f"take-{s:.0f}") for s in (10.0, 20.0))
    with DatasetWriter(tmp_path, {}):
        more = peak_bytes(long, tmp_path) - peak_bytes(short, tmp_path)
    assert more < (CHANNELS + 0.5) * 10 * 48_000 * 4


def test_worker_is_spared_torch(tmp_path):
    program = (
        "import sys\n"
        "from acoustic_sense.types import Scene\n"
        "from acoustic_sense_simulator.generation.jobs import TakeJob, make_take\n"
        "make_take(TakeJob(Scene.from_json(eval(sys.argv[1])).to_json(), sys.argv[2]))\n"
        "print([m for m in ('torch', 'librosa', 'lightning') if m in sys.modules])\n"
    )
    scene = replace(PLAIN, seconds=0.3, id="a")
    with DatasetWriter(tmp_path, {}):
        command = [sys.executable, "-c", program, repr(scene.to_json()), str(tmp_path)]
        ended = subprocess.run(command, capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == "[]"


def test_playback_of_a_take_is_its_own():
    scene = replace(PLAIN, seconds=0.3)
    first = simulate(scene)
    expected = first.playback.samples.copy()
    first.playback.samples[:] = 0.0
    assert np.array_equal(simulate(scene).playback.samples, expected)
    assert not np.shares_memory(first.recording.samples, first.playback.samples)


@pytest.mark.parametrize("count", [1, 65_536, 65_537, 300_007, 2_000_003])
def test_energy_is_numpys_own_sum(count):
    samples = np.random.default_rng(count).standard_normal(count).astype(np.float32)
    assert _energy(samples) == float(np.sum(samples.astype(np.float64) ** 2))
