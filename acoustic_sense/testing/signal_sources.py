"""Contract check of signal sources."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from acoustic_sense.constants import SAMPLE_RATE_HZ
from acoustic_sense.contracts.signal_source import SignalSource
from acoustic_sense.testing.building import class_and_config, guarded
from acoustic_sense.testing.contract_error import require

PREFIX_TOLERANCE = 1e-6
"""Largest difference between a short signal and the beginning of a longer one."""


def check_signal_source(
    source: type[SignalSource] | SignalSource, settings: Mapping[str, Any] | None = None
) -> None:
    """Check that a signal source keeps its contract.

    Shapes and dtype for several lengths, rates and speaker counts; values finite, at most 1 and
    not silent; the same generator state gives the same samples, whatever numpy's global state; a
    longer signal begins with the shorter one; the configuration survives being written down.

    Args:
        source: The class, or an instance whose configuration is used.
        settings: Settings for a class that cannot do without.

    Raises:
        ContractError: The first promise that is not kept.
    """
    cls, config = class_and_config(source, settings, SignalSource)
    where = cls.__name__

    def generate(duration_s: float, rate_hz: int, speakers: int, seed: int) -> np.ndarray:
        generator = np.random.default_rng(seed)
        return guarded(
            where,
            f"generate({duration_s}, {rate_hz}, {speakers}, ...)",
            lambda: cls(config).generate(duration_s, rate_hz, speakers, generator),
        )

    require(isinstance(cls.genre, str), where, "its genre is not a string")
    for duration_s, rate_hz, speakers in (
        (0.7, SAMPLE_RATE_HZ, 2),
        (0.3333, SAMPLE_RATE_HZ, 1),
        (0.5, 16_000, 3),
    ):
        samples = generate(duration_s, rate_hz, speakers, seed=0)
        _check_samples(samples, (speakers, round(duration_s * rate_hz)), where)
    _check_determinism(generate, where)
    short, long = (generate(seconds, SAMPLE_RATE_HZ, 2, seed=3) for seconds in (0.5, 1.1))
    difference = float(np.max(np.abs(long[:, : short.shape[1]] - short)))
    require(
        difference <= PREFIX_TOLERANCE,
        where,
        f"a longer signal does not begin with the shorter one (they differ by {difference:.3g}); "
        "draw random numbers in order of time and do not normalise by the whole signal",
    )


def _check_samples(samples: np.ndarray, shape: tuple[int, int], where: str) -> None:
    require(isinstance(samples, np.ndarray), where, f"generate returned {type(samples).__name__}")
    require(samples.shape == shape, where, f"generate returned shape {samples.shape}, not {shape}")
    require(samples.dtype == np.float32, where, f"generate returned {samples.dtype}, not float32")
    require(bool(np.isfinite(samples).all()), where, "its samples are not all finite")
    peak = float(np.max(np.abs(samples)))
    require(peak <= 1.0, where, f"its samples reach {peak:.4g}; full scale is 1")
    require(peak > 0.0, where, "its signal is silent")


def _check_determinism(generate: Any, where: str) -> None:
    state = np.random.get_state()  # noqa: NPY002  (the legacy state is what is being guarded)
    try:
        np.random.seed(1)  # noqa: NPY002
        first = generate(0.5, SAMPLE_RATE_HZ, 2, seed=7)
        np.random.seed(2)  # noqa: NPY002
        before = np.random.get_state()[1].tobytes()  # type: ignore[index]  # noqa: NPY002
        second = generate(0.5, SAMPLE_RATE_HZ, 2, seed=7)
        after = np.random.get_state()[1].tobytes()  # type: ignore[index]  # noqa: NPY002
    finally:
        np.random.set_state(state)  # noqa: NPY002
    require(
        np.array_equal(first, second) and before == after,
        where,
        "the same generator state gave different samples; draw everything random from the "
        "generator that is passed in",
    )
