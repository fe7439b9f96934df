"""A plugin that registers a feature under a name that is taken, and one under its own."""

from acoustic_sense.hookspecs import hookimpl


@hookimpl
def register_features(register):
    """Register `mel-stack`, which the framework has, and `duplicate-name-own`."""
    from broken_duplicate_name.feature import Loudness

    register("mel-stack", Loudness)
    register("duplicate-name-own", Loudness)
