"""Images as PNG data URIs, coloured from dark (low) to bright (high)."""

import base64
import struct
import zlib

import numpy as np
from jaxtyping import Float, UInt8

_ANCHORS = (
    (0, 0, 4),
    (28, 16, 68),
    (79, 18, 123),
    (129, 37, 129),
    (181, 54, 122),
    (229, 80, 100),
    (251, 135, 97),
    (254, 194, 135),
    (252, 253, 191),
)


def heat_map_uri(values: Float[np.ndarray, "row column"], low: float, high: float) -> str:
    """Return values as the data URI of a PNG, first row on top.

    Args:
        values: Shape `(row, column)`.
        low: Value of the darkest colour; smaller ones are drawn like it.
        high: Value of the brightest colour, above `low`; greater ones are drawn like it.

    Returns:
        A `data:image/png;base64,` URI; the same values give the same text.
    """
    share = np.clip((values - low) / (high - low), 0, 1)
    pixels = np.rint(share * 255).astype(np.uint8)
    return "data:image/png;base64," + base64.b64encode(_indexed_png(pixels, palette())).decode()


def palette() -> UInt8[np.ndarray, "256 3"]:
    """Return 256 colours of rising lightness, shape `(256, 3)`, red, green, blue."""
    anchors = np.array(_ANCHORS, dtype=np.float64)
    position = np.linspace(0, len(anchors) - 1, 256)
    channels = [np.interp(position, np.arange(len(anchors)), anchors[:, c]) for c in range(3)]
    return np.rint(np.stack(channels, axis=1)).astype(np.uint8)


def _indexed_png(
    pixels: UInt8[np.ndarray, "row column"], colours: UInt8[np.ndarray, "256 3"]
) -> bytes:
    """Return an 8-bit palette PNG (ISO/IEC 15948), each row without a filter."""
    rows, columns = pixels.shape
    header = struct.pack(">IIBBBBB", columns, rows, 8, 3, 0, 0, 0)
    raw = np.pad(pixels, ((0, 0), (1, 0))).tobytes()
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        _chunk(kind, data)
        for kind, data in (
            (b"IHDR", header),
            (b"PLTE", colours.tobytes()),
            (b"IDAT", zlib.compress(raw, 9)),
            (b"IEND", b""),
        )
    )


def _chunk(kind: bytes, data: bytes) -> bytes:
    check = zlib.crc32(kind + data)
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", check)
