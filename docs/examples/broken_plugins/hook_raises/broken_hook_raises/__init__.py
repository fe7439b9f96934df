"""A plugin with one hook that raises, and one that works."""

from acoustic_sense.hookspecs import hookimpl


@hookimpl
def register_features(register):
    """Raise, as a plugin does that reads a file which is not there."""
    with open("/no/such/calibration.json") as file:
        register("calibrated", file.read())


@hookimpl
def register_signal_sources(register):
    """Register a source that works; a hook that raises does not take it away."""
    from broken_hook_raises.source import Hum

    register("hook-raises-hum", Hum)
