"""`generated-music`: deterministic, musical, and with the spectrum of real tracks."""

import json
from itertools import pairwise
from pathlib import Path

import librosa
import numpy as np
import pytest
from acoustic_sense_plugins.music import harmony, mastering, oscillators
from acoustic_sense_plugins.music.generated import STYLES, GeneratedMusic, GeneratedMusicConfig
from acoustic_sense_plugins.music.score import Shelf, draw_plan
from scipy import signal

from acoustic_sense.testing import check_signal_source

RATE_HZ = 48_000
REFERENCE = Path(__file__).parents[2] / "benchmarks" / "results" / "music_spectra.json"
REFERENCE_GENRE = {"ambient": "ambient", "jazz": "jazz", "electronic": None}
TOLERANCE_DB = 6.0


def generate(style="random", duration_s=8.0, seed=0, rate_hz=RATE_HZ, speakers=2, **settings):
    source = GeneratedMusic(GeneratedMusicConfig(style=style, **settings))
    return source.generate(duration_s, rate_hz, speakers, np.random.default_rng(seed))


def log_mel(samples):
    """The playback channels of the feature stack, written out: `(channel, frame, bin)`."""
    frames = samples[:, : samples.shape[1] // 2400 * 2400].reshape(samples.shape[0], -1, 2400)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(2400) / 2400)
    power = np.abs(np.fft.rfft(frames * window)) ** 2
    filters = librosa.filters.mel(sr=RATE_HZ, n_fft=2400, n_mels=128)
    return 10 * np.log10(np.maximum(power @ filters.T, 1e-10))


@pytest.fixture(scope="module")
def pieces():
    return {
        style: [log_mel(generate(style, 30.0, seed=seed)) for seed in (100, 101)]
        for style in STYLES
    }


@pytest.fixture(scope="module")
def real_tracks():
    return json.loads(REFERENCE.read_text())["real"]


def of_genre(real_tracks, style):
    genre = REFERENCE_GENRE[style]
    return [row for row in real_tracks.values() if genre in (None, row["genre"])]


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("key", ["mean_db", "std_db"])
def test_log_mel_statistics_are_within_6_db_of_the_real_tracks(style, key, pieces, real_tracks):
    measure = np.mean if key == "mean_db" else np.std
    generated = np.mean([measure(levels) for levels in pieces[style]])
    real = np.mean([row[key] for row in of_genre(real_tracks, style)])
    assert abs(generated - real) <= TOLERANCE_DB


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("key", ["mean_db", "std_db"])
def test_every_piece_is_within_6_db_of_the_range_of_the_real_tracks(
    style, key, pieces, real_tracks
):
    measure = np.mean if key == "mean_db" else np.std
    real = [row[key] for row in of_genre(real_tracks, style)]
    for levels in pieces[style]:
        value = measure(levels)
        assert min(real) - TOLERANCE_DB <= value <= max(real) + TOLERANCE_DB


@pytest.mark.parametrize("style", STYLES)
def test_the_spectrum_varies_over_time_as_in_real_tracks(style, pieces, real_tracks):
    generated = np.mean([levels.std(axis=1).mean() for levels in pieces[style]])
    real = np.mean([row["std_over_time_db"] for row in of_genre(real_tracks, style)])
    assert abs(generated - real) <= TOLERANCE_DB


@pytest.mark.parametrize("style", STYLES)
def test_the_spectrum_has_the_shape_of_the_real_tracks(style, pieces, real_tracks):
    """Up to about 12 kHz; above it every lossy file ends somewhere else."""
    profile = np.mean([levels.mean(axis=(0, 1)) for levels in pieces[style]], axis=0)
    generated = profile.reshape(-1, 8).mean(axis=1)[:14]
    real = np.mean([row["profile_db"][:14] for row in of_genre(real_tracks, style)], axis=0)
    assert np.sqrt(np.mean((generated - real) ** 2)) < 8.0


@pytest.mark.parametrize("style", STYLES)
def test_every_style_keeps_the_contract(style):
    check_signal_source(GeneratedMusic, {"style": style})


@pytest.mark.parametrize("style", STYLES)
def test_a_longer_piece_begins_with_the_shorter_one_across_bars(style):
    short, long = generate(style, 5.3, seed=5), generate(style, 11.0, seed=5)
    np.testing.assert_array_equal(long[:, : short.shape[1]], short)


@pytest.mark.parametrize("style", STYLES)
def test_pieces_sound_from_the_first_moment_and_never_clip(style):
    for seed in range(3):
        samples = generate(style, 6.0, seed=seed)
        assert np.abs(samples[:, : RATE_HZ // 2]).max() > 1e-3
        assert np.abs(samples).max() < 1.0


def test_another_seed_is_another_piece():
    first, second = (generate("jazz", 4.0, seed=seed).astype(float) for seed in (1, 2))
    assert abs(np.corrcoef(first[0], second[0])[0, 1]) < 0.3


@pytest.mark.parametrize("style", STYLES)
def test_the_piece_is_the_same_at_another_sample_rate(style):
    """Compared by loudness in 0.1 s frames under 4 kHz; noise is drawn per sample and differs."""

    def envelope(rate_hz):
        samples = generate(style, 10.0, seed=3, rate_hz=rate_hz)[0]
        frames = samples.reshape(100, -1)
        power = np.abs(np.fft.rfft(frames)) ** 2 / frames.shape[1] ** 2
        return np.log(power[:, :400].sum(axis=1))

    assert np.corrcoef(envelope(48_000), envelope(32_000))[0, 1] > 0.95


def test_stereo_has_width_and_the_width_can_be_taken_away():
    wide, none = (generate("ambient", 10.0, stereo_width=width) for width in (1.0, 0.0))
    assert 0.2 < np.corrcoef(wide)[0, 1] < 0.95
    np.testing.assert_array_equal(none[0], none[1])


def test_one_loudspeaker_gets_the_mean_of_left_and_right():
    stereo, mono = (generate("jazz", 3.0, speakers=count) for count in (2, 1))
    np.testing.assert_allclose(mono[0], stereo.mean(axis=0), atol=1e-7)


def test_the_tempo_can_be_set():
    """Onsets of the bass drum, four to the bar, are 0.5 s apart at 120 beats a minute."""
    samples = generate("electronic", 6.0, tempo_bpm=120.0)[0]
    low = np.abs(samples.reshape(-1, 480)).max(axis=1)
    low = low - low.mean()
    correlation = np.correlate(low, low, "full")[low.size :]
    assert np.argmax(correlation[30:75]) + 31 == pytest.approx(50, abs=1)


def test_gain_scales_the_track():
    loud, soft = (generate("jazz", 2.0, gain_db=gain) for gain in (0.0, -20.0))
    np.testing.assert_allclose(soft, 0.1 * loud, rtol=1e-6)


def test_nothing_is_left_above_the_bandwidth():
    samples = generate("electronic", 5.0, bandwidth_hz=8000.0)
    power = np.abs(np.fft.rfft(samples[0] * np.hanning(samples.shape[1]))) ** 2
    frequency_hz = np.fft.rfftfreq(samples.shape[1], 1 / RATE_HZ)
    assert power[frequency_hz > 8600].max() < 1e-7 * power[frequency_hz < 8000].max()


def test_genre_is_the_style():
    assert GeneratedMusic(GeneratedMusicConfig(style="jazz")).genre == "jazz"
    assert GeneratedMusic().genre == "generated"


def test_every_progression_uses_known_chords_and_chords_follow_the_form():
    for style, passages in harmony.PROGRESSIONS.items():
        for passage in passages:
            assert all(kind in harmony.INTERVALS and 0 <= root < 12 for root, kind in passage)
        plan = draw_plan(style, 4, (100.0, 100.0), np.random.default_rng(0))
        first = plan.progressions[0]
        assert [plan.chord(bar) for bar in range(2 * len(first))] == list(first) * 2


def test_voicings_hold_the_chord_and_move_little():
    chords = [harmony.Chord(2, "min7"), harmony.Chord(7, "7"), harmony.Chord(0, "maj7")]
    voicings = [harmony.close_voicing(chord.tones, 60.0) for chord in chords]
    for chord, voicing in zip(chords, voicings, strict=True):
        assert {pitch % 12 for pitch in voicing} == set(chord.tones)
    for before, after in pairwise(voicings):
        assert np.abs(np.subtract(after, before)).max() <= 4


def test_decaying_partials_equal_the_written_out_sum():
    generator = np.random.default_rng(0)
    f, a = generator.uniform(50, 5000, 5), generator.uniform(0, 1, 5)
    d, p = generator.uniform(0.1, 0.5, 5), generator.uniform(0, 6, 5)
    t = np.arange(3000)[:, None] / RATE_HZ
    expected = np.sum(a * np.exp(-t / d) * np.cos(2 * np.pi * f * t + p), axis=1)
    found = oscillators.decaying_partials(f, a, d, p, 3000, RATE_HZ)
    np.testing.assert_allclose(found, expected, atol=1e-9)


@pytest.mark.parametrize("kind", ["low", "high"])
def test_shelves_change_their_side_by_the_gain_and_leave_the_other(kind):
    sections = mastering.shelf_section(Shelf(kind, 1000.0, -9.0), RATE_HZ)
    _, response = signal.sosfreqz(sections, [20.0, 1000.0, 20_000.0], fs=RATE_HZ)
    changed = [-9, -4.5, 0] if kind == "low" else [0, -4.5, -9]
    np.testing.assert_allclose(20 * np.log10(np.abs(response)), changed, atol=0.1)


def test_the_limiter_is_transparent_below_its_knee_and_bounded_above():
    ramp = np.tile(np.linspace(-30, 30, 60_001), (2, 1))
    limited = mastering.limited(ramp)
    quiet = np.abs(ramp) <= mastering.KNEE
    np.testing.assert_array_equal(limited[quiet], ramp[quiet])
    assert np.abs(limited).max() < mastering.CEILING
    assert np.diff(limited[0]).min() > 0


def test_the_page_has_the_table_of_the_stored_numbers():
    numbers = json.loads(REFERENCE.read_text())
    page = (REFERENCE.parents[2] / "docs" / "explanation" / "playback-signals.md").read_text()
    rows = [line.split("|")[1:-1] for line in page.splitlines() if line.count("|") == 6]
    cells = {row[0].strip(): [cell.strip() for cell in row[2:]] for row in rows}
    for group in ("real", "generated"):
        for name, row in numbers[group].items():
            expected = [f"{row[key]:.1f}" for key in ("mean_db", "std_db", "std_over_time_db")]
            assert cells[f"{group}: {name}"] == expected
