"""Export of room responses to SOFA: one SingleRoomMIMOSRIR file for each room and its equipment.

The axes of the files are x, depth - z and y of the world: x ahead, y to the left, z up, with one
corner of the floor at the origin. Emitters are the loudspeakers; the receivers are the microphone's
spherical harmonics up to order 1.

References:
    AES69-2022, AES standard for file exchange: spatial acoustic data file format; convention
    SingleRoomMIMOSRIR 1.0 on sofaconventions.org.
"""

import csv
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import numpy as np
from jaxtyping import Float32, Float64

from acoustic_sense.constants import AMBISONIC_CHANNELS
from acoustic_sense.contracts.simulator import Simulator
from acoustic_sense.datasets import Dataset
from acoustic_sense.datasets.take_dataset import TakeDataset
from acoustic_sense.datasets.take_files import TO_AMBIX
from acoustic_sense.errors import AcousticSenseError, DatasetError
from acoustic_sense.types import Loudspeaker, Microphone, Room, Scene

CONVENTION: Final = "SingleRoomMIMOSRIR"
CONVENTION_VERSION: Final = "1.0"
MAPPING_NAME: Final = "takes.csv"
MAPPING_COLUMNS: Final = ("take", "file")
_AIR_K: Final = 293.15
"""Temperature at which sound travels at `SPEED_OF_SOUND_M_S`."""
_COMMENT: Final = (
    "Receivers are real spherical harmonics of order 0 and 1 about the listener, in ACN order "
    "(W, Y, Z, X) with SN3D gains: for a plane wave from azimuth a (to the left of ListenerView) "
    "and elevation e they are 1, cos(e) sin(a), sin(e), cos(e) cos(a). Emitter positions are "
    "relative to SourcePosition, in the axes of the room. Amplitude 1 is the direct sound at 1 m "
    "of an emitter whose response is flat; the time of flight is in Data.IR. Responses of "
    "loudspeakers and microphone are included; a person is not, nor are errors of the recorder "
    "(gains and axes of channels, latency, clock, noise)."
)

OnFile = Callable[[int, int], None]
"""Called with the files that are done and those that there are."""


@dataclass(frozen=True)
class SofaExport:
    """What was exported.

    Attributes:
        files: The file of each take, by its id.
    """

    files: dict[str, str]


@dataclass(frozen=True)
class _Setup:
    """What the response of an empty room depends on; see `Scene`."""

    room: Room
    loudspeakers: tuple[Loudspeaker, ...]
    microphone: Microphone
    sample_rate_hz: int

    def scene(self) -> Scene:
        """Return the setup as a scene without a person."""
        return Scene(
            room=self.room,
            loudspeakers=self.loudspeakers,
            microphone=self.microphone,
            subject=None,
            sample_rate_hz=self.sample_rate_hz,
        )


def export_sofa(
    dataset: Dataset, folder: Path, simulator: Simulator, on_file: OnFile | None = None
) -> SofaExport:
    """Write the responses of the empty rooms that a dataset was simulated in.

    Takes with the same room, loudspeakers and microphone share a file; `takes.csv` says which.
    Every file is verified against its convention and read back.

    Args:
        dataset: Simulated takes.
        folder: A folder to fill; empty or not there yet.
        simulator: Makes the responses.
        on_file: Called after each file.

    Returns:
        Which file belongs to which take.

    Raises:
        AcousticSenseError: The package sofar is not installed.
        DatasetError: The dataset has no audio, is empty, or a take has no scene.
    """
    sofar = _sofar()
    setups = _setups(dataset)
    names = _file_names(list(setups))
    folder.mkdir(parents=True, exist_ok=True)
    for done, (setup, name) in enumerate(names.items(), start=1):
        _write(sofar, folder / name, setup, simulator.room_responses(setup.scene()))
        if on_file is not None:
            on_file(done, len(names))
    files = {take: names[setup] for setup, takes in setups.items() for take in takes}
    with (folder / MAPPING_NAME).open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(MAPPING_COLUMNS)
        writer.writerows(sorted(files.items()))
    return SofaExport(files)


def _sofar() -> Any:
    try:
        return import_module("sofar")
    except ImportError:
        raise AcousticSenseError(
            "SOFA files need the package 'sofar'; install it with: "
            "pip install 'acoustic-sense[sofa]'"
        ) from None


def _setups(dataset: Dataset) -> dict[_Setup, list[str]]:
    """Return the takes of each setup, whatever else the recorder did wrong."""
    if not isinstance(dataset, TakeDataset):
        raise DatasetError(
            f"{dataset.path}: datasets of layout '{dataset.layout}' do not say in which room they "
            "were made; export a simulated dataset"
        )
    setups: dict[_Setup, list[str]] = {}
    for info in dataset.takes:
        scene = dataset.read_scene(info.id)
        if scene is None:
            raise DatasetError(
                f"{dataset.path}: take '{info.id}' has no scene, so its room is not known; export "
                "a simulated dataset"
            )
        heard = scene.microphone
        ideal = Microphone(heard.position_m, heard.yaw_deg, heard.response_db)
        setup = _Setup(scene.room, scene.loudspeakers, ideal, scene.sample_rate_hz)
        setups.setdefault(setup, []).append(info.id)
    if not setups:
        raise DatasetError(f"{dataset.path}: has no takes; finish it first")
    return setups


def _file_names(setups: list[_Setup]) -> dict[_Setup, str]:
    """Return a file name for each setup: its room's, numbered where there are several."""
    stems = {setup: re.sub(r"[^A-Za-z0-9._-]+", "-", setup.room.name) for setup in setups}
    total, met = Counter(stems.values()), Counter[str]()
    names = {}
    for setup, stem in stems.items():
        met[stem] += 1
        width = len(str(total[stem]))
        number = f"_{met[stem]:0{width}d}" if total[stem] > 1 else ""
        names[setup] = f"{stem or 'room'}{number}.sofa"
    return names


def _write(
    sofar: Any, path: Path, setup: _Setup, responses: Float32[np.ndarray, "speaker 4 tap"]
) -> None:
    """Write one file, verified, and compare what is read back.

    Raises:
        DatasetError: What was read back differs.
    """
    sofa = sofar.Sofa(CONVENTION, version=CONVENTION_VERSION)
    ambix = responses[:, list(TO_AMBIX)].astype(np.float64)
    sofa.Data_IR = ambix.transpose(1, 2, 0)[None]  # measurement, receiver, sample, emitter
    sofa.Data_SamplingRate = float(setup.sample_rate_hz)
    sofa.Data_Delay = np.zeros((1, len(TO_AMBIX), len(responses)))
    _describe_room(sofa, setup.room)
    _describe_microphone(sofa, setup)
    _describe_loudspeakers(sofa, setup)
    sofa.verify(issue_handling="raise")
    sofar.write_sofa(str(path), sofa)
    back = sofar.read_sofa(str(path), verbose=False)
    if not np.array_equal(back.Data_IR, sofa.Data_IR):
        raise DatasetError(f"{path}: what was read back is not what was written; check the disk")


def _describe_room(sofa: Any, room: Room) -> None:
    from acoustic_sense import __version__

    width, height, depth = room.size_m
    sofa.GLOBAL_Title = f"{room.name}: responses of the empty room"
    sofa.GLOBAL_ApplicationName = "acoustic-sense"
    sofa.GLOBAL_ApplicationVersion = __version__
    sofa.GLOBAL_Origin = "simulated"
    sofa.GLOBAL_Comment = _COMMENT
    sofa.GLOBAL_RoomType = "shoebox"
    sofa.GLOBAL_RoomShortName = room.name
    sofa.GLOBAL_RoomDescription = (
        f"absorption {room.absorption}, images to order {room.image_order}, "
        f"{'with' if room.late_tail else 'no'} diffuse tail, "
        f"{'with' if room.air_absorption else 'no'} air absorption"
    )
    sofa.RoomCornerA = np.zeros((1, 3))
    sofa.RoomCornerB = np.array([[width, depth, height]])
    sofa.RoomVolume = width * height * depth
    sofa.RoomTemperature = _AIR_K


def _describe_microphone(sofa: Any, setup: _Setup) -> None:
    microphone = setup.microphone
    view, up = _directions(microphone.yaw_deg)
    sofa.GLOBAL_ListenerShortName = "microphone"
    sofa.GLOBAL_ListenerDescription = "coincident first-order ambisonics microphone"
    channels = ", ".join(AMBISONIC_CHANNELS[index] for index in TO_AMBIX)
    sofa.GLOBAL_ReceiverDescription = f"real spherical harmonics to order 1, SN3D: {channels}"
    sofa.ListenerPosition = _position(microphone.position_m, setup.room)[None]
    sofa.ListenerView, sofa.ListenerUp = view[None], up[None]
    sofa.ReceiverPosition = np.zeros((1, 3))
    sofa.ReceiverPosition_Type = "spherical harmonics"
    sofa.ReceiverPosition_Units = "degree, degree, metre"
    harmonics_point_nowhere = (
        "ReceiverView",
        "ReceiverUp",
        "ReceiverView_Type",
        "ReceiverView_Units",
    )
    for name in (*harmonics_point_nowhere, "ReceiverDescriptions"):
        sofa.delete(name)


def _describe_loudspeakers(sofa: Any, setup: _Setup) -> None:
    places = np.array([_position(each.position_m, setup.room) for each in setup.loudspeakers])
    middle = places.mean(axis=0)
    directions = [_directions(*_axis(each)) for each in setup.loudspeakers]
    sofa.GLOBAL_SourceShortName = "loudspeakers"
    sofa.GLOBAL_SourceDescription = "all loudspeakers; SourcePosition is the middle between them"
    sofa.GLOBAL_EmitterShortName = "loudspeaker"
    sofa.SourcePosition = middle[None]
    sofa.SourceView, sofa.SourceUp = np.array([[1.0, 0.0, 0.0]]), np.array([[0.0, 0.0, 1.0]])
    sofa.EmitterPosition = places - middle
    sofa.EmitterPosition_Type, sofa.EmitterPosition_Units = "cartesian", "metre"
    sofa.EmitterView = np.array([view for view, _ in directions])
    sofa.EmitterUp = np.array([up for _, up in directions])
    sofa.GLOBAL_EmitterDescription = "; ".join(
        f"playback channel {number}: {_loudspeaker_text(each)}"
        for number, each in enumerate(setup.loudspeakers)
    )
    sofa.delete("EmitterDescriptions")


def _loudspeaker_text(loudspeaker: Loudspeaker) -> str:
    if not loudspeaker.cabinet_radius_m:
        return "point source"
    return (
        f"cap of {loudspeaker.cone_radius_m:g} m on a sphere of {loudspeaker.cabinet_radius_m:g} m"
    )


def _axis(loudspeaker: Loudspeaker) -> tuple[float, float]:
    return loudspeaker.yaw_deg, loudspeaker.elevation_deg


def _position(position_m: tuple[float, float, float], room: Room) -> Float64[np.ndarray, " 3"]:
    """Return a world position in the axes of the file."""
    x, y, z = position_m
    return np.array([x, room.size_m[2] - z, y])


def _directions(
    yaw_deg: float, elevation_deg: float = 0.0
) -> tuple[Float64[np.ndarray, " 3"], Float64[np.ndarray, " 3"]]:
    """Return where a device points and its up, unit vectors in the axes of the file."""
    yaw, elevation = np.radians(yaw_deg), np.radians(elevation_deg)
    ahead = np.array([np.cos(yaw), np.sin(yaw), 0.0])
    above = np.array([0.0, 0.0, 1.0])
    view: np.ndarray = np.cos(elevation) * ahead + np.sin(elevation) * above
    up: np.ndarray = np.cos(elevation) * above - np.sin(elevation) * ahead
    return view, up
