"""A plugin whose settings say nothing about themselves."""

from acoustic_sense.hookspecs import hookimpl


@hookimpl
def register_signal_sources(register):
    """Register a source whose `Config` has a field without a description."""
    from broken_bad_config.source import Buzz

    register("buzz", Buzz)
