"""Latency and drift are found and taken out; a calibration stretch takes the whole take's place."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from acoustic_sense_plugins.room_cancelled.clock import Clock, found_clock, on_recorders_clock
from acoustic_sense_simulator.clock import read_at
from cancelled_room import cancelled, generated_music, heard_through, level_db, static_room

from acoustic_sense.constants import SAMPLE_RATE_HZ
from acoustic_sense.contracts.simulator import load_simulator
from acoustic_sense.plugin_loading import load_registry

SECONDS = 16
SAMPLES = SECONDS * SAMPLE_RATE_HZ
ENDS = slice(2 * SAMPLE_RATE_HZ, -2 * SAMPLE_RATE_HZ)


@pytest.fixture(scope="module")
def jazz_take():
    """Somebody moves to jazz in the demo's studio; recording and playback, from amid the music.

    A take that begins with the music itself loses its first sounds where the recording is early.
    """
    simulator = load_simulator()
    scene = simulator.demo_scene(float(SECONDS), 0)
    scene = replace(scene, room=replace(scene.room, late_tail=False))
    take = simulator.simulate(scene)
    amid = slice(SAMPLE_RATE_HZ // 2, None)
    return take.recording.samples[:, amid].copy(), take.playback.samples[:, amid].copy()


def clocked(recording, latency_s, drift_ppm):
    """Return a recording late by a latency and on a clock that is fast: the simulator's own way."""
    ratio = 1 + drift_ppm * 1e-6
    first = -latency_s * SAMPLE_RATE_HZ / ratio
    return read_at(recording.astype(np.float32), first, 1 / ratio, recording.shape[1])


def fall_db(recording, playback, **settings):
    return level_db(cancelled(recording, playback, **settings)[:, ENDS], recording[:, ENDS])


@pytest.mark.parametrize(
    ("latency_s", "drift_ppm"), [(0.04, 20.0), (0.04, -50.0), (-0.04, 50.0), (-0.04, -20.0)]
)
def test_latency_and_drift_cost_less_than_a_decibel_beside_a_moving_person(
    jazz_take, latency_s, drift_ppm
):
    recording, playback = jazz_take
    moved = clocked(recording, latency_s, drift_ppm)
    assert fall_db(moved, playback) < fall_db(recording, playback) + 1


def test_without_alignment_drift_costs_much(jazz_take):
    recording, playback = jazz_take
    moved = clocked(recording, 0.0, 20.0)
    assert fall_db(moved, playback, align=False) > fall_db(recording, playback) + 4


def test_without_latency_and_drift_nothing_is_touched(jazz_take):
    recording, playback = map(torch.tensor, jazz_take)
    assert found_clock(recording, playback, SAMPLE_RATE_HZ) == Clock()
    assert on_recorders_clock(playback, Clock()) is playback


@pytest.mark.parametrize("style", ["ambient", "electronic"])
def test_drift_is_found_to_half_a_millionth(style):
    rng = np.random.default_rng(1)
    playback = generated_music(style, 24.0)
    recording = heard_through(static_room(rng, 2, length_s=0.4), playback)
    recording += 0.1 * recording.std() * rng.standard_normal(recording.shape)
    moved = clocked(recording, 0.3, -35.0)
    clock = found_clock(torch.tensor(moved), torch.tensor(playback), SAMPLE_RATE_HZ)
    assert clock.drift == pytest.approx(-35e-6, abs=0.5e-6)
    assert clock.delay_samples == pytest.approx(0.3 * SAMPLE_RATE_HZ, abs=0.01 * SAMPLE_RATE_HZ)


@pytest.mark.parametrize("kind", ["tsp", "mls"])
def test_what_repeats_has_no_latency_of_a_period(kind):
    rng = np.random.default_rng(2)
    source = load_registry("signal_sources")[kind]
    made = source(source.parse({}, "playback"))
    playback = made.generate(8.0, SAMPLE_RATE_HZ, 1, np.random.default_rng(0))
    recording = heard_through(static_room(rng, len(playback), length_s=0.4), playback)
    found = found_clock(torch.tensor(recording), torch.tensor(playback), SAMPLE_RATE_HZ)
    assert found == Clock()


@pytest.mark.parametrize("what", ["unrelated", "silent", "tone", "short"])
def test_where_nothing_stands_out_nothing_is_found(what):
    rng = np.random.default_rng(3)
    samples = SAMPLE_RATE_HZ if what == "short" else 8 * SAMPLE_RATE_HZ
    playback = rng.standard_normal((2, samples))
    recording = rng.standard_normal((4, samples))
    if what == "silent":
        playback[:] = 0
    elif what == "tone":
        playback[:] = np.sin(2 * np.pi * 440 * np.arange(samples) / SAMPLE_RATE_HZ)
        recording = heard_through(static_room(rng, 2, length_s=0.4), playback) + 1e-3 * recording
    elif what == "short":
        recording = np.roll(np.concatenate([playback, playback]), 4800, axis=1)
    assert found_clock(torch.tensor(recording), torch.tensor(playback), SAMPLE_RATE_HZ) == Clock()


@pytest.mark.parametrize("drift_ppm", [-50.0, 0.0, 20.0])
def test_tones_are_read_where_the_clock_says(drift_ppm):
    """Against the tones themselves at those moments."""
    clock = Clock(delay_samples=1_920, drift=drift_ppm * 1e-6)
    omega = np.pi * np.array([[0.01], [0.3], [0.7], [0.94]])
    time = np.arange(6 * SAMPLE_RATE_HZ)
    expected = np.sin(omega * (time - clock.delay_samples) / (1 + clock.drift) + 0.3)
    moved = on_recorders_clock(torch.tensor(np.sin(omega * time + 0.3)), clock).numpy()
    inner = slice(4_000, -4_000)
    for got, right in zip(moved[:, inner], expected[:, inner], strict=True):
        assert np.square(got - right).sum() < 1e-6 * np.square(right).sum()
    assert not moved[:, :1_000].any()  # nothing had been sent yet


def test_a_calibration_stretch_keeps_somebody_who_stands_still():
    rng = np.random.default_rng(4)
    playback = 0.1 * rng.standard_normal((2, SAMPLES))
    empty = heard_through(static_room(rng, 2, length_s=0.4), playback)
    body = 0.2 * heard_through(static_room(rng, 2, length_s=0.4), playback)
    enters = 8 * SAMPLE_RATE_HZ
    body[:, :enters] = 0
    late = slice(enters + SAMPLE_RATE_HZ, None)
    calibrated, whole = (
        cancelled(empty + body, playback, calibration_s=seconds)[:, late] for seconds in (8.0, 0.0)
    )
    assert level_db(calibrated - body[:, late], body[:, late]) < -20
    assert level_db(whole, body[:, late]) < -4
