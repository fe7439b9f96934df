"""Plugin listen: a small network that hears what moves in a room whose own sound is taken away."""

from acoustic_sense.hookspecs import RegisterEncoder, hookimpl


@hookimpl
def register_encoders(register: RegisterEncoder) -> None:
    """Register the encoder."""
    from acoustic_sense_plugins.listen.encoder import ListenEncoder

    register("listen", ListenEncoder)
