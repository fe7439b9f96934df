"""What every signal source promises, and what the test signals are."""

import subprocess
import sys

import numpy as np
import pytest
from acoustic_sense_plugins.test_signals import fmcw, log_sweep, mls, tsp, white_noise
from scipy import signal

from acoustic_sense.errors import AudioError, ConfigError
from acoustic_sense.plugin_loading import load_plugins
from acoustic_sense.testing import check_signal_source

NAMES = (
    "music-file",
    "generated-music",
    "tsp",
    "log-sweep",
    "mls",
    "white-noise",
    "fmcw",
)
WITHOUT_FILE = NAMES[1:]
RATE_HZ = 48_000


def make(name, **settings):
    source_class = load_plugins().signal_sources[name]
    return source_class(source_class.parse(settings))


def generate(source, duration_s=1.0, rate_hz=RATE_HZ, speakers=2, seed=0):
    return source.generate(duration_s, rate_hz, speakers, np.random.default_rng(seed))


def test_the_hooks_register_every_source():
    assert set(NAMES) <= set(load_plugins().signal_sources)
    assert not [failure for failure in load_plugins().failures if "signal" in str(failure)]


@pytest.mark.parametrize("name", WITHOUT_FILE)
def test_every_source_keeps_the_contract(name):
    check_signal_source(load_plugins().signal_sources[name])


@pytest.mark.parametrize("name", WITHOUT_FILE)
@pytest.mark.parametrize("rate_hz", [16_000, 44_100, 96_000])
def test_every_source_works_at_every_rate(name, rate_hz):
    samples = generate(make(name), 0.31, rate_hz, speakers=3)
    assert samples.shape == (3, round(0.31 * rate_hz))
    assert samples.dtype == np.float32
    assert samples.flags.c_contiguous
    assert 0 < np.abs(samples).max() <= 1


@pytest.mark.parametrize("name", WITHOUT_FILE)
def test_a_longer_signal_begins_with_the_shorter_one_bit_for_bit(name):
    short, long = (generate(make(name), seconds) for seconds in (0.777, 1.9))
    np.testing.assert_array_equal(long[:, : short.shape[1]], short)


def test_signal_sources_import_no_torch():
    code = (
        "import sys, numpy as np\n"
        "from acoustic_sense_plugins.music import generated, music_file\n"
        "from acoustic_sense_plugins.test_signals import fmcw, log_sweep, mls, tsp, white_noise\n"
        "generated.GeneratedMusic().generate(0.5, 16000, 2, np.random.default_rng(0))\n"
        "print([m for m in ('torch', 'librosa', 'numba', 'lightning') if m in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.stdout.strip() == "[]", result.stderr


@pytest.mark.parametrize("name", ["tsp", "log-sweep", "mls", "fmcw", "white-noise"])
def test_test_signals_have_the_level_that_is_asked_for(name):
    samples = generate(make(name, rms_db=-26.0), 4.0)
    assert 20 * np.log10(np.sqrt(np.mean(samples**2))) == pytest.approx(-26, abs=0.1)


@pytest.mark.parametrize("name", ["tsp", "log-sweep", "mls", "fmcw"])
def test_periodic_signals_are_the_same_on_all_loudspeakers_and_ignore_the_generator(name):
    first, second = (generate(make(name), seed=seed, speakers=3) for seed in (0, 1))
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(first, np.tile(first[0], (3, 1)))


def test_a_level_beyond_full_scale_is_refused_with_one_that_fits():
    with pytest.raises(AudioError, match="set rms_db to -3") as caught:
        generate(make("fmcw", rms_db=-1.0))
    fits = float(str(caught.value).split("rms_db to ")[1].split()[0])
    assert np.abs(generate(make("fmcw", rms_db=fits))).max() <= 1


# Time-stretched pulse


@pytest.mark.parametrize("fraction", [0.25, 0.5, 1.0])
def test_linear_pulse_has_a_flat_spectrum(fraction):
    spectrum = np.abs(np.fft.rfft(tsp.linear_pulse(4096, fraction)))
    np.testing.assert_allclose(spectrum, 1.0, atol=1e-12)


def test_pink_pulse_falls_by_three_decibels_an_octave():
    power = np.abs(np.fft.rfft(tsp.pink_pulse(4096))) ** 2
    octaves = 10 * np.log10(power[2 ** np.arange(1, 12)])
    np.testing.assert_allclose(np.diff(octaves), -10 * np.log10(2), atol=1e-9)


@pytest.mark.parametrize("make_pulse", [tsp.linear_pulse, tsp.pink_pulse])
def test_deconvolving_the_pulse_gives_the_unit_pulse(make_pulse):
    pulse = make_pulse(4096, 0.5)
    unit = np.zeros(4096)
    unit[0] = 1
    np.testing.assert_allclose(tsp.deconvolved(pulse, pulse), unit, atol=1e-12)


@pytest.mark.parametrize("make_pulse", [tsp.linear_pulse, tsp.pink_pulse])
def test_a_rooms_response_is_found_from_a_steady_recording(make_pulse):
    generator = np.random.default_rng(0)
    pulse = make_pulse(4096)
    response = generator.standard_normal(1500) * np.exp(-np.arange(1500) / 200)
    recording = np.convolve(np.tile(pulse, 3), response)
    found = tsp.deconvolved(recording[4096 : 2 * 4096], pulse)
    np.testing.assert_allclose(found[:1500], response, atol=1e-9)


def test_the_playback_is_the_pulse_repeated():
    samples = generate(make("tsp"), 0.5)[0]
    pulse = tsp.linear_pulse(4096)
    expected = pulse * 0.1 / np.sqrt(np.mean(pulse**2))
    np.testing.assert_allclose(samples[4096:8192], expected, atol=1e-7)
    np.testing.assert_array_equal(samples[:4096], samples[4096:8192])


def test_the_linear_pulse_sweeps_upwards():
    pulse = tsp.linear_pulse(4096, 0.5)
    early, late = pulse[1200:1700], pulse[2400:2900]
    centroid = [np.argmax(np.abs(np.fft.rfft(part))) for part in (early, late)]
    assert centroid[0] < centroid[1]


def test_an_odd_pulse_length_is_refused():
    with pytest.raises(ConfigError, match="even"):
        make("tsp", samples=4095)


# Sweeps, sequence, noise


def test_sweep_and_inverse_give_the_band_limited_unit_pulse():
    arguments = (50.0, 20_000.0, 1.0, RATE_HZ)
    sweep = log_sweep.exponential_sweep(*arguments)
    pulse = signal.fftconvolve(sweep, log_sweep.inverse_sweep(*arguments))
    peak = sweep.size - 1
    assert np.argmax(np.abs(pulse)) == peak
    assert pulse[peak] == pytest.approx(1, abs=1e-9)
    far = np.abs(np.concatenate([pulse[: peak - 4800], pulse[peak + 4800 :]]))
    assert far.max() < 0.002
    window = pulse[peak - 2400 : peak + 2400]
    level = 20 * np.log10(np.abs(np.fft.rfft(window)))
    band = slice(15, 1600)  # 150 Hz to 16 kHz in steps of 10 Hz
    assert np.ptp(level[band]) < 1.0


def test_every_octave_of_the_log_sweep_takes_the_same_time():
    sweep = log_sweep.exponential_sweep(100.0, 1600.0, 4.0, RATE_HZ)
    upward = np.flatnonzero((sweep[:-1] < 0) & (sweep[1:] >= 0))
    frequency_hz = RATE_HZ / np.diff(upward)
    crossings = [upward[np.argmax(frequency_hz >= f)] / RATE_HZ for f in (200, 400, 800)]
    np.testing.assert_allclose(crossings, [1, 2, 3], atol=0.02)


def test_a_pause_follows_each_sweep():
    samples = generate(make("log-sweep", sweep_s=0.2, pause_s=0.1), 0.6)[0]
    assert np.abs(samples[9600:14400]).max() == 0
    np.testing.assert_array_equal(samples[:14400], samples[14400:])


@pytest.mark.parametrize("name", ["log-sweep", "fmcw"])
def test_a_sweep_beyond_half_the_sample_rate_is_refused(name):
    with pytest.raises(AudioError, match="half the sample rate"):
        generate(make(name, high_hz=20_000.0), rate_hz=16_000)
    with pytest.raises(AudioError, match="no width"):
        generate(make(name, low_hz=9000.0), rate_hz=16_000)


@pytest.mark.parametrize("order", [4, 10, 15])
def test_the_autocorrelation_of_the_sequence_is_a_pulse(order):
    sequence = mls.maximum_length_sequence(order)
    circular = np.fft.irfft(np.abs(np.fft.rfft(sequence)) ** 2, sequence.size)
    assert circular[0] == pytest.approx(2**order - 1)
    np.testing.assert_allclose(circular[1:], -1, atol=1e-6)


def test_the_chirp_repeats_without_a_jump():
    period = fmcw.linear_chirp(2000.0, 20_000.0, 0.0501, RATE_HZ)
    steps = np.abs(np.diff(np.concatenate([period[-3:], period[:3]])))
    # at the seam the frequency falls from 20 kHz to 2 kHz but the phase goes on: the sample after
    # the last is the first, so the last step is at most that of a 20 kHz wave
    assert steps[2] <= 2 * np.sin(np.pi * 20_000 / RATE_HZ) + 1e-9
    length_s = period.size / RATE_HZ
    cycles = 0.5 * (2000 + 20_000) * length_s
    assert round(cycles) == pytest.approx(cycles, abs=0.5)
    assert period[0] == pytest.approx(0, abs=1e-12)


def test_white_noise_is_flat_and_gaussian():
    samples = generate(make("white-noise"), 20.0, speakers=1)[0].astype(float)
    _, power = signal.welch(samples, fs=RATE_HZ, nperseg=1024)
    assert np.ptp(10 * np.log10(power[4:-4])) < 2.0
    kurtosis = np.mean(samples**4) / np.mean(samples**2) ** 2
    assert kurtosis == pytest.approx(3, abs=0.05)


def test_white_noise_is_independent_between_loudspeakers_unless_told():
    own = generate(make("white-noise"), 2.0)
    assert abs(np.corrcoef(own)[0, 1]) < 0.02
    same = generate(make("white-noise", independent=False), 2.0)
    np.testing.assert_array_equal(same[0], same[1])


def test_white_noise_never_exceeds_full_scale_at_its_loudest():
    loudest = make("white-noise", rms_db=white_noise.LOUDEST_RMS_DB)
    samples = generate(loudest, 30.0)
    assert np.abs(samples).max() <= 1
    assert np.mean(np.abs(samples) >= 1) < 1e-5
