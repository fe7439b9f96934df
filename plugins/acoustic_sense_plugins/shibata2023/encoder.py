"""The convolutional encoder of Shibata et al. 2023."""

from acoustic_sense.networks import PooledEncoder


class ConvolutionalEncoder(PooledEncoder):
    """Recording to latents by convolutions alone; the playback is not read.

    1. Log-mel of W, X, Y, Z and the intensity vector: 7 channels, found by name.
    2. Four blocks of two 3x3 convolutions, each block followed by max-pooling 2 over bins:
       128 bins become 8, frames stay.
    3. Channels and bins flattened at each frame and projected (`local_latents`).
    4. A 1-D U-Net over time (`latents`), whose bottleneck averaged over time is the `summary`,
       what the objective `subject-adversary` reads.

    The last layer, latents to joints, is the task's. The number of frames is a multiple of 4.

    References:
        Shibata et al., "Listening Human Behavior: 3D Human Pose Estimation with Acoustic
        Signals", CVPR 2023; channel counts and depths are this project's.
    """

    name = "shibata2023"
