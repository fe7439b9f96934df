"""The impulse response as a feature: level and direction of what arrives, over delay."""

import torch
from jaxtyping import Float
from pydantic import Field, model_validator
from torch import Tensor

from acoustic_sense.config import Config
from acoustic_sense.constants import AMBISONIC_CHANNELS, SAMPLE_RATE_HZ
from acoustic_sense.contracts import Feature
from acoustic_sense.contracts.feature_stream import FeatureStream
from acoustic_sense.dsp.mel import power_to_db
from acoustic_sense.dsp.signal_checks import check_frame_rate, check_recording
from acoustic_sense_plugins.impulse_response.colour import ColourGuard
from acoustic_sense_plugins.impulse_response.deconvolution import response
from acoustic_sense_plugins.impulse_response.stream import PeriodStream

_SMALLEST_SQUARE = 1e-30
_FAINTEST = 1e-12  # of the energy in W: a bin so faint has hardly a direction, only rounding
_CHUNK_FRAMES = 128  # a period of each is held at a time, in double precision


class ImpulseResponseConfig(Config):
    """Period of the chirp, and how finely the response is read."""

    period_samples: int = Field(
        default=4096,
        ge=16,
        le=1 << 17,
        description="Samples after which the playback repeats; 4096 are those of `tsp`.",
    )
    delay_bins: int = Field(
        default=128, ge=1, le=4096, description="Bins of delay; encoders here take multiples of 16."
    )
    bin_samples: int = Field(
        default=16,
        ge=1,
        description="Samples in a bin; 16 at 48 kHz are a third of a millisecond, 11 cm of way.",
    )
    regularisation: float = Field(
        default=1e-3,
        gt=0,
        le=1,
        description="Power that is added to the playback's at each frequency before dividing, as a "
        "share of its mean.",
    )

    @model_validator(mode="after")
    def _fits(self) -> "ImpulseResponseConfig":
        length = self.delay_bins * self.bin_samples
        if length > self.period_samples:
            raise ValueError(
                f"delay_bins times bin_samples is {length}, longer than period_samples = "
                f"{self.period_samples}; read fewer or narrower bins"
            )
        return self


class ImpulseResponse(Feature):
    """Room and body as their impulse response, for playback that repeats: `tsp`, `mls`.

    At each frame the last period of the recording up to the frame's end is divided by the same
    period of the playback (mean over loudspeakers), which takes the chirp out exactly. The bins
    are delays after sending, from 0 on: 128 times 16 samples, 42.7 ms.

    | channels | what | unit |
    |---|---|---|
    | 0-3 | energy of the response in W, X, Y, Z | dB |
    | 4-6 | where it comes from: intensity vector X, Y, Z of the bin, of unit length | |

    Bins 120 dB below the whole response have hardly any direction, so that silence has none.

    Channels are called `recording/W` and `intensity/X` as those of `mel-stack`, so that encoders
    which find them by name read delays in place of bands.

    The first 85 ms of a take, before a whole period was heard, are an estimate from less. White
    playback that does not repeat is taken too, but what was sent before the period then disturbs
    the response as noise.

    References:
        Suzuki et al., "An optimum computer-generated pulse signal suitable for the measurement of
        very long impulse responses", JASA 97, 1995; Jarrett, Habets, Naylor, "3D source
        localization in the spherical harmonic domain using a pseudointensity vector", EUSIPCO
        2010.

    Raises:
        AudioError: The sample rate is not a multiple of 20 Hz.
    """

    Config = ImpulseResponseConfig
    config: ImpulseResponseConfig
    local = False
    channel_names = (
        *(f"recording/{name}" for name in AMBISONIC_CHANNELS),
        *(f"intensity/{name}" for name in AMBISONIC_CHANNELS[1:]),
    )

    def __init__(
        self, config: ImpulseResponseConfig | None = None, sample_rate_hz: int = SAMPLE_RATE_HZ
    ) -> None:
        super().__init__(config, sample_rate_hz)
        self.bin_count = self.config.delay_bins
        check_frame_rate(sample_rate_hz)

    @property
    def lead_samples(self) -> int:
        """Samples before a frame that belong to its period."""
        return max(0, self.config.period_samples - self.frame_samples)

    def forward(
        self,
        recording: Float[Tensor, "batch 4 sample"],
        playback: Float[Tensor, "batch speaker sample"],
    ) -> Float[Tensor, "batch 7 frame bin"]:
        """Return the feature; see `Feature.forward`.

        Raises:
            AudioError: The recording has not 4 channels, or the playback holds too few
                frequencies.
        """
        before = recording.new_zeros(*recording.shape[:2], self.lead_samples)
        silent = playback.new_zeros(*playback.shape[:2], self.lead_samples)
        heard, sent = torch.cat([before, recording], 2), torch.cat([silent, playback], 2)
        guard = ColourGuard()
        frames = self.following(heard, sent, 0, guard)
        guard.check(ended=True)
        return frames

    def following(
        self,
        recording: Float[Tensor, "batch 4 sample"],
        playback: Float[Tensor, "batch speaker sample"],
        frames_before: int,
        guard: ColourGuard,
    ) -> Float[Tensor, "batch 7 frame bin"]:
        """Return the frames of a stretch of a take.

        Args:
            recording: `lead_samples` from before the stretch, and the stretch.
            playback: The same moments.
            frames_before: Frames of the take before the stretch.
            guard: Is shown the periods that lie wholly within the take.

        Raises:
            AudioError: The recording has not 4 channels.
        """
        check_recording(recording.shape[1])
        heard = self._periods(recording)
        sent = self._periods(playback.mean(dim=1, keepdim=True))[:, 0]
        incomplete = max(0, -(-self.lead_samples // self.frame_samples) - frames_before)
        parts = []
        for first in range(0, sent.shape[1], _CHUNK_FRAMES):
            chunk = slice(first, first + _CHUNK_FRAMES)
            played = sent[:, chunk].to(torch.float64)
            guard.add(played[:, max(0, incomplete - first) :])
            parts.append(self._of_periods(heard[:, :, chunk], played))
        return torch.cat(parts, dim=2) if parts else self._nothing(recording)

    def stream(self) -> FeatureStream:
        """Return the feature over a take that arrives piece by piece; frames come at once."""
        return PeriodStream(self)

    def _periods(
        self, signal: Float[Tensor, "batch channel sample"]
    ) -> Float[Tensor, "batch channel frame period"]:
        """Return the period that ends with each frame, a view."""
        skipped = max(0, self.frame_samples - self.config.period_samples)
        if signal.shape[2] - skipped < self.config.period_samples:
            return signal.new_empty(*signal.shape[:2], 0, self.config.period_samples)
        return signal[..., skipped:].unfold(2, self.config.period_samples, self.frame_samples)

    def _of_periods(
        self,
        heard: Float[Tensor, "batch 4 frame period"],
        played: Float[Tensor, "batch frame period"],
    ) -> Float[Tensor, "batch 7 frame bin"]:
        sound = heard.transpose(1, 2).to(torch.float64)
        taps = response(sound, played, self.config.regularisation)
        shape = (self.config.delay_bins, self.config.bin_samples)
        bins = taps[..., : shape[0] * shape[1]].reshape(*taps.shape[:-1], *shape)
        energy = bins.square().sum(dim=-1)
        intensity = (bins[:, :, :1] * bins[:, :, 1:]).sum(dim=-1)
        norm = intensity.square().sum(dim=2, keepdim=True).clamp(min=_SMALLEST_SQUARE).sqrt()
        faint = _FAINTEST * energy[:, :, :1].sum(dim=-1, keepdim=True)
        joined = torch.cat([power_to_db(energy), intensity / (norm + faint)], dim=2)
        return joined.transpose(1, 2).to(heard.dtype)

    def _nothing(self, like: Tensor) -> Float[Tensor, "batch 7 0 bin"]:
        return like.new_empty(len(like), len(self.channel_names), 0, self.bin_count)
