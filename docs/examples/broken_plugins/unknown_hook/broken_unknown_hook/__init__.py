"""A plugin with a misspelt hook."""

from acoustic_sense.hookspecs import hookimpl


@hookimpl
def register_feature(register):
    """The hook is called `register_features`."""
