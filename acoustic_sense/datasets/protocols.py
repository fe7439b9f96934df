"""Protocols as data: which takes train, validate and test.

A protocol is three selections of takes. It is written in TOML, or named: the named ones hold
subjects out and differ in what else the test takes do not share with training.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import Field

from acoustic_sense.config import Config, load_config
from acoustic_sense.datasets.named_protocols import BUILDERS
from acoustic_sense.datasets.selection import Selection, describe_selection
from acoustic_sense.errors import ConfigError, DatasetError, suggestion
from acoustic_sense.types import TakeInfo

__all__ = ["Protocol", "ProtocolChoice", "Selection", "Split", "find_protocol", "load_protocol"]


@dataclass(frozen=True)
class Split:
    """The takes that a protocol chose from a dataset.

    Attributes:
        train: Takes to train on.
        validation: Takes to watch while training; may be empty.
        test: Takes to evaluate on.
    """

    train: tuple[TakeInfo, ...]
    validation: tuple[TakeInfo, ...]
    test: tuple[TakeInfo, ...]


class Protocol(Config):
    """Which takes train, validate and test."""

    name: str = Field(default="custom", description="What to call the protocol in tables.")
    cross_subject: bool = Field(
        default=True, description="Refuse a subject that is both in training and in test."
    )
    train: Selection = Field(description="Takes to train on.")
    validation: Selection | None = Field(
        default=None, description="Takes to watch while training; none if left out."
    )
    test: Selection = Field(description="Takes to evaluate on.")

    def split(self, takes: Iterable[TakeInfo]) -> Split:
        """Return the takes of each role.

        Raises:
            DatasetError: Training or test is empty, or a take, or for a cross-subject protocol a
                subject, is in training and in another role.
        """
        every = tuple(takes)
        split = Split(
            train=self._select("train", self.train, every),
            validation=(
                self._select("validation", self.validation, every) if self.validation else ()
            ),
            test=self._select("test", self.test, every),
        )
        self._check_apart(split.train, split.test, "train", "test")
        self._check_apart(split.train, split.validation, "train", "validation")
        return split

    def select_test(
        self, takes: Iterable[TakeInfo], trained_on: Sequence[TakeInfo] = ()
    ) -> tuple[TakeInfo, ...]:
        """Return the test takes alone, for a dataset that need not hold the training takes.

        Args:
            takes: Takes of the dataset.
            trained_on: Training takes of another dataset; there, a take of the same name is
                another take, but a subject of the same name is the same person.

        Raises:
            DatasetError: There are none, or the protocol is cross-subject and a subject of theirs
                is trained on.
        """
        chosen = self._select("test", self.test, tuple(takes))
        self._check_people_apart(trained_on, chosen, "train", "test")
        return chosen

    def _select(
        self, role: str, selection: Selection, takes: tuple[TakeInfo, ...]
    ) -> tuple[TakeInfo, ...]:
        chosen = tuple(info for info in takes if selection.accepts(info))
        if not chosen:
            raise DatasetError(
                f"protocol '{self.name}': no take is selected for {role} by "
                f"{describe_selection(selection)} among {len(takes)} takes; "
                f"{_what_there_is(takes)}"
            )
        return chosen

    def _check_apart(
        self,
        first: Sequence[TakeInfo],
        second: Sequence[TakeInfo],
        first_role: str,
        second_role: str,
    ) -> None:
        roles = f"both in {first_role} and in {second_role}"
        shared = sorted({take.id for take in first} & {take.id for take in second})
        if shared:
            raise DatasetError(
                f"protocol '{self.name}': take '{shared[0]}' is {roles}"
                f"{_and_more(shared)}; change the selections"
            )
        self._check_people_apart(first, second, first_role, second_role)

    def _check_people_apart(
        self,
        first: Sequence[TakeInfo],
        second: Sequence[TakeInfo],
        first_role: str,
        second_role: str,
    ) -> None:
        roles = f"both in {first_role} and in {second_role}"
        people = sorted({take.subject for take in first} & {take.subject for take in second})
        if self.cross_subject and people:
            raise DatasetError(
                f"protocol '{self.name}': subject '{people[0]}' is {roles}{_and_more(people)}; "
                "hold the subject out, or set cross_subject = false"
            )


class ProtocolChoice(Config):
    """A named protocol and what it holds out; what is left empty is chosen from the dataset."""

    name: str = Field(
        default="leave-one-subject-out",
        description="leave-one-subject-out, single-music, cross-music, cross-genre, cross-room, "
        "noise, plain-clothes, off-axis (trained on takes without the tag of this name, tested on "
        "those with it), ampl-single-music, ampl-cross-music, ampl-cross-genre (the same with "
        "subject_1 and subject_3 left out of training, as AMPL's publication does), or the path of "
        "a TOML file with selections.",
    )
    test_subjects: tuple[str, ...] = Field(
        default=(), description="Subjects to test on; the last by name if empty."
    )
    validation_subjects: tuple[str, ...] = Field(
        default=(), description="Subjects to watch while training; nobody if empty."
    )
    exclude_subjects: tuple[str, ...] = Field(
        default=(), description="Subjects left out of training."
    )
    test_tracks: tuple[str, ...] = Field(
        default=(),
        description="Tracks to test on (single-music, noise, plain-clothes, off-axis: to train "
        "and test on); if empty, the first by name for single-music, the last for cross-music, all "
        "otherwise.",
    )
    test_genres: tuple[str, ...] = Field(
        default=(), description="Genres to test on (cross-genre); the last by name if empty."
    )
    test_rooms: tuple[str, ...] = Field(
        default=(), description="Rooms to test on (cross-room); the last by name if empty."
    )


def find_protocol(choice: str | ProtocolChoice, takes: Sequence[TakeInfo]) -> Protocol:
    """Return a named protocol resolved for a dataset, or the one in a TOML file.

    Args:
        choice: A name, the path of a TOML file, or a `ProtocolChoice`.
        takes: The dataset's takes.

    Returns:
        The protocol, with every selection spelt out.

    Raises:
        ConfigError: There is no such name or file, or the file is not a protocol.
        DatasetError: The dataset lacks what the protocol holds out, or has only one of it.
    """
    if isinstance(choice, str):
        choice = ProtocolChoice(name=choice)
    if choice.name in BUILDERS:
        roles = BUILDERS[choice.name](
            takes,
            test_subjects=choice.test_subjects,
            validation_subjects=choice.validation_subjects,
            exclude_subjects=choice.exclude_subjects,
            held_out={
                "tracks": choice.test_tracks,
                "genres": choice.test_genres,
                "rooms": choice.test_rooms,
            },
        )
        return Protocol(name=choice.name, **roles)
    path = Path(choice.name)
    if path.suffix == ".toml":
        return load_protocol(path)
    hint = suggestion(choice.name, BUILDERS) or f" known: {', '.join(BUILDERS)}"
    raise ConfigError(
        f"unknown protocol '{choice.name}';{hint}; or name a TOML file with selections"
    )


def load_protocol(path: Path) -> Protocol:
    """Read a protocol from TOML: tables `train`, `test` and, if wanted, `validation`.

    Raises:
        ConfigError: The file is missing or is not a protocol.
    """
    protocol = load_config(Protocol, path)
    if "name" not in protocol.model_fields_set:
        return protocol.model_copy(update={"name": path.stem})
    return protocol


def _what_there_is(takes: Sequence[TakeInfo]) -> str:
    subjects = sorted({take.subject for take in takes})
    tracks = sorted({take.track for take in takes})
    return f"there are subjects {', '.join(subjects)} and tracks {', '.join(tracks)}"


def _and_more(names: Sequence[str]) -> str:
    return f" (and {len(names) - 1} more)" if len(names) > 1 else ""
