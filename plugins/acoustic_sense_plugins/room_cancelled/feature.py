"""The feature: log-mel and intensity of what is left once the room is taken away."""

from typing import Any, Literal

import torch
from jaxtyping import Float
from pydantic import Field, field_validator, model_serializer
from torch import Tensor

from acoustic_sense.config import Config
from acoustic_sense.constants import AMBISONIC_CHANNELS, FRAME_RATE_HZ, MEL_BINS, SAMPLE_RATE_HZ
from acoustic_sense.contracts import Feature
from acoustic_sense.contracts.feature_stream import FeatureStream
from acoustic_sense.dsp.intensity import intensity_direction
from acoustic_sense.dsp.mel import mel_filters, power_to_db
from acoustic_sense.dsp.signal_checks import (
    STEREO,
    check_frame_rate,
    check_playback,
    check_recording,
)
from acoustic_sense.dsp.stft import stft
from acoustic_sense.networks.channels import CROSS_SPECTRUM
from acoustic_sense_plugins.room_cancelled.clock import found_clock, on_recorders_clock
from acoustic_sense_plugins.room_cancelled.cross_spectrum import CrossSpectrum, direct_response
from acoustic_sense_plugins.room_cancelled.estimate import residual, room_response, taps_before
from acoustic_sense_plugins.room_cancelled.running import RunningCanceller

_CROSS_FRAMES = 5
_CHUNK_FRAMES = 90  # with the response, just under a power of two samples


class RoomCancelledConfig(Config):
    """From what the room's response is estimated, how long it is, and how it is regularised."""

    mode: Literal["take", "running"] = Field(
        default="take",
        description="take: from the whole take. running: at each moment from what was heard so "
        "far, for live use; the room is learnt in some ten seconds and followed if it changes.",
    )
    memory_s: float = Field(
        default=30.0,
        gt=0,
        description="Seconds after which what was heard counts 1 / e; for mode = 'running'.",
    )
    response_ms: float = Field(
        default=700.0, gt=0, le=2000, description="Length of the room's response from sending on."
    )
    before_ms: float = Field(
        default=10.0,
        ge=0,
        le=1000,
        description="Length of the response before sending, for playback that is late in the file; "
        "for mode = 'take'.",
    )
    regularisation: float | Literal["residual"] = Field(
        default="residual",
        description="Power that is added to the playback's at each frequency before dividing. "
        "residual: chosen from how loud the residual is; a number: that share of the playback's.",
    )
    passes: int = Field(
        default=2,
        ge=1,
        le=10,
        description="Estimates of the response, each from what those before it left; for mode = "
        "'take'.",
    )
    align: bool = Field(
        default=True,
        description="Whether latency and clock drift between playback and recording are estimated "
        "and, where they stand out, taken out of the playback; for mode = 'take'.",
    )
    calibration_s: float = Field(
        default=0.0,
        ge=0,
        description="Seconds at the beginning of each take in which nobody is in the room: the "
        "response is estimated from them alone; 0 for the whole take; for mode = 'take'.",
    )
    cross_spectrum: bool = Field(
        default=False,
        description="Also give the cross-spectrum of residual and direct sound, phase kept, and "
        "the residual's flow of energy: 11 channels more.",
    )

    @field_validator("regularisation")
    @classmethod
    def _is_a_share(cls, value: float | str) -> float | str:
        if isinstance(value, float) and not 0 < value <= 1:
            raise ValueError("above 0 and at most 1, or 'residual'")
        return value

    @model_serializer(mode="wrap")
    def _without_later_settings(self, dump: Any) -> dict[str, Any]:
        """Leave settings that came later out where they are off, so that older digests hold."""
        data: dict[str, Any] = dump(self)
        off = {"cross_spectrum": False, "align": True, "calibration_s": 0.0}
        return {key: value for key, value in data.items() if (key, value) not in off.items()}

    @property
    def share(self) -> float | None:
        """The regularisation as a share, None where it is chosen from the residual."""
        return None if self.regularisation == "residual" else self.regularisation


class RoomCancelledStack(Feature):
    """What moves: the recording minus the playback through the static response of the room.

    The response from each loudspeaker to each microphone channel is estimated from playback and
    recording of the whole take and subtracted, as an echo canceller does. What is left is noise,
    and how the body's sound differs from its mean over the take.

    | channels | what | unit |
    |---|---|---|
    | 0-3 | log-mel power of the residual's W, X, Y, Z | dB |
    | 4-5 | log-mel power of the playback, one per loudspeaker | dB |
    | 6-8 | intensity vector X, Y, Z of the residual, as that of `mel-stack` | 1/Hz |
    | 9-12 | with `cross_spectrum`: residual's W, X, Y, Z over the direct sound, real part | 1 |
    | 13-16 | with `cross_spectrum`: imaginary part | 1 |
    | 17-19 | with `cross_spectrum`: flow of the residual's energy to X, Y, Z, over energy | 1 |

    The direct sound is the playback through the first milliseconds of the response. Phases over it
    say how much later the body's sound comes. Sums behind the channels from 9 on go over the last
    five frames; see `CrossSpectrum`.

    Channels bear the names of `mel-stack`, so that encoders which find them by name run unchanged.
    Frames and bands are those of `mel-stack` too. Somebody who stands still is part of the room.

    With `mode = "take"` the whole take is heard first, so that in a stream nothing comes before the
    end; with `mode = "running"` every frame comes at once.

    References:
        Bendat and Piersol, "Random data", 4th ed., chapter 7; Haensler and Schmidt, "Acoustic echo
        and noise control", Wiley 2004.

    Raises:
        AudioError: The sample rate is not a multiple of 20 Hz.
    """

    Config = RoomCancelledConfig
    config: RoomCancelledConfig
    local = False
    channel_names = (
        *(f"recording/{name}" for name in AMBISONIC_CHANNELS),
        "playback/1",
        "playback/2",
        *(f"intensity/{name}" for name in AMBISONIC_CHANNELS[1:]),
    )
    bin_count = MEL_BINS
    filters: Float[Tensor, "frequency bin"]

    def __init__(
        self, config: RoomCancelledConfig | None = None, sample_rate_hz: int = SAMPLE_RATE_HZ
    ) -> None:
        super().__init__(config, sample_rate_hz)
        check_frame_rate(sample_rate_hz)
        filters = torch.tensor(mel_filters(sample_rate_hz, self.frame_samples).T)
        self.register_buffer("filters", filters.double(), persistent=False)
        if self.config.cross_spectrum:
            self.channel_names = (*self.channel_names, *CROSS_SPECTRUM)

    def forward(
        self,
        recording: Float[Tensor, "batch 4 sample"],
        playback: Float[Tensor, "batch speaker sample"],
    ) -> Float[Tensor, "batch channel frame bin"]:
        """Return the stack; see `Feature.forward`.

        Raises:
            AudioError: The recording has not 4 channels or the playback more than 2.
        """
        check_recording(recording.shape[1])
        check_playback(playback.shape[1])
        with torch.autocast(recording.device.type, enabled=False):
            rows = [self._stack(*pair) for pair in zip(recording, playback, strict=True)]
        return torch.stack(rows)

    def stream(self) -> FeatureStream:
        """Return the feature over one take that arrives; see `Feature.stream`."""
        return _RunningStream(self) if self.config.mode == "running" else super().stream()

    def cancel(
        self, recording: Float[Tensor, "4 sample"], playback: Float[Tensor, "speaker sample"]
    ) -> Float[Tensor, "4 sample"]:
        """Return a take's residual: the recording without the room, double precision.

        With `mode = "running"` it ends with the last whole frame.
        """
        if self.config.mode == "running":
            left = self._cancel_frames(self.canceller(len(playback)), recording, playback)
            return left[: len(AMBISONIC_CHANNELS)]
        playback = self._aligned(recording, playback)
        response, before = self._room(recording, playback)
        return residual(recording, playback, response, before)

    def canceller(self, speaker_count: int) -> RunningCanceller:
        """Return a running canceller with this feature's settings."""
        return RunningCanceller(
            len(AMBISONIC_CHANNELS),
            speaker_count,
            frame=self.frame_samples,
            taps=self._samples(self.config.response_ms),
            memory_frames=self.config.memory_s * FRAME_RATE_HZ,
            regularisation=self.config.share,
            direct=self.config.cross_spectrum,
        )

    def cross_sums(self) -> CrossSpectrum | None:
        """Return what gives the cross-spectrum of a take, if it is asked for."""
        if not self.config.cross_spectrum:
            return None
        return CrossSpectrum(self.filters, _CROSS_FRAMES)

    def _samples(self, milliseconds: float) -> int:
        return round(milliseconds * self.sample_rate_hz / 1000)

    def _room(
        self, recording: Float[Tensor, "4 sample"], playback: Float[Tensor, "speaker sample"]
    ) -> tuple[Float[Tensor, "4 speaker tap"], int]:
        """Return the response of the room and how many of its taps lie before sending."""
        before, after = map(self._samples, (self.config.before_ms, self.config.response_ms))
        share, passes = self.config.share, self.config.passes
        if self.config.calibration_s:
            part = slice(0, self._samples(1000 * self.config.calibration_s))
            recording, playback = recording[:, part], playback[:, part]
        response = room_response(recording, playback, before, after, share, passes)
        return response, taps_before(before, recording.shape[-1])

    def _aligned(
        self, recording: Float[Tensor, "4 sample"], playback: Float[Tensor, "speaker sample"]
    ) -> Float[Tensor, "speaker sample"]:
        """Return the playback on the recorder's clock; as it is where nothing tells them apart."""
        if not self.config.align:
            return playback
        return on_recorders_clock(playback, found_clock(recording, playback, self.sample_rate_hz))

    def _cancel_frames(
        self,
        canceller: RunningCanceller,
        recording: Float[Tensor, "4 sample"],
        playback: Float[Tensor, "speaker sample"],
    ) -> Float[Tensor, "heard part"]:
        step = self.frame_samples
        parts = [
            canceller.push(recording[:, i : i + step], playback[:, i : i + step])
            for i in range(0, recording.shape[-1] - step + 1, step)
        ]
        return torch.cat(parts, dim=1) if parts else recording[:, :0].double()

    def _stack(
        self, recording: Float[Tensor, "4 sample"], playback: Float[Tensor, "speaker sample"]
    ) -> Float[Tensor, "channel frame bin"]:
        """Return the stack of one take, in parts, so that memory stays small."""
        step = _CHUNK_FRAMES * self.frame_samples
        firsts = range(0, max(recording.shape[1], 1), step)
        if self.config.mode == "running":
            stream = _RunningStream(self)
            pieces = [slice(first, first + step) for first in firsts]
            running = [stream.push(recording[:, p], playback[:, p]) for p in pieces]
            return torch.cat(running, dim=1)
        playback = self._aligned(recording, playback)
        response, before = self._room(recording, playback)
        if self.config.cross_spectrum:  # the negative of the direct sound, as a fifth residual
            direct = direct_response(response[0], self.sample_rate_hz)
            response = torch.cat([response, -direct[None]])
            recording = torch.cat([recording, torch.zeros_like(recording[:1])])
        parts, cross = [], self.cross_sums()
        for first in firsts:
            heard = residual(recording, playback, response, before, first, step)
            parts.append(self._bands(heard, playback[:, first : first + step], cross))
        return torch.cat(parts, dim=1)

    def running_stack(
        self,
        canceller: RunningCanceller,
        recording: Float[Tensor, "4 sample"],
        playback: Float[Tensor, "speaker sample"],
        cross: CrossSpectrum | None,
    ) -> Float[Tensor, "channel frame bin"]:
        """Return the next frames of a take that a running canceller follows."""
        heard = self._cancel_frames(canceller, recording, playback)
        return self._bands(heard, playback[:, : heard.shape[-1]], cross)

    def _bands(
        self,
        heard: Float[Tensor, "heard sample"],
        playback: Float[Tensor, "speaker sample"],
        cross: CrossSpectrum | None,
    ) -> Float[Tensor, "channel frame bin"]:
        """Return the bands of a residual, behind which the direct sound may follow."""
        sent = playback.double().expand(STEREO, -1)
        spectra = stft(torch.cat([heard, sent]), self.frame_samples)
        left, direct = (
            spectra[: len(AMBISONIC_CHANNELS)],
            spectra[len(AMBISONIC_CHANNELS) : -STEREO],
        )
        shown = torch.cat([left, spectra[-STEREO:]])
        power = shown.real.square() + shown.imag.square()
        levels = power_to_db(power @ self.filters)
        direction = intensity_direction(left[None])[0]
        parts = [levels, direction.to(self.filters.dtype) @ self.filters]
        if cross is not None:
            parts.append(cross.push(left, direct[0]))
        return torch.cat(parts).float()


class _RunningStream(FeatureStream):
    """Stream of the running mode: every frame is final at once."""

    def __init__(self, feature: RoomCancelledStack) -> None:
        super().__init__(feature)
        self._stack = feature
        self._canceller: RunningCanceller | None = None
        self._cross = feature.cross_sums()

    def push(
        self, recording: Float[Tensor, "4 sample"], playback: Float[Tensor, "speaker sample"]
    ) -> Float[Tensor, "channel frame bin"]:
        """Return the feature of the stretch."""
        if self._canceller is None:
            self._canceller = self._stack.canceller(len(playback))
        return self._stack.running_stack(self._canceller, recording, playback, self._cross)
