"""Plugin wipose: pose from sound as WiPose reads it from WiFi, by convolutions and an LSTM."""

from acoustic_sense.hookspecs import RegisterEncoder, hookimpl


@hookimpl
def register_encoders(register: RegisterEncoder) -> None:
    """Register the recurrent encoder."""
    from acoustic_sense_plugins.wipose.encoder import RecurrentEncoder

    register("wipose", RecurrentEncoder)
