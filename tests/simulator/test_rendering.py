"""Moving bodies, noise and levels in the rendered recording."""

import numpy as np
import pytest
import trimesh
from acoustic_sense_simulator.noise import (
    NC_BANDS_HZ,
    REFERENCE_PA,
    a_weighting,
    diffuse_noise,
    noise_criterion_levels,
    self_noise,
)
from acoustic_sense_simulator.rendering.equalisation import equalised
from acoustic_sense_simulator.rendering.moving import convolved, window
from acoustic_sense_simulator.rendering.renderer import MovingMesh, scattered_sound, static_sound

from acoustic_sense.errors import SimulationError
from acoustic_sense.types import Loudspeaker, Microphone, Room, Scene

RATE = 48_000
SCENE = Scene(
    loudspeakers=(Loudspeaker((2.3, 1.2, 0.8)),),
    microphone=Microphone((3.2, 1.3, 4.3), 90.0),
    room=Room(absorption=0.9, image_order=1),
    source_order=0,
    microphone_order=0,
)


def ball(poses, speed_m_s=0.0, radius_m=0.2, centre=(3.0, 1.2, 2.5)):
    mesh = trimesh.creation.icosphere(3, radius=radius_m)
    vertices = (mesh.vertices + centre).astype(np.float32)
    moved = vertices[None] + np.zeros((poses, 1, 3), dtype=np.float32)
    moved[:, :, 0] += (np.arange(poses) / 60 * speed_m_s)[:, None].astype(np.float32)
    return MovingMesh(moved, np.asarray(mesh.faces), vertices, 60.0)


def noise(seconds, seed=0):
    samples = np.random.default_rng(seed).standard_normal((1, round(seconds * RATE)))
    return samples.astype(np.float32)


def test_windows_add_up_to_the_signal():
    signal = noise(0.2)[0]
    total = np.zeros_like(signal)
    for pose in range(-2, 20):
        start, values = window(len(signal), -123.4 + 685.7 * pose, 685.7)
        total[start : start + len(values)] += signal[start : start + len(values)] * values
    assert np.allclose(total, signal, atol=1e-5)


def test_two_loudspeakers_are_the_sum_of_each_alone_with_its_own_delay():
    generator = np.random.default_rng(3)
    taps = generator.standard_normal((6, 2, 4, 50)).astype(np.float32)
    signal = generator.standard_normal((2, 4000)).astype(np.float32)
    shaping = generator.standard_normal(5).astype(np.float32)

    def run(speakers):
        return convolved(
            signal[speakers],
            lambda pose: taps[pose][speakers],
            pose_count=6,
            hop=800.0,
            first_centres=[(10.0, -90.5)[i] for i in speakers],
            first_samples=[(30, 47)[i] for i in speakers],
            length=50,
            shaping=shaping,
        )

    both = run([0, 1])
    assert np.abs(both - run([0]) - run([1])).max() < 1e-4 * np.abs(both).max()
    # by hand: each pose's window through its own response, moved by the loudspeaker's delay
    by_hand = np.zeros((4, 4000 + 204))
    for speaker, (centre, first) in enumerate(((10.0, 30), (-90.5, 47))):
        for pose in range(-1, 8):
            start, values = window(4000, centre + pose * 800.0, 800.0)
            block = signal[speaker, start : start + len(values)] * values
            if not len(block):
                continue
            for channel in range(4):
                made = np.convolve(block, taps[min(max(pose, 0), 5), speaker, channel])
                made = np.convolve(made, shaping)  # two taps of it come before its time zero
                by_hand[channel, start + first : start + first + len(made)] += made
    by_hand = by_hand[:, 2:4002]
    assert np.abs(both - by_hand).max() < 1e-4 * np.abs(both).max()


def test_scattering_is_linear_in_playback():
    mesh, one, two = ball(20, 0.5), noise(0.3, 1), noise(0.3, 2)
    both = scattered_sound(SCENE, one + 0.5 * two, mesh)
    parts = scattered_sound(SCENE, one, mesh) + 0.5 * scattered_sound(SCENE, two, mesh)
    assert np.abs(both - parts).max() < 1e-4 * np.abs(both).max()


def test_body_that_stands_still_is_one_convolution():
    signal = noise(0.4)
    signal[:, :200] = 0.0  # zero-phase filters ring both ways, and a playback's edges cut that off
    sound = scattered_sound(SCENE, signal, ball(1))
    impulse = np.zeros_like(signal)
    impulse[0, 500] = 1.0
    response = np.roll(scattered_sound(SCENE, impulse, ball(1)), -500, axis=1)
    size = 2 * signal.shape[1]
    spectrum = np.fft.rfft(response, n=size) * np.fft.rfft(signal, n=size)
    expected = np.fft.irfft(spectrum, n=size)[:, : signal.shape[1]]
    difference = (sound - expected)[:, :-600]  # beyond it the rolled response lacks its end
    assert np.abs(difference).max() < 1e-3 * np.abs(expected).max()


def test_body_on_the_way_casts_a_shadow():
    centre = np.array((2.3, 1.2, 0.8)) * 0.4 + np.array((3.2, 1.3, 4.3)) * 0.6
    centre[0] += 0.14  # off the axis, where a sphere has its bright spot
    spread = noise(0.5)
    static = static_sound(SCENE, spread)
    total = static + scattered_sound(SCENE, spread, ball(1, radius_m=0.3, centre=tuple(centre)))
    spectra = np.abs(np.fft.rfft(np.stack([static[0], total[0]]))) ** 2
    frequency = np.fft.rfftfreq(spread.shape[1], 1 / RATE)
    above = (frequency > 800) & (frequency < 3000)
    assert spectra[1, above].sum() < 0.6 * spectra[0, above].sum()
    below = (frequency > 40) & (frequency < 80)
    assert spectra[1, below].sum() == pytest.approx(spectra[0, below].sum(), rel=0.1)


def test_slow_motion_makes_no_clicks_at_the_pose_rate():
    time_s = np.arange(2 * RATE) / RATE
    tone = np.sin(2 * np.pi * 1000 * time_s).astype(np.float32)[None]
    sound = scattered_sound(SCENE, tone, ball(121, speed_m_s=0.5))[0, RATE // 4 :]
    level = 20 * np.log10(np.abs(np.fft.rfft(sound * np.hanning(len(sound)))) + 1e-12)
    frequency = np.fft.rfftfreq(len(sound), 1 / RATE)
    carrier = level[np.abs(frequency - 1000) < 8].max()
    for side in (-120, -60, 60, 120):
        assert level[np.abs(frequency - 1000 - side) < 8].max() < carrier - 40


def test_approaching_body_raises_the_pitch():
    time_s = np.arange(2 * RATE) / RATE
    tone = np.sin(2 * np.pi * 2000 * time_s).astype(np.float32)[None]
    mesh = ball(121, centre=(3.0, 1.2, 1.5))
    moved = mesh.vertices.copy()
    moved[:, :, 0] -= (np.arange(121) / 60 * 0.8).astype(np.float32)[:, None] - 1.6
    mesh = MovingMesh(moved, mesh.faces, mesh.rest_vertices, 60.0)
    scene = Scene(
        loudspeakers=(Loudspeaker((0.5, 1.2, 1.5)),),
        microphone=Microphone((0.5, 1.2, 2.5), 0.0),
        source_order=0,
        microphone_order=0,
    )
    sound = scattered_sound(scene, tone, mesh)[0, RATE // 2 : -RATE // 4]
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound))))
    heard = np.fft.rfftfreq(len(sound), 1 / RATE)[spectrum.argmax()]
    assert pytest.approx(heard, abs=2.5) == 2000 * (1 + 2 * 0.8 / 343)


@pytest.mark.parametrize("criterion", [25.0, 42.0])
def test_room_noise_follows_its_curve(criterion):
    sound = diffuse_noise(criterion, 10 * RATE, RATE, np.random.default_rng(0))
    power = np.abs(np.fft.rfft(sound)) ** 2 * 2 / sound.shape[1] ** 2
    frequency = np.fft.rfftfreq(sound.shape[1], 1 / RATE)
    for centre, wanted in zip(NC_BANDS_HZ, noise_criterion_levels(criterion), strict=True):
        band = (frequency > centre / np.sqrt(2)) & (frequency <= centre * np.sqrt(2))
        level = 10 * np.log10(power[0, band].sum() / REFERENCE_PA**2)
        assert level == pytest.approx(wanted, abs=1.5)
    power = power[:, frequency > 300]
    assert np.allclose(power[1:].sum(1) / power[0].sum(), 1 / 3, atol=0.03)


def test_self_noise_has_its_weighted_level():
    sound = self_noise(20.0, 5 * RATE, RATE, np.random.default_rng(0))
    power = np.abs(np.fft.rfft(sound[0])) ** 2 * 2 / sound.shape[1] ** 2
    weighted = power[1:] * a_weighting(np.fft.rfftfreq(sound.shape[1], 1 / RATE)[1:]) ** 2
    assert 10 * np.log10(weighted.sum() / REFERENCE_PA**2) == pytest.approx(20.0, abs=0.2)


def test_equaliser_has_the_gains_asked_for():
    impulse = np.zeros((1, 8192), dtype=np.float32)
    impulse[0, 0] = 1
    gains = (-6.0, -3.0, 0.0, 2.0, 0.0, -1.0, 0.0, 3.0, -4.0)
    level = 20 * np.log10(np.abs(np.fft.rfft(equalised(impulse, gains, RATE)[0])))
    got = [level[round(f / RATE * 8192)] for f in (250, 500, 1000, 2000, 4000, 8000, 16000)]
    assert np.allclose(got, gains[2:], atol=0.5)
    with pytest.raises(SimulationError, match="gains"):
        equalised(impulse, (1.0,), RATE)
