"""Plugin oumi2024: pose from chirps, with earlier frames as reference, at any place in the room."""

from acoustic_sense.hookspecs import RegisterEncoder, RegisterObjective, hookimpl


@hookimpl
def register_encoders(register: RegisterEncoder) -> None:
    """Register the encoder with reference frames."""
    from acoustic_sense_plugins.oumi2024.encoder import ReferenceEncoder

    register("oumi2024", ReferenceEncoder)


@hookimpl
def register_objectives(register: RegisterObjective) -> None:
    """Register the position adversary."""
    from acoustic_sense_plugins.oumi2024.adversary import PositionAdversary

    register("position-adversary", PositionAdversary)
