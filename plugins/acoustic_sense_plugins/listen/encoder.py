"""The encoder that hears what moves."""

from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn

from acoustic_sense.contracts import Encoder, EncoderOutput, FeatureShape
from acoustic_sense.errors import ModelError
from acoustic_sense.networks import (
    FRAME_MULTIPLE,
    ScaledConfig,
    TemporalUNet,
    check_frames,
    flatten_bins,
    frame_block,
)
from acoustic_sense_plugins.listen.inputs import BodyInputs

_NAME = "listen"
_FRAME_CHANNELS = 384
_KERNEL = 3


class ListenConfig(ScaledConfig):
    """Width, what is read, and what training takes away."""

    dropout: float = Field(
        default=0.2, ge=0, lt=1, description="Dropout after each layer over frames."
    )
    input_dropout: float = Field(
        default=0.2, ge=0, lt=1, description="Dropout of single values of the input."
    )
    context_frames: int = Field(
        default=12,
        ge=0,
        multiple_of=FRAME_MULTIPLE,
        description="Frames of 50 ms before the clip that are heard with it, a multiple of 4.",
    )
    levels: bool = Field(
        default=False,
        description="Read levels and intensity beside the cross-spectrum; where the feature has "
        "none, they are read in any case.",
    )


class ListenEncoder(Encoder):
    """What a body does to the direct sound, to latents; no convolution over frequency.

    The real and imaginary part of a cross-spectrum at one frequency follow a limb much as a gauge
    does, up or down with the way of the sound by it, and mean something else at another frequency.
    So each band has weights of its own from the first layer on.

    1. The cross-spectrum, or levels and intensity: see `BodyInputs`.
    2. At each frame a linear map of all channels and bins (`local_latents`, after which every
       layer has LeakyReLU, batch norm and dropout), then a 1-D convolution over 3 frames.
    3. A 1-D U-Net over the clip and the frames before it (`latents`, of the clip only), whose
       bottleneck averaged over time is the `summary`.

    Made for `room-cancelled-stack` with `cross_spectrum = true`; reads every feature with the
    channel names of `mel-stack`. The number of frames is a multiple of 4.
    """

    Config = ListenConfig
    config: ListenConfig
    default_feature = "room-cancelled-stack"
    stages = (("projection",), ("neighbours",), ("unet",))

    def __init__(self, config: ListenConfig | None, feature_shape: FeatureShape) -> None:
        super().__init__(config, feature_shape)
        settings = self.config
        self.context_frames = settings.context_frames
        self.inputs = BodyInputs(feature_shape, settings.levels, _NAME)
        self.input_dropout = nn.Dropout(settings.input_dropout)
        width = settings.channels(_FRAME_CHANNELS)
        self.local_dim = self.latent_dim = self.summary_dim = width
        flat_count = self.inputs.count * feature_shape.bin_count
        self.projection = frame_block(flat_count, width, 1, settings.dropout)
        self.neighbours = frame_block(width, width, _KERNEL, settings.dropout)
        self.unet = TemporalUNet(width, settings.dropout)

    def forward(self, features: Float[Tensor, "batch channel frame bin"]) -> EncoderOutput:
        """Return the latents; see `Encoder.forward`.

        Raises:
            ModelError: The number of frames is not a multiple of 4, or none follow the context.
        """
        frame_count, context = features.shape[2], self.context_frames
        check_frames(frame_count, FRAME_MULTIPLE, _NAME)
        if frame_count <= context:
            raise ModelError(
                f"encoder {_NAME} takes {context} frames and a clip after them, not "
                f"{frame_count} in all; give the frames before the clip too"
            )
        heard = self.input_dropout(flatten_bins(self.inputs(features)))
        local = self.projection(heard)
        latents, bottleneck = self.unet(self.neighbours(local))
        return EncoderOutput(
            latents.transpose(1, 2)[:, context:],
            local.transpose(1, 2)[:, context:],
            bottleneck.mean(dim=2),
        )
