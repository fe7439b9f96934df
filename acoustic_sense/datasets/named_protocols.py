"""The named protocols: all hold subjects out; most hold out a track, a genre or a room too.

Three test under a condition that training has not seen, which takes bear as a tag.
"""

from collections.abc import Mapping, Sequence
from typing import Final, Literal
from typing import Protocol as TypingProtocol

from acoustic_sense.datasets.selection import Selection
from acoustic_sense.errors import DatasetError, suggestion
from acoustic_sense.types import TakeInfo

Roles = dict[str, Selection | None]
Axis = Literal["tracks", "genres", "rooms"]
AMPL_UNTRAINED: Final = ("subject_1", "subject_3")
"""Subjects, numbered as in AMPL's files, that the publication leaves out of training."""
_ATTRIBUTE: Final = {"subjects": "subject", "tracks": "track", "genres": "genre", "rooms": "room"}


class Builder(TypingProtocol):
    """Makes the selections of a named protocol for a dataset."""

    def __call__(
        self,
        takes: Sequence[TakeInfo],
        *,
        test_subjects: tuple[str, ...],
        validation_subjects: tuple[str, ...],
        exclude_subjects: tuple[str, ...],
        held_out: Mapping[str, tuple[str, ...]],
    ) -> Roles:
        """Return the selections `train`, `validation` and `test`."""


def _leave_one_subject_out(
    axis: Axis | None, *, shared: bool, untrained: tuple[str, ...] = ()
) -> Builder:
    """Return a builder.

    Args:
        axis: What the test takes are chosen by beside the subject, or None.
        shared: Whether training sees the same values of `axis` (single-music) or all others.
        untrained: Subjects that are never trained on, nor tested on unless they are named.
    """

    def build(
        takes: Sequence[TakeInfo],
        *,
        test_subjects: tuple[str, ...],
        validation_subjects: tuple[str, ...],
        exclude_subjects: tuple[str, ...],
        held_out: Mapping[str, tuple[str, ...]],
    ) -> Roles:
        subjects = _values(takes, "subjects")
        usual = tuple(name for name in subjects if name not in untrained)
        tested = test_subjects or usual[-1:] or subjects[-1:]
        apart = (*tested, *validation_subjects, *exclude_subjects)
        _check_known(apart, subjects, "subjects")
        trained = tuple(name for name in usual if name not in apart)
        if not trained:
            raise DatasetError(
                f"no subject is left to train on: the dataset has {', '.join(subjects)} and "
                "all are held out; hold out fewer"
            )
        train: dict[str, tuple[str, ...]] = {"subjects": trained}
        test: dict[str, tuple[str, ...]] = {"subjects": tuple(tested)}
        if axis is not None:
            train[axis], test[axis] = _divide(takes, axis, held_out[axis], shared)
        watched = {**train, "subjects": tuple(validation_subjects)}
        return {
            "train": Selection.model_validate(train),
            "validation": Selection.model_validate(watched) if validation_subjects else None,
            "test": Selection.model_validate(test),
        }

    return build


def _under_condition(tag: str) -> Builder:
    """Return a builder: test takes have a tag, training takes do not.

    Args:
        tag: Name of the condition, e.g. `noise`.
    """
    hold_out = _leave_one_subject_out(None, shared=False)

    def build(
        takes: Sequence[TakeInfo],
        *,
        test_subjects: tuple[str, ...],
        validation_subjects: tuple[str, ...],
        exclude_subjects: tuple[str, ...],
        held_out: Mapping[str, tuple[str, ...]],
    ) -> Roles:
        if not any(tag in info.tags for info in takes):
            raise DatasetError(
                f"the protocol tests takes with the tag '{tag}', but no take of the dataset has "
                f"it; set 'tags' in dataset.toml, or use benchmark data --condition {tag}"
            )
        roles = hold_out(
            takes,
            test_subjects=test_subjects,
            validation_subjects=validation_subjects,
            exclude_subjects=exclude_subjects,
            held_out={},
        )
        _check_known(held_out["tracks"], _values(takes, "tracks"), "tracks")
        shared = {"tracks": held_out["tracks"]}
        differing = {"test": {"tags": (tag,)}}
        return {
            role: selection
            and selection.model_copy(
                update={**shared, **differing.get(role, {"without_tags": (tag,)})}
            )
            for role, selection in roles.items()
        }

    return build


def _divide(
    takes: Sequence[TakeInfo], axis: Axis, chosen: tuple[str, ...], shared: bool
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the values of `axis` to train on and to test on."""
    values = _values(takes, axis)
    _check_known(chosen, values, axis)
    if shared:
        both = chosen or values[:1]
        return both, both
    tested = chosen or values[-1:]
    trained = tuple(value for value in values if value not in tested)
    if not trained:
        raise DatasetError(
            f"the protocol holds out {axis}, but the dataset has only {', '.join(values)}; "
            f"choose another protocol or a dataset with more {axis}"
        )
    return trained, tested


def _values(takes: Sequence[TakeInfo], axis: str) -> tuple[str, ...]:
    return tuple(sorted({getattr(info, _ATTRIBUTE[axis]) for info in takes}))


def _check_known(names: Sequence[str], known: Sequence[str], axis: str) -> None:
    for name in names:
        if name not in known:
            hint = suggestion(name, known) or f" it has {', '.join(known)}"
            raise DatasetError(f"the dataset has no '{name}' among its {axis};{hint}")


BUILDERS: Final[dict[str, Builder]] = {
    "leave-one-subject-out": _leave_one_subject_out(None, shared=False),
    "single-music": _leave_one_subject_out("tracks", shared=True),
    "cross-music": _leave_one_subject_out("tracks", shared=False),
    "cross-genre": _leave_one_subject_out("genres", shared=False),
    "cross-room": _leave_one_subject_out("rooms", shared=False),
    "noise": _under_condition("noise"),
    "plain-clothes": _under_condition("plain-clothes"),
    "off-axis": _under_condition("off-axis"),
    "ampl-single-music": _leave_one_subject_out("tracks", shared=True, untrained=AMPL_UNTRAINED),
    "ampl-cross-music": _leave_one_subject_out("tracks", shared=False, untrained=AMPL_UNTRAINED),
    "ampl-cross-genre": _leave_one_subject_out("genres", shared=False, untrained=AMPL_UNTRAINED),
}
"""The named protocols, all cross-subject; `ampl-...` are those of AMPL's publication."""
