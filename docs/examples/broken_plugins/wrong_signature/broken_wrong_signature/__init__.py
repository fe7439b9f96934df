"""A plugin whose hook asks for something that it is not given."""

from acoustic_sense.hookspecs import hookimpl


@hookimpl
def register_features(registry, config):
    """The hook has one argument, `register`."""
