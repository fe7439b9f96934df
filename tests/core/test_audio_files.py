"""Audio files: every bad one is named, every change is told."""

import numpy as np
import pytest
import soundfile

from acoustic_sense.errors import AudioError
from acoustic_sense.inference.audio_files import read_pair, read_playback, read_recording


def noise(channels, seconds, rate_hz=48_000, seed=0):
    rng = np.random.default_rng(seed)
    shape = (round(seconds * rate_hz), channels)
    return (0.1 * rng.standard_normal(shape)).astype(np.float32)


@pytest.fixture
def files(tmp_path):
    """Return a function that writes audio and returns its path."""

    def write(name, samples, rate_hz=48_000, **options):
        soundfile.write(tmp_path / name, samples, rate_hz, **options)
        return tmp_path / name

    return write


@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.ogg"])
def test_reads_every_container(files, name):
    heard = read_recording(files(name, noise(4, 1.0)))
    assert heard.samples.shape == (4, 48_000)
    assert heard.samples.dtype == np.float32


def test_ambix_file_becomes_w_x_y_z(files):
    samples = np.zeros((48_000, 4), dtype=np.float32)
    samples[:, :] = [0.1, 0.2, 0.3, 0.4]  # W, Y, Z, X
    path = files("a.wav", samples, subtype="FLOAT")
    np.testing.assert_allclose(read_recording(path).samples[:, 0], [0.1, 0.4, 0.2, 0.3])


@pytest.mark.parametrize(
    ("channels", "expected"),
    [
        ("wxyz", [0.1, 0.2, 0.3, 0.4]),
        ("n3d", [0.1, 0.2 / 3**0.5, 0.3 / 3**0.5, 0.4 / 3**0.5]),
        ("fuma", [0.1 * 2**0.5, 0.2, 0.3, 0.4]),
    ],
)
def test_other_conventions_are_converted_by_name(files, channels, expected):
    samples = np.tile(np.float32([0.1, 0.2, 0.3, 0.4]), (48_000, 1))
    path = files("a.wav", samples, subtype="FLOAT")
    np.testing.assert_allclose(read_recording(path, channels).samples[:, 0], expected, rtol=1e-6)


def test_another_rate_is_resampled_with_a_note(files):
    rate_hz = 44_100
    time_s = np.arange(2 * rate_hz) / rate_hz
    tone = np.tile(0.5 * np.sin(2 * np.pi * 1000 * time_s)[:, None], (1, 4))
    notes = []
    path = files("a.wav", tone, rate_hz, subtype="FLOAT")
    heard = read_recording(path, note=notes.append)
    assert notes == ["a.wav is at 44100 Hz; resampled to 48000 Hz"]
    assert heard.sample_rate_hz == 48_000
    expected = 0.5 * np.sin(2 * np.pi * 1000 * np.arange(heard.samples.shape[1]) / 48_000)
    inner = slice(4800, -4800)
    np.testing.assert_allclose(heard.samples[0, inner], expected[inner], atol=1e-4)


def test_pair_is_cut_to_the_shorter_with_a_note(files):
    pair = read_pair(files("a.wav", noise(4, 2.0)), files("b.wav", noise(2, 1.5)))
    assert pair.recording.samples.shape == (4, 72_000)
    assert pair.playback.samples.shape == (2, 72_000)
    assert pair.notes == ("a.wav lasts 2.000 s and b.wav 1.500 s; both are cut to 1.500 s",)


def test_a_pair_of_one_length_has_no_notes(files):
    pair = read_pair(files("a.wav", noise(4, 1.0)), files("b.wav", noise(1, 1.0)))
    assert pair.notes == ()


def test_rejects_a_missing_file(tmp_path):
    with pytest.raises(AudioError, match=r"a\.wav: no such file; check the path"):
        read_recording(tmp_path / "a.wav")


def test_rejects_a_folder(tmp_path):
    with pytest.raises(AudioError, match="is a folder"):
        read_playback(tmp_path)


@pytest.mark.parametrize("content", [b"", b"not audio at all", b"RIFF\x00\x00\x00\x00WAVE"])
def test_rejects_what_is_not_audio(tmp_path, content):
    (tmp_path / "a.wav").write_bytes(content)
    with pytest.raises(AudioError, match="give WAV, FLAC or OGG"):
        read_recording(tmp_path / "a.wav")


@pytest.mark.parametrize(
    ("count", "words"), [(1, "1 channel"), (2, "2 channels"), (9, "9 channels")]
)
def test_rejects_a_wrong_channel_count_and_says_what_it_needs(files, count, words):
    with pytest.raises(AudioError, match=f"has {words} but a recording needs 4"):
        read_recording(files("a.wav", noise(count, 1.0)))


@pytest.mark.parametrize(("gain", "words"), [(0.0, "all samples are 0"), (1e-6, "its peak is")])
def test_rejects_silence(files, gain, words):
    path = files("a.wav", gain * noise(4, 1.0), subtype="FLOAT")
    with pytest.raises(AudioError, match=f"is silent .{words}"):
        read_recording(path)


def test_rejects_a_recording_shorter_than_a_clip(files):
    with pytest.raises(AudioError, match=r"lasts 0\.590 s but a clip needs 0\.6 s"):
        read_recording(files("a.wav", noise(4, 0.59)))
    read_recording(files("b.wav", noise(4, 0.6)))


def test_rejects_a_playback_shorter_than_a_clip(files):
    with pytest.raises(AudioError, match=r"b\.wav: lasts 0\.400 s"):
        read_pair(files("a.wav", noise(4, 1.0)), files("b.wav", noise(2, 0.4)))


def test_rejects_values_that_are_not_finite(files):
    samples = noise(4, 1.0)
    samples[7, 2] = np.nan
    samples[8, 1] = np.inf
    with pytest.raises(AudioError, match="holds 2 samples that are not finite"):
        read_recording(files("a.wav", samples, subtype="FLOAT"))


def test_rejects_an_empty_file(files):
    with pytest.raises(AudioError, match="holds no samples"):
        read_playback(files("a.wav", noise(2, 0.0)))


def test_suggests_the_channel_convention_that_was_meant(files):
    with pytest.raises(AudioError, match="unknown channel convention 'ambx'; did you mean 'ambix'"):
        read_recording(files("a.wav", noise(4, 1.0)), "ambx")
