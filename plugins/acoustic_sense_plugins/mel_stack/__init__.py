"""Plugin mel_stack: mel spectra, intensity and phase of recording and playback."""

from acoustic_sense.hookspecs import RegisterFeature, hookimpl


@hookimpl
def register_features(register: RegisterFeature) -> None:
    """Register the 15-channel stack and the features that are parts of it."""
    from acoustic_sense_plugins.mel_stack.parts import Intensity, LogMel, PlaybackResidual
    from acoustic_sense_plugins.mel_stack.stack import MelStack

    register("mel-stack", MelStack)
    register("log-mel", LogMel)
    register("intensity", Intensity)
    register("playback-residual", PlaybackResidual)
