"""Plugin test_signals: signals made for measuring rooms, the playback of chirp-based methods."""

from acoustic_sense.hookspecs import RegisterSignalSource, hookimpl


@hookimpl
def register_signal_sources(register: RegisterSignalSource) -> None:
    """Register `tsp`, `log-sweep`, `mls`, `white-noise` and `fmcw`."""
    from acoustic_sense_plugins.test_signals.fmcw import Fmcw
    from acoustic_sense_plugins.test_signals.log_sweep import LogSweep
    from acoustic_sense_plugins.test_signals.mls import Mls
    from acoustic_sense_plugins.test_signals.tsp import Tsp
    from acoustic_sense_plugins.test_signals.white_noise import WhiteNoise

    register("tsp", Tsp)
    register("log-sweep", LogSweep)
    register("mls", Mls)
    register("white-noise", WhiteNoise)
    register("fmcw", Fmcw)
