"""`music-file`: what is in the file comes out; what is wrong with it is said in one line."""

import numpy as np
import pytest
import soundfile
from acoustic_sense_plugins.music.music_file import MusicFile, MusicFileConfig

from acoustic_sense.errors import AudioError
from acoustic_sense.testing import check_signal_source

RATE_HZ = 48_000


def tone(seconds, rate_hz, frequency_hz=440.0, amplitude=0.5):
    t = np.arange(round(seconds * rate_hz)) / rate_hz
    return amplitude * np.sin(2 * np.pi * frequency_hz * t)


@pytest.fixture
def track(tmp_path):
    """Two seconds of stereo at 44.1 kHz: 440 Hz left, 660 Hz right."""
    path = tmp_path / "track.flac"
    stereo = np.stack([tone(2, 44_100), tone(2, 44_100, 660)], axis=1)
    soundfile.write(path, stereo, 44_100, subtype="PCM_24")
    return path


def generate(path, duration_s=1.0, rate_hz=RATE_HZ, speakers=2, seed=0, **settings):
    source = MusicFile(MusicFileConfig(path=path, **settings))
    return source.generate(duration_s, rate_hz, speakers, np.random.default_rng(seed))


def message(path, **arguments):
    with pytest.raises(AudioError) as caught:
        generate(path, **arguments)
    text = str(caught.value)
    assert "\n" not in text
    assert path.name in text
    return text


def test_keeps_the_contract(track):
    check_signal_source(MusicFile, {"path": str(track)})


@pytest.mark.parametrize("extension", ["wav", "flac", "ogg", "mp3"])
def test_reads_the_usual_formats(tmp_path, extension):
    path = tmp_path / f"track.{extension}"
    soundfile.write(path, tone(2, RATE_HZ), RATE_HZ)
    samples = generate(path)
    spectrum = np.abs(np.fft.rfft(samples[0]))
    assert np.argmax(spectrum) == 440
    assert np.abs(samples).max() == pytest.approx(0.5, abs=0.05)


def test_a_file_at_the_asked_rate_comes_out_bit_for_bit(tmp_path):
    path = tmp_path / "track.wav"
    stereo = np.random.default_rng(0).uniform(-1, 1, (9600, 2)).astype(np.float32)
    soundfile.write(path, stereo, RATE_HZ, subtype="FLOAT")
    np.testing.assert_array_equal(generate(path, 0.1, start_s=0.05), stereo[2400:7200].T)


@pytest.mark.parametrize("start_s", [0.0, 0.7])
def test_resampling_keeps_the_waveform(track, start_s):
    samples = generate(track, 1.0, start_s=start_s)
    t = start_s + np.arange(RATE_HZ) / RATE_HZ
    inner = slice(500, -500)
    for channel, frequency in enumerate((440, 660)):
        expected = 0.5 * np.sin(2 * np.pi * frequency * t)
        np.testing.assert_allclose(samples[channel][inner], expected[inner], atol=1e-4)


def test_a_longer_signal_begins_with_the_shorter_one(track):
    short, long = generate(track, 0.4), generate(track, 1.7)
    np.testing.assert_allclose(long[:, : short.shape[1]], short, atol=1e-7)


def test_the_whole_file_can_be_asked_for(track):
    assert generate(track, 2.0).shape == (2, 2 * RATE_HZ)


def test_only_the_part_that_is_asked_for_is_read(track, monkeypatch):
    frames = []
    read = soundfile.SoundFile.read

    def counting_read(file, *arguments, **keywords):
        part = read(file, *arguments, **keywords)
        frames.append(part.shape[0])
        return part

    monkeypatch.setattr(soundfile.SoundFile, "read", counting_read)
    generate(track, 0.1)
    assert sum(frames) < 0.5 * 44_100


def test_looping_goes_on_without_a_seam(tmp_path):
    path = tmp_path / "loop.wav"
    soundfile.write(path, tone(0.5, 44_100), 44_100, subtype="FLOAT")  # 220 whole cycles
    samples = generate(path, 1.7, loop=True)
    expected = 0.5 * np.sin(2 * np.pi * 440 * np.arange(samples.shape[1]) / RATE_HZ)
    np.testing.assert_allclose(samples[0], expected, atol=1e-4)


def test_a_random_start_follows_the_generator(track):
    first, again, other = (generate(track, 3.0, seed=s, random_start=True) for s in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_mono_goes_to_every_loudspeaker(tmp_path):
    path = tmp_path / "mono.wav"
    soundfile.write(path, tone(1, RATE_HZ), RATE_HZ)
    samples = generate(path, 0.5, speakers=3)
    np.testing.assert_array_equal(samples, np.tile(samples[0], (3, 1)))


def test_stereo_is_dealt_out_in_turn_and_mixed_for_one_loudspeaker(track):
    two, four, one = (generate(track, 0.5, speakers=count) for count in (2, 4, 1))
    np.testing.assert_array_equal(four, np.concatenate([two, two]))
    np.testing.assert_allclose(one[0], two.mean(axis=0), atol=1e-7)


def test_gain_is_in_decibels(track):
    np.testing.assert_allclose(generate(track, gain_db=-20.0), 0.1 * generate(track), atol=1e-6)


def test_genre_is_what_the_configuration_says(track):
    assert MusicFile(MusicFileConfig(path=track, genre="jazz")).genre == "jazz"


def test_a_missing_file_a_folder_and_a_text_file_are_named(tmp_path):
    assert "no such audio file" in message(tmp_path / "none.wav")
    assert "folder" in message(tmp_path)
    text = tmp_path / "notes.txt"
    text.write_text("not a sound")
    assert "cannot be read as audio" in message(text)
    cut = tmp_path / "cut.flac"
    cut.write_bytes(b"fLaC\x00")
    assert "cannot be read as audio" in message(cut)


def test_a_file_that_is_too_short_says_how_to_mend_it(track):
    assert "loop = true" in message(track, duration_s=2.5)
    assert "start earlier" in message(track, start_s=5.0)


def test_an_empty_file_is_refused(tmp_path):
    path = tmp_path / "empty.wav"
    soundfile.write(path, np.zeros((0, 2)), RATE_HZ)
    assert "holds no samples" in message(path)


def test_silence_is_refused(tmp_path):
    path = tmp_path / "silent.wav"
    soundfile.write(path, np.zeros((RATE_HZ, 2)), RATE_HZ)
    assert "silent" in message(path, duration_s=0.5)


def test_values_that_are_not_finite_are_refused(tmp_path):
    path = tmp_path / "nan.wav"
    soundfile.write(path, np.full(RATE_HZ, np.nan, dtype=np.float32), RATE_HZ, subtype="FLOAT")
    assert "not finite" in message(path, duration_s=0.5)


def test_gross_overload_is_refused_with_the_gain_that_fits(track):
    assert "lower gain_db by 14.0 dB" in message(track, gain_db=20.0, rate_hz=44_100)
