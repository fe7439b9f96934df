"""The encoder of Oumi et al. 2024: Shibata's kind of network, with frames from before the clip."""

from pydantic import Field

from acoustic_sense.contracts import FeatureShape
from acoustic_sense.networks import FRAME_MULTIPLE, PooledEncoder, ScaledConfig


class ReferenceConfig(ScaledConfig):
    """Settings of the encoder with reference frames."""

    reference_frames: int = Field(
        default=12,
        ge=0,
        multiple_of=FRAME_MULTIPLE,
        description="Frames of 50 ms before the clip that are heard with it, a multiple of 4; "
        "12 are longer than a furnished room reverberates.",
    )


class ReferenceEncoder(PooledEncoder):
    """n + k frames of the recording to the latents of the last n; the playback is not read.

    What is heard in a frame was partly sent in frames before it. The k frames before the clip
    (`reference_frames`) go through the same network and get no latents.

    1. Log-mel of W, X, Y, Z and the intensity vector: 7 channels, found by name.
    2. Four blocks of two 3x3 convolutions, each block followed by max-pooling 2 over bins:
       128 bins become 8, frames stay.
    3. Channels and bins flattened at each frame and projected (`local_latents`).
    4. A 1-D U-Net over all n + k frames (`latents`), whose bottleneck averaged over time is the
       `summary`, what the objective `position-adversary` reads.

    The last layer, latents to joints, is the task's. The number of frames is a multiple of 4.

    References:
        Oumi et al., "Acoustic-based 3D human pose estimation robust to human position", BMVC
        2024, arXiv 2411.07165; channel counts and depths are this project's.
    """

    Config = ReferenceConfig
    config: ReferenceConfig
    name = "oumi2024"

    def __init__(self, config: ReferenceConfig | None, feature_shape: FeatureShape) -> None:
        super().__init__(config, feature_shape)
        self.context_frames = self.config.reference_frames
