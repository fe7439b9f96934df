"""Tracks: what is played. Every subject hears the same stretch of a track."""

from typing import Any

from pydantic import Field

from acoustic_sense.config import Config
from acoustic_sense.types import PlaybackSource
from acoustic_sense_simulator.sampling.names import Name
from acoustic_sense_simulator.sampling.seeds import seed_for


class TrackConfig(Config):
    """One track, or a family of like ones."""

    name: Name = Field(description="What to call the track in tables and protocols.")
    source: str = Field(
        default="generated-music", description="Name of a registered signal source."
    )
    config: dict[str, Any] = Field(
        default_factory=dict, description="Configuration of the signal source."
    )
    genre: str = Field(
        default="", description="Kind of playback; empty for the signal source's own."
    )
    seed: int | None = Field(
        default=None,
        ge=0,
        description="Seed of the signal; drawn from the dataset's seed and the name if left out.",
    )
    start_s: float = Field(default=0.0, ge=0, description="Where in the track takes begin.")
    repeats_continue: bool = Field(
        default=False,
        description="Whether each repeat goes on where the one before ended; "
        "otherwise all repeats hear the same stretch.",
    )
    count: int = Field(
        default=1,
        ge=1,
        le=100_000,
        description="Number of tracks to make of this entry, named name-1, name-2, ...; "
        "each with its own seed.",
    )
    same_scenes_as: str = Field(
        default="",
        description="Name of a track whose rooms, placements and motions this one repeats, so "
        "that two playbacks are compared on the same scenes.",
    )


def expand_tracks(tracks: tuple[TrackConfig, ...]) -> tuple[TrackConfig, ...]:
    """Return one entry per track: families spelt out, each member with its own name."""
    expanded: list[TrackConfig] = []
    for track in tracks:
        if track.count == 1:
            expanded.append(track)
            continue
        for index in range(1, track.count + 1):
            seed = None if track.seed is None else track.seed + index - 1
            twin = f"{track.same_scenes_as}-{index}" if track.same_scenes_as else ""
            update = {"name": f"{track.name}-{index}", "count": 1, "seed": seed}
            expanded.append(track.model_copy(update={**update, "same_scenes_as": twin}))
    return tuple(expanded)


def playback_source(track: TrackConfig, repeat: int, seconds: float, seed: int) -> PlaybackSource:
    """Return what one take plays; the same for every subject.

    Args:
        track: The track, already expanded.
        repeat: Number of the repeat, from 0.
        seconds: Length of a take.
        seed: Seed of the dataset.

    Returns:
        The playback of the scene.
    """
    signal_seed = seed_for(seed, "track", track.name) if track.seed is None else track.seed
    return PlaybackSource(
        source=track.source,
        config=dict(track.config),
        track=track.name,
        genre=track.genre,
        seed=signal_seed,
        start_s=track.start_s + (repeat * seconds if track.repeats_continue else 0.0),
    )
