"""Plugin speech2gesture: motion from sound by a convolutional encoder and a U-Net over time."""

from acoustic_sense.hookspecs import RegisterEncoder, hookimpl


@hookimpl
def register_encoders(register: RegisterEncoder) -> None:
    """Register the translating encoder."""
    from acoustic_sense_plugins.speech2gesture.encoder import TranslationEncoder

    register("speech2gesture", TranslationEncoder)
