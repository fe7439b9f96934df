"""A sound feature; only its name is taken."""

from acoustic_sense.contracts import Feature


class Loudness(Feature):
    """Mean square of W and of the first loudspeaker at each frame."""

    channel_names = ("recording", "playback")
    bin_count = 1

    def forward(self, recording, playback):
        """Return mean squares, shape `(batch, 2, frame, 1)`."""
        import torch

        signals = torch.stack([recording[:, 0], playback[:, 0]], dim=1)
        count = signals.shape[-1] // self.frame_samples
        cut = signals[..., : count * self.frame_samples]
        frames = cut.reshape(len(cut), 2, count, self.frame_samples)
        return frames.square().mean(dim=-1, keepdim=True)
