"""Plugin example: hooks that register the feature `octave-levels` and an encoder."""

from acoustic_sense.hookspecs import RegisterEncoder, RegisterFeature, hookimpl


@hookimpl
def register_features(register: RegisterFeature) -> None:
    """Register the feature; its module is imported only here."""
    from acoustic_sense_example.octave_levels import OctaveLevels

    register("octave-levels", OctaveLevels)


@hookimpl
def register_encoders(register: RegisterEncoder) -> None:
    """Register the encoder."""
    from acoustic_sense_example.dilated_frames import DilatedFrames

    register("dilated-frames", DilatedFrames)
