"""Plugin octave_levels: the hook that registers the feature `octave-levels`."""

from acoustic_sense.hookspecs import RegisterFeature, hookimpl


@hookimpl
def register_features(register: RegisterFeature) -> None:
    """Register the feature; its module is imported only here."""
    from acoustic_sense_example.octave_levels import OctaveLevels

    register("octave-levels", OctaveLevels)
