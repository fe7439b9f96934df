"""Read BVH files: a hierarchy of joints, then one line of channels a frame."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from acoustic_sense.errors import SimulationError

_CHANNELS = {f"{axis}{kind}" for axis in "XYZ" for kind in ("position", "rotation")}


@dataclass(frozen=True, eq=False)
class BvhMotion:
    """A skeleton and its movement, in the file's own units.

    Attributes:
        names: Joints, parents before children, without any `prefix:`.
        parents: Index of each joint's parent; -1 for the root.
        offsets: Offset of each joint from its parent, shape `(joint, 3)`.
        channels: Channel names of each joint, in the order of `values`.
        values: Channels of each frame, shape `(frame, channel)`, degrees for rotations.
        frame_s: Seconds between frames.
    """

    names: list[str]
    parents: list[int]
    offsets: np.ndarray
    channels: list[list[str]]
    values: np.ndarray
    frame_s: float

    def rest_positions(self) -> np.ndarray:
        """Return the joints with all channels zero and the root at the origin."""
        positions = np.zeros_like(self.offsets)
        for joint, parent in enumerate(self.parents):
            if parent >= 0:
                positions[joint] = positions[parent] + self.offsets[joint]
        return positions

    def world_rotations(self) -> tuple[list[Rotation], np.ndarray]:
        """Return each joint's rotation in the world and the root's path, shape `(frame, 3)`."""
        rotations: list[Rotation] = []
        root = np.tile(self.offsets[0], (len(self.values), 1))
        column = 0
        for joint, channels in enumerate(self.channels):
            turn = Rotation.identity(len(self.values))
            for channel in channels:
                values, axis = self.values[:, column], "XYZ".index(channel[0])
                column += 1
                if channel.endswith("rotation"):
                    turn = turn * Rotation.from_rotvec(
                        np.outer(np.deg2rad(values), np.eye(3)[axis])
                    )
                elif joint == 0:
                    root[:, axis] += values
            parent = self.parents[joint]
            rotations.append(turn if parent < 0 else rotations[parent] * turn)
        return rotations, root


def read_bvh(path: Path) -> BvhMotion:
    """Read a BVH file.

    Raises:
        SimulationError: The file cannot be read or is not a whole BVH.
    """
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise SimulationError(f"{path}: cannot be read: {error.strerror}") from None
    try:
        return _parse(text.split())
    except (ValueError, IndexError, StopIteration) as error:
        detail = str(error) or "it ends too early"
        raise SimulationError(f"{path}: not a whole BVH file: {detail}") from None


def _parse(tokens: list[str]) -> BvhMotion:
    if not tokens or tokens[0] != "HIERARCHY":
        raise ValueError("it does not begin with HIERARCHY")
    names: list[str] = []
    parents: list[int] = []
    offsets: list[list[float]] = []
    channels: list[list[str]] = []
    open_joints: list[int] = []  # the joints around the current token; -1 for an end site
    stream = iter(tokens[1:])
    for token in stream:
        if token in ("ROOT", "JOINT"):
            parents.append(open_joints[-1] if open_joints else -1)
            names.append(next(stream).rpartition(":")[2])
            offsets.append([0.0, 0.0, 0.0])
            channels.append([])
            next_open = len(names) - 1
        elif token == "End":
            next(stream)
            next_open = -1
        elif token == "{":
            open_joints.append(next_open)
        elif token == "}":
            open_joints.pop()
        elif token == "OFFSET":
            offset = [float(next(stream)) for _ in range(3)]
            if open_joints[-1] >= 0:
                offsets[open_joints[-1]] = offset
        elif token == "CHANNELS":
            found = [next(stream) for _ in range(int(next(stream)))]
            if not set(found) <= _CHANNELS:
                raise ValueError(f"unknown channels {sorted(set(found) - _CHANNELS)}")
            channels[open_joints[-1]] = found
        elif token == "MOTION":
            break
        else:
            raise ValueError(f"unexpected '{token[:40]}'")
    if next(stream) != "Frames:":
        raise ValueError("MOTION is not followed by 'Frames:'")
    frames = int(next(stream))
    if [next(stream), next(stream)] != ["Frame", "Time:"]:
        raise ValueError("'Frames:' is not followed by 'Frame Time:'")
    frame_s = float(next(stream))
    width = sum(map(len, channels))
    values = np.array(list(stream), dtype=np.float64)
    whole = frames > 0 and values.size >= frames * width and values.size % width == 0
    if not whole or frame_s <= 0:  # some files hold a frame more than they announce
        raise ValueError(
            f"{frames} frames of {width} channels expected, {values.size} values found"
        )
    return BvhMotion(
        names,
        parents,
        np.array(offsets),
        channels,
        values[: frames * width].reshape(frames, width),
        frame_s,
    )
