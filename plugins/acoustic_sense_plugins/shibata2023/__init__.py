"""Plugin shibata2023: pose from chirps by convolutions, and an adversary that names the subject."""

from acoustic_sense.hookspecs import RegisterEncoder, RegisterObjective, hookimpl


@hookimpl
def register_encoders(register: RegisterEncoder) -> None:
    """Register the convolutional encoder."""
    from acoustic_sense_plugins.shibata2023.encoder import ConvolutionalEncoder

    register("shibata2023", ConvolutionalEncoder)


@hookimpl
def register_objectives(register: RegisterObjective) -> None:
    """Register the subject adversary."""
    from acoustic_sense_plugins.shibata2023.adversary import SubjectAdversary

    register("subject-adversary", SubjectAdversary)
