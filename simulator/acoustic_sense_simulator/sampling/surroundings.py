"""Surroundings: levels, noise and timing."""

from typing import Annotated

import numpy as np
from pydantic import AfterValidator, Field

from acoustic_sense.config import Config
from acoustic_sense.types import Noise
from acoustic_sense_simulator.sampling.ranges import Range, draw, within

Level = Annotated[Range, AfterValidator(within(0.0, 130.0))]
NoiseCriterion = Annotated[Range, AfterValidator(within(0.0, 70.0))]
Latency = Annotated[Range, AfterValidator(within(-0.5, 0.5))]
Drift = Annotated[Range, AfterValidator(within(-1000.0, 1000.0))]


class NoiseConfig(Config):
    """Levels in dB SPL at the microphone, room noise and timing."""

    playback_level_db_spl: Level = Field(
        default=(62.0, 68.0), description="Level of the playback at the microphone, unweighted."
    )
    noise_criterion: NoiseCriterion = Field(
        default=(20.0, 30.0), description="Noise-criterion (NC) curve of the room noise."
    )
    self_noise_db_spl: Level = Field(
        default=(14.0, 20.0), description="A-weighted level of the microphone's own noise."
    )
    silent: bool = Field(
        default=False, description="Leave out room noise and microphone noise altogether."
    )
    full_scale_db_spl: float = Field(
        default=100.0,
        ge=60,
        le=160,
        description="Level of a sine that reaches digital full scale.",
    )
    latency_s: Latency = Field(
        default=(0.0, 0.0),
        description="Delay of the recording behind playback and poses that is not sound in air; "
        "negative for recordings that are early.",
    )
    clock_drift_ppm: Drift = Field(
        default=(0.0, 0.0),
        description="How much faster the recorder's clock runs than the player's, in millionths; "
        "poses keep the recorder's time.",
    )


def draw_noise(config: NoiseConfig, generator: np.random.Generator) -> Noise:
    """Draw levels, noise and timing."""
    level = draw(generator, config.playback_level_db_spl, 2)
    criterion = draw(generator, config.noise_criterion, 2)
    self_noise = draw(generator, config.self_noise_db_spl, 2)
    latency = draw(generator, config.latency_s, 6)
    drift = draw(generator, config.clock_drift_ppm, 2)
    return Noise(
        playback_level_db_spl=level,
        noise_criterion=None if config.silent else criterion,
        self_noise_db_spl=None if config.silent else self_noise,
        full_scale_db_spl=config.full_scale_db_spl,
        latency_s=latency,
        clock_drift_ppm=drift,
    )
