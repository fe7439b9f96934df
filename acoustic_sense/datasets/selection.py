"""Selection: a filter on what is known of a take."""

from pydantic import Field

from acoustic_sense.config import Config
from acoustic_sense.types import TakeInfo


class Selection(Config):
    """A filter on takes; every filter that is given must accept, an empty one accepts all."""

    subjects: tuple[str, ...] = Field(default=(), description="Subjects to accept.")
    tracks: tuple[str, ...] = Field(default=(), description="Tracks to accept.")
    genres: tuple[str, ...] = Field(default=(), description="Genres to accept.")
    rooms: tuple[str, ...] = Field(default=(), description="Rooms to accept.")
    tags: tuple[str, ...] = Field(default=(), description="Tags that a take must all have.")
    without_tags: tuple[str, ...] = Field(
        default=(), description="Tags of which a take must have none."
    )

    def accepts(self, info: TakeInfo) -> bool:
        """Return whether a take passes."""
        return (
            _passes(self.subjects, info.subject)
            and _passes(self.tracks, info.track)
            and _passes(self.genres, info.genre)
            and _passes(self.rooms, info.room)
            and set(self.tags) <= set(info.tags)
            and not set(self.without_tags) & set(info.tags)
        )


def describe_selection(selection: Selection) -> str:
    """Return the filters that are given, e.g. `subjects = a, b`."""
    given = [
        f"{name} = {', '.join(values)}" for name, values in selection.model_dump().items() if values
    ]
    return "; ".join(given) or "an empty selection"


def _passes(accepted: tuple[str, ...], value: str) -> bool:
    return not accepted or value in accepted
