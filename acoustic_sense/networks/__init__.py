"""Parts of networks that several encoders and objectives are built of.

Plugins never import each other; what two of them would otherwise write twice lives here.
"""

from acoustic_sense.networks.adversary_config import AdversaryConfig
from acoustic_sense.networks.channels import PickedChannels, channel_indices
from acoustic_sense.networks.convolution import flatten_bins, frame_block, pooled_block
from acoustic_sense.networks.pooled_encoder import PooledEncoder
from acoustic_sense.networks.reversal import GrowingReversal, discriminator, reverse_gradient
from acoustic_sense.networks.scaled_config import ScaledConfig
from acoustic_sense.networks.shape_checks import check_bins, check_frames
from acoustic_sense.networks.temporal import FRAME_MULTIPLE, TemporalUNet

__all__ = [
    "FRAME_MULTIPLE",
    "AdversaryConfig",
    "GrowingReversal",
    "PickedChannels",
    "PooledEncoder",
    "ScaledConfig",
    "TemporalUNet",
    "channel_indices",
    "check_bins",
    "check_frames",
    "discriminator",
    "flatten_bins",
    "frame_block",
    "pooled_block",
    "reverse_gradient",
]
