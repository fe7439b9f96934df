"""The 15-channel stack: mel spectra, intensity and phase."""

from collections.abc import Callable
from functools import cached_property

import torch
from jaxtyping import Float
from torch import Tensor

from acoustic_sense.dsp.intensity import intensity_direction
from acoustic_sense_plugins.mel_stack.bands import MelBandFeature

RECORDING_NAMES = ("recording/W", "recording/X", "recording/Y", "recording/Z")
PLAYBACK_NAMES = ("playback/1", "playback/2")
INTENSITY_NAMES = ("intensity/X", "intensity/Y", "intensity/Z")
PHASE_NAMES = tuple(f"phase/{name}" for name in (*RECORDING_NAMES, *PLAYBACK_NAMES))


class MelStack(MelBandFeature):
    """What BGM2Pose reads: the 15 channels that the AMPL dataset is published in.

    | channels | what | unit |
    |---|---|---|
    | 0-3 | log-mel power of the recording's W, X, Y, Z | dB |
    | 4-5 | log-mel power of the playback, one per loudspeaker | dB |
    | 6-8 | intensity vector X, Y, Z, of unit length at each frequency, mel-weighted | 1/Hz |
    | 9-12 | phase angle of the recording's W, X, Y, Z, mel-weighted | rad/Hz |
    | 13-14 | phase angle of the playback, mel-weighted | rad/Hz |

    The phase channels are `sum over f of filter(f) * angle(spectrum(f))`, the principal angle in
    (-pi, pi] of each bin of the transform, phase 0 at the frame's first sample, not unwrapped.
    Published models do not read them.

    References:
        Shibata et al., "BGM2Pose", IEEE OJSP 7, 2026, section III.
    """

    channel_names = (*RECORDING_NAMES, *PLAYBACK_NAMES, *INTENSITY_NAMES, *PHASE_NAMES)

    def forward(
        self,
        recording: Float[Tensor, "batch 4 sample"],
        playback: Float[Tensor, "batch speaker sample"],
    ) -> Float[Tensor, "batch 15 frame bin"]:
        """Return the stack; see `Feature.forward`.

        Raises:
            AudioError: The recording has not 4 channels or the playback more than 2.
        """
        if self._compiled_loops_fit(recording, playback):
            return self._compiled(recording, playback)
        heard = self.recording_spectrum(recording)
        spectra = torch.cat([heard, self.playback_spectrum(playback)], dim=1)
        parts = [
            self.log_mel(spectra),
            self.to_mel(intensity_direction(heard)),
            self.to_mel(spectra.angle()),
        ]
        return torch.cat(parts, dim=1)

    def _compiled_loops_fit(self, recording: Tensor, playback: Tensor) -> bool:
        """Return whether the compiled loops may be used; they give no gradients."""
        signals = (recording, playback)
        learning = torch.is_grad_enabled() and any(x.requires_grad for x in signals)
        return (
            all(x.dtype == torch.float32 and x.device.type == "cpu" for x in signals)
            and recording.shape[1:2] == (len(RECORDING_NAMES),)
            and playback.shape[1:2] in ((1,), (2,))
            and recording.shape[::2] == playback.shape[::2]
            and not learning
            and not torch.compiler.is_compiling()
        )

    @cached_property
    def _compiled(self) -> Callable[[Tensor, Tensor], Tensor]:
        from acoustic_sense_plugins.mel_stack.compiled import CompiledStack

        return CompiledStack(self.filters.cpu(), self.frame_samples)
