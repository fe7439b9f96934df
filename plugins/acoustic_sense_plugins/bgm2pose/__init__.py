"""Plugin bgm2pose: frequency-wise attention encoder and contrastive pose extraction."""

from acoustic_sense.hookspecs import RegisterEncoder, RegisterObjective, hookimpl


@hookimpl
def register_encoders(register: RegisterEncoder) -> None:
    """Register the frequency-wise attention encoder."""
    from acoustic_sense_plugins.bgm2pose.encoder import FrequencyAttentionEncoder

    register("bgm2pose-fa", FrequencyAttentionEncoder)


@hookimpl
def register_objectives(register: RegisterObjective) -> None:
    """Register contrastive pose extraction."""
    from acoustic_sense_plugins.bgm2pose.contrastive import ContrastivePoseExtraction

    register("bgm2pose-cpe", ContrastivePoseExtraction)
