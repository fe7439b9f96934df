"""The pictures that reports are made of."""

import base64
import struct
import zlib

import numpy as np
import pytest

from acoustic_sense.reporting.charts import line_chart, round_up, time_ticks
from acoustic_sense.reporting.png import heat_map_uri, palette
from acoustic_sense.reporting.scene_plan import plan_views, wall_points
from acoustic_sense.reporting.spectrogram import log_mel, spectrogram_image
from acoustic_sense.types import Scene


def read_png(uri: str) -> tuple[np.ndarray, np.ndarray]:
    """A literal PNG reader: indices, and the palette; checks every checksum."""
    data = base64.b64decode(uri.removeprefix("data:image/png;base64,"))
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    chunks, position = {}, 8
    while position < len(data):
        (length,) = struct.unpack(">I", data[position : position + 4])
        body = data[position + 4 : position + 8 + length]
        (check,) = struct.unpack(">I", data[position + 8 + length : position + 12 + length])
        assert check == zlib.crc32(body)
        chunks[body[:4]] = body[4:]
        position += 12 + length
    width, height, depth, colour_type = struct.unpack(">IIBB", chunks[b"IHDR"][:10])
    assert (depth, colour_type) == (8, 3)
    rows = np.frombuffer(zlib.decompress(chunks[b"IDAT"]), np.uint8).reshape(height, width + 1)
    assert not rows[:, 0].any()
    return rows[:, 1:], np.frombuffer(chunks[b"PLTE"], np.uint8).reshape(256, 3)


def test_heat_map_reads_back_as_its_values() -> None:
    values = np.array([[0.0, 0.5, 1.0], [-9.0, 0.25, 9.0]])
    indices, colours = read_png(heat_map_uri(values, 0.0, 1.0))
    np.testing.assert_array_equal(indices, [[0, 128, 255], [0, 64, 255]])
    np.testing.assert_array_equal(colours, palette())


def test_palette_grows_lighter_all_the_way() -> None:
    lightness = palette() @ np.array([0.2126, 0.7152, 0.0722])
    assert (np.diff(lightness) > -0.3).all()
    assert lightness[-1] - lightness[0] > 200


def test_tone_lights_up_its_own_band_at_its_own_time() -> None:
    time = np.arange(48_000) / 48_000
    tone = np.where(time > 0.5, np.sin(2 * np.pi * 3000 * time), 0.0).astype(np.float32)
    levels = log_mel(tone, 48_000, 100)
    assert levels[:, 75].max() > levels[:, 25].max() + 60
    # Slaney's scale: linear to 1 kHz (66.7 Hz a mel), then 27 mels to a factor of 6.4.
    mel = 15 + 27 * np.log(3.0) / np.log(6.4)
    top = 15 + 27 * np.log(24.0) / np.log(6.4)
    assert levels[:, 75].argmax() == pytest.approx(mel / top * 129 - 1, abs=1)


def test_short_and_silent_signals_have_spectrograms() -> None:
    for samples in (np.zeros(10, np.float32), np.zeros(48_000, np.float32)):
        image = spectrogram_image(samples, 48_000)
        indices, _ = read_png(image.uri)
        assert indices.shape[0] == 128
        assert image.top_hz == 24_000


def test_wall_points_mirror_the_angle_of_incidence() -> None:
    source, receiver, size = (1.0, 1.2, 0.7), (4.0, 1.6, 4.1), (6.0, 3.0, 5.0)
    points = wall_points(source, receiver, size)
    assert len(points) == 6
    for (axis, point), wall in zip(points, [0, 6, 0, 3, 0, 5], strict=True):
        assert point[axis] == pytest.approx(wall)
        arriving = point - np.array(source)
        leaving = np.array(receiver) - point
        arriving /= np.linalg.norm(arriving)
        leaving /= np.linalg.norm(leaving)
        arriving[axis] *= -1
        np.testing.assert_allclose(arriving, leaving, atol=1e-12)


def test_views_keep_up_up_and_right_handed() -> None:
    above, side = plan_views(Scene())
    assert above.point((1, 0, 1))[0] < above.point((2, 0, 1))[0]
    assert above.point((1, 0, 1))[1] < above.point((1, 0, 2))[1]
    assert side.point((1, 0.0, 1))[1] > side.point((1, 2.0, 1))[1]
    assert side.across == 2  # loudspeakers and microphone face each other along z


def test_line_chart_puts_the_top_value_on_top() -> None:
    chart = line_chart({"estimate": [0.0, 2.0]}, "a < b", top=2.0)
    assert 'points="250.0,120.0 750.0,0.0"' in chart
    assert 'aria-label="a &lt; b"' in chart


@pytest.mark.parametrize("value", [0.003, 0.99, 1.0, 2.4, 8.1, 120.0])
def test_round_up_is_never_below(value: float) -> None:
    assert value <= round_up(value) <= 2 * value


@pytest.mark.parametrize("seconds", [0.6, 2, 6, 60])
def test_ticks_are_few_and_inside(seconds: float) -> None:
    ticks = time_ticks(seconds)
    assert 2 <= ticks.count("<span") <= 11
    assert f"{seconds + 1:g} s<" not in ticks
