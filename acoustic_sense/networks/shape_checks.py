"""What frames and bins a network takes, said in one line where it does not fit."""

from acoustic_sense.errors import ModelError


def check_frames(frame_count: int, multiple: int, encoder: str) -> None:
    """Refuse clips whose frames cannot be halved as often as a network does.

    Raises:
        ModelError: `frame_count` is zero or no multiple of `multiple`.
    """
    if frame_count <= 0 or frame_count % multiple:
        raise ModelError(
            f"encoder {encoder} takes a multiple of {multiple} frames, not {frame_count}; cut or "
            "pad the clip"
        )


def check_bins(bin_count: int, multiple: int, encoder: str) -> None:
    """Refuse features whose bins cannot be halved as often as a network does.

    Raises:
        ModelError: `bin_count` is zero or no multiple of `multiple`.
    """
    if bin_count < multiple or bin_count % multiple:
        raise ModelError(
            f"encoder {encoder} takes a multiple of {multiple} bins, not {bin_count}; use the "
            "feature 'mel-stack'"
        )
