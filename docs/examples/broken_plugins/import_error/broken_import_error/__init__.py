"""A plugin whose import fails: it needs a library that nobody installed."""

import a_library_that_is_not_there

from acoustic_sense.hookspecs import hookimpl


@hookimpl
def register_features(register):
    """Never reached."""
    register("never", a_library_that_is_not_there.Feature)
