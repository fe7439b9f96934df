"""Paths over the walls: images of loudspeaker and microphone, and what a path does to a spectrum.

Paths: loudspeaker images up to `source_order`, microphone images up to `microphone_order`, both
legs together at most the larger of the two, so that cost grows with one order and not with the
product. Each bounce multiplies by the wall's reflection, in octave bands where the room has them;
the loudspeaker sends less off its axis; air absorption is that of the path over the body's middle.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Complex128, Float, Float32, Float64, Int64

from acoustic_sense.types import Loudspeaker, Microphone, Room
from acoustic_sense_simulator.loudspeaker import directivity_gain
from acoustic_sense_simulator.room.axes import microphone_axes
from acoustic_sense_simulator.room.images import Images, images_of
from acoustic_sense_simulator.room.walls import reflection_gain
from acoustic_sense_simulator.scattering.minimum_phase import minimum_phase


@dataclass(frozen=True, eq=False)
class PathList:
    """Some of the paths.

    Attributes:
        paths: Table and microphone image of each path, by source image, shape `(path, 2)`.
        starts: First path of each source image, and the number of paths.
    """

    paths: Int64[np.ndarray, "path 2"]
    starts: Int64[np.ndarray, " start"]


@dataclass(frozen=True, eq=False)
class PathSet:
    """All paths from one loudspeaker over a body to the microphone.

    Attributes:
        loudspeaker: Where the sound comes from.
        room: The room.
        sources: Images of the loudspeaker.
        microphones: Images of the microphone.
        axes: Front, left and up of each mirrored microphone, shape `(microphone, 3, 3)`.
        table_of: Source image and number of reflections over both legs of each table of weights,
            shape `(table, 2)`.
        direct: The path without a wall.
        reflected: All others.
    """

    loudspeaker: Loudspeaker
    room: Room
    sources: Images
    microphones: Images
    axes: Float32[np.ndarray, "microphone 3 3"]
    table_of: Int64[np.ndarray, "table 2"]
    direct: PathList
    reflected: PathList

    def gain(
        self,
        table: int,
        middle_m: Float[np.ndarray, " 3"],
        frequencies_hz: Float64[np.ndarray, " frequency"],
    ) -> Complex128[np.ndarray, " frequency"]:
        """Return what the paths of one table do to the spectrum besides spreading and delay.

        Args:
            table: Number of the table.
            middle_m: Where the body is.
            frequencies_hz: Where the gain is wanted.

        Returns:
            Minimum-phase gain in numpy's convention, exp(+i omega t).
        """
        image, order = (int(value) for value in self.table_of[table])
        away = np.asarray(middle_m, float) - self.sources.positions[image]
        length = float(np.linalg.norm(away))
        leaving = self.sources.flips[image] * away / length
        to_microphone = np.linalg.norm(self.microphones.positions[0] - np.asarray(middle_m, float))

        def magnitude(
            frequencies: Float64[np.ndarray, " bin"],
        ) -> Float64[np.ndarray, " bin"]:
            walls = reflection_gain(self.room, order, length + float(to_microphone), frequencies)
            sent = directivity_gain(self.loudspeaker, leaving[None], frequencies)[0]
            total: np.ndarray = walls * sent
            return total

        return minimum_phase(magnitude, frequencies_hz)

    @property
    def direct_m(self) -> float:
        """Length of the direct sound's path, metres."""
        return float(np.linalg.norm(self.sources.positions[0] - self.microphones.positions[0]))

    def longest_m(self, bounds_m: Float[np.ndarray, "2 3"], order: int | None = None) -> float:
        """Return the length of the longest path over a box, metres.

        Args:
            bounds_m: Lowest and highest coordinates of the box.
            order: Most reflections of the paths that count; None for all paths.
        """
        corners = np.array(np.meshgrid(*bounds_m.T)).reshape(3, -1).T
        to_body = np.linalg.norm(self.sources.positions[:, None] - corners, axis=2)
        from_body = np.linalg.norm(self.microphones.positions[:, None] - corners, axis=2)
        total = to_body[:, None] + from_body[None]
        bounces = self.sources.orders[:, None] + self.microphones.orders[None]
        highest = self.table_of[:, 1].max() if order is None else order
        return float(total[bounces <= highest].max())


def path_set(
    room: Room,
    loudspeaker: Loudspeaker,
    microphone: Microphone,
    source_order: int,
    microphone_order: int,
) -> PathSet:
    """Return the paths from a loudspeaker over a body to the microphone.

    Args:
        room: The room.
        loudspeaker: Where the sound comes from.
        microphone: Where it is heard.
        source_order: Highest reflection order between loudspeaker and body.
        microphone_order: Highest reflection order between body and microphone.
    """
    sources = images_of(loudspeaker.position_m, room.size_m, source_order)
    microphones = images_of(microphone.position_m, room.size_m, microphone_order)
    axes = microphone_axes(microphone.yaw_deg)[None] * microphones.flips[:, None]
    highest = max(source_order, microphone_order)
    tables: list[tuple[int, int]] = []
    paths: list[list[tuple[int, int]]] = []
    for source, source_bounces in enumerate(sources.orders):
        paths.append([])
        for image, bounces in enumerate(microphones.orders):
            total = int(source_bounces + bounces)
            if total > highest:
                continue
            if (source, total) not in tables:
                tables.append((source, total))
            paths[-1].append((tables.index((source, total)), image))
    direct, first = paths[0][:1], paths[0][1:]
    return PathSet(
        loudspeaker=loudspeaker,
        room=room,
        sources=sources,
        microphones=microphones,
        axes=axes.astype(np.float32),
        table_of=np.array(tables, dtype=np.int64),
        direct=_path_list([direct, *([] for _ in paths[1:])]),
        reflected=_path_list([first, *paths[1:]]),
    )


def _path_list(paths: list[list[tuple[int, int]]]) -> PathList:
    """Return paths given source by source."""
    flat = [path for group in paths for path in group]
    starts = np.cumsum([0, *(len(group) for group in paths)])
    return PathList(np.array(flat, dtype=np.int64).reshape(-1, 2), starts.astype(np.int64))
