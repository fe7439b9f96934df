"""Plugin speech2gesture: motion from sound by a U-Net over time, and an adversary of motions."""

from acoustic_sense.hookspecs import RegisterEncoder, RegisterObjective, hookimpl


@hookimpl
def register_encoders(register: RegisterEncoder) -> None:
    """Register the translating encoder."""
    from acoustic_sense_plugins.speech2gesture.encoder import TranslationEncoder

    register("speech2gesture", TranslationEncoder)


@hookimpl
def register_objectives(register: RegisterObjective) -> None:
    """Register the motion adversary."""
    from acoustic_sense_plugins.speech2gesture.adversary import MotionAdversary

    register("motion-adversary", MotionAdversary)
