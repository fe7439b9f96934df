"""The publisher's statistics of AMPL: what the published model normalises its input by.

Mean and standard deviation of the channels 0-8 of the stack (levels of the recording's four and
the playback's two channels in dB, then the three intensities) over all windows of a track. None
are published for the phase channels 9-14, which the published model does not read.

References:
    BGM2Pose, IEEE OJSP 7 (2026) 790-799, doi 10.1109/OJSP.2026.3705347.
"""

from typing import Final

import numpy as np
from jaxtyping import Float64

ChannelStatistics = tuple[Float64[np.ndarray, " channel"], Float64[np.ndarray, " channel"]]
"""Mean and standard deviation of the first channels of a feature."""

_JAZZ: Final = (
    (-16.957, -18.001, -20.530, -15.928, -19.951, -20.871, 0.00061, 0.00098, -0.01383),
    (20.590, 17.214, 15.243, 18.579, 28.552, 28.647, 0.01536, 0.01157, 0.01887),
)
_CIRRUS: Final = (
    (-21.438, -21.862, -24.831, -20.684, -21.426, -22.515, 0.00055, 0.00031, -0.01346),
    (21.075, 18.123, 15.192, 18.575, 26.828, 26.987, 0.01652, 0.01142, 0.01750),
)
_ARNOR: Final = (
    (-22.348, -22.291, -25.804, -21.671, -31.663, -30.171, -0.00008, 0.00040, -0.01121),
    (21.993, 19.654, 16.044, 19.641, 32.622, 31.799, 0.01738, 0.01113, 0.01745),
)
_MANTRON: Final = (
    (-24.252, -24.135, -27.593, -23.682, -35.573, -36.082, 0.00010, 0.00019, -0.01084),
    (22.484, 20.396, 16.392, 19.991, 35.625, 35.554, 0.01766, 0.01119, 0.01710),
)

PUBLISHED_STATISTICS: Final[dict[str, ChannelStatistics]] = {
    track: (np.array(mean), np.array(deviation))
    for track, (mean, deviation) in (
        ("arnor", _ARNOR),
        ("cirrus", _CIRRUS),
        ("jazz", _JAZZ),
        ("mantron", _MANTRON),
    )
}
"""Mean and standard deviation of the channels 0-8, by track."""
