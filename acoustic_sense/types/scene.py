"""Scene: a room, loudspeakers, a microphone, a person, a motion and a playback, as plain data.

A scene and its seed describe a simulated take completely: the same scene gives the same bytes.
All positions are world coordinates in metres: right-handed, Y up, one corner of the room's floor
at the origin, so that a point inside the room lies between `(0, 0, 0)` and `size_m`.
"""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Field, TypeAdapter
from pydantic.dataclasses import dataclass

from acoustic_sense.constants import SAMPLE_RATE_HZ

Vector = tuple[float, float, float]
Convention = Literal["ambix", "acn-n3d", "fuma", "n3d", "sn3d"]
_STRICT = ConfigDict(extra="forbid", allow_inf_nan=False)
_BANDS = 8


def _all_three_axes(axes: str) -> str:
    """Refuse microphone axes that leave one of the three out."""
    if sorted(axes[1::2]) != ["x", "y", "z"]:
        raise ValueError(f"name each of x, y and z once, like '+x+y+z', not '{axes}'")
    return axes


def _surface_absorption(value: float | tuple[float, ...]) -> float | tuple[float, ...]:
    """Refuse absorptions outside [0, 1), and any number of them but 1 or 8."""
    bands = value if isinstance(value, tuple) else (value,)
    if isinstance(value, tuple) and len(bands) != _BANDS:
        raise ValueError(
            f"give one absorption or one for each of {_BANDS} octaves from 125 Hz to 16 kHz, "
            f"not {len(bands)}"
        )
    if not all(0 <= band < 1 for band in bands):
        raise ValueError(f"absorption lies from 0 to below 1, not {value}")
    return value


MicrophoneAxes = Annotated[str, Field(pattern="^([+-][xyz]){3}$"), AfterValidator(_all_three_axes)]
SurfaceAbsorption = Annotated[float | tuple[float, ...], AfterValidator(_surface_absorption)]


@dataclass(frozen=True, config=_STRICT)
class Room:
    """A shoebox room.

    Attributes:
        size_m: Inner size along world x, y (height) and z.
        absorption: Energy absorption of every surface: one number, or one per octave band of
            `ABSORPTION_BANDS_HZ`.
        image_order: Highest order of wall reflections rendered as image sources.
        late_tail: Whether a diffuse, ray-traced tail follows the images.
        air_absorption: Whether air takes high frequencies away over distance.
        name: What to call the room in tables and protocols.
        scattering: Share of the reflected energy that the walls and what stands along them send
            anywhere, by Lambert's law, instead of mirroring it: 0 for bare walls, in which sound
            along the longest sides outlives what statistics say. What is scattered is heard in the
            diffuse tail only.
    """

    size_m: Vector = (6.0, 3.0, 5.0)
    absorption: float | tuple[float, ...] = 0.25
    image_order: Annotated[int, Field(ge=0, le=60)] = 10
    late_tail: bool = False
    air_absorption: bool = False
    name: str = "room"
    scattering: Annotated[float, Field(ge=0, le=1)] = 0.0


@dataclass(frozen=True, config=_STRICT)
class Loudspeaker:
    """A loudspeaker: a frequency response and, unless it is a point, a directivity.

    The directivity is that of a vibrating cap on a rigid sphere.

    Attributes:
        position_m: World position.
        response_db: Gain in dB on its axis at each of `RESPONSE_FREQUENCIES_HZ`; empty for a flat
            response.
        yaw_deg: Direction of its axis about the world's Y axis: 0 is world +x, 90 is world -z, as
            `Microphone.yaw_deg`.
        elevation_deg: Angle of its axis above the horizontal.
        cabinet_radius_m: Radius of the rigid sphere; 0 for a point source that radiates alike in
            all directions.
        cone_radius_m: Radius of the cap's rim, at most that of the cabinet.
    """

    position_m: Vector
    response_db: tuple[float, ...] = ()
    yaw_deg: float = 0.0
    elevation_deg: Annotated[float, Field(ge=-90, le=90)] = 0.0
    cabinet_radius_m: Annotated[float, Field(ge=0, le=1)] = 0.0
    cone_radius_m: Annotated[float, Field(gt=0, le=1)] = 0.065


@dataclass(frozen=True, config=_STRICT)
class Microphone:
    """A coincident first-order ambisonics microphone.

    Attributes:
        position_m: World position.
        yaw_deg: Rotation about the world's Y axis. At 0 the microphone's front (+X of its
            ambisonics frame) is world +x, its left (+Y) is world -z, its up (+Z) is world +y; a
            positive angle turns the front towards its left.
        response_db: As `Loudspeaker.response_db`, the same for all four channels.
        channel_gain_db: Errors of gain of its channels W, X, Y, Z.
        axes: Which of its true axes, with which sign, the channels called X, Y and Z are: `+x+y+z`
            is right; `+y-x+z` is a microphone mounted a quarter turn to its left; `+x-y+z` is one
            with left and right exchanged.
        convention: Channel order and gains that the device delivers. Its files are read as AmbiX,
            the order on disk, so that anything but `ambix` leaves the recording wrongly labelled,
            as a device does whose convention nobody knows.
    """

    position_m: Vector
    yaw_deg: float = 0.0
    response_db: tuple[float, ...] = ()
    channel_gain_db: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)
    axes: MicrophoneAxes = "+x+y+z"
    convention: Convention = "ambix"


@dataclass(frozen=True, config=_STRICT)
class Subject:
    """A person.

    Attributes:
        name: Identity used by cross-subject protocols.
        betas: Shape coefficients of the body model; empty for its mean shape.
        height_m: Height in T-pose, or None for that of `betas`. With a height or a mass the person
            has the betas nearest to `betas` that give them.
        mass_kg: Mass, the volume of the body times 1,010 kg/m^3, or None for that of `betas`.
        body: `embedded` for the open body that ships with the simulator, or the path of the
            user's own SMPL file.
        clothes_absorption: Energy absorption of the body's surface, 0 for a rigid one: one number,
            or one per octave band of `ABSORPTION_BANDS_HZ`.
        position_m: Where the subject stands on the floor (y is 0), world coordinates.
        heading_deg: Rotation about world Y; at 0 the subject faces world +z, positive turns
            towards world +x.
        style_seed: Personal style of movement (amplitude, tempo, posture), the same in all takes
            of a subject.
    """

    name: str = "subject"
    betas: tuple[float, ...] = ()
    height_m: Annotated[float, Field(gt=0, le=3)] | None = None
    mass_kg: Annotated[float, Field(gt=0, le=400)] | None = None
    body: str = "embedded"
    clothes_absorption: SurfaceAbsorption = 0.0
    position_m: Vector = (3.0, 0.0, 2.5)
    heading_deg: float = 0.0
    style_seed: int = 0


@dataclass(frozen=True, config=_STRICT)
class Motion:
    """How the person moves.

    Attributes:
        source: `activities` (procedural, labelled), `cmu` (embedded captures) or `file`.
        activities: Which procedural activities to draw from; empty for all of them.
        path: The motion file for `file`: an AMASS npz or a BVH.
        rate_hz: Poses per second that the body is rendered at.
    """

    source: Literal["activities", "cmu", "file"] = "activities"
    activities: tuple[str, ...] = ()
    path: str = ""
    rate_hz: Annotated[float, Field(ge=10, le=240)] = 60.0


@dataclass(frozen=True, config=_STRICT)
class PlaybackSource:
    """Which signal the loudspeakers are sent.

    Attributes:
        source: Name of a registered signal source.
        config: Its configuration.
        track: What to call the playback in tables; defaults to the source's own name for it.
        genre: Kind of playback.
        seed: Seed of the signal, so that takes of one track hear the same music.
        start_s: Where in the track the take begins.
    """

    source: str = "generated-music"
    config: dict[str, Any] = Field(default_factory=dict)
    track: str = ""
    genre: str = ""
    seed: int = 0
    start_s: Annotated[float, Field(ge=0)] = 0.0


@dataclass(frozen=True, config=_STRICT)
class Noise:
    """Room and sensor noise, playback level, and the recording's imperfect timing.

    Attributes:
        playback_level_db_spl: Level of the playback at the microphone, unweighted.
        noise_criterion: Noise-criterion (NC) curve of the diffuse room noise, or None for none.
        self_noise_db_spl: Level of the microphone's own white noise, A-weighted, or None.
        full_scale_db_spl: Level that maps to digital full scale (rms of a sine at 0 dBFS).
        latency_s: Delay of the recording behind playback and poses that is not sound in air;
            negative if the recording is early.
        clock_drift_ppm: How much faster the recorder's clock runs than the player's, in millionths.
            A sound that was played at time t is found at `t * (1 + ppm / 1e6)` in the recording.
            Poses keep the recorder's time: pose i belongs to recording time `i / rate_hz` (plus
            `latency_s`) whatever the drift.
    """

    playback_level_db_spl: float = 65.0
    noise_criterion: Annotated[float, Field(ge=0, le=70)] | None = 25.0
    self_noise_db_spl: float | None = 20.0
    full_scale_db_spl: float = 100.0
    latency_s: Annotated[float, Field(ge=-0.5, le=0.5)] = 0.0
    clock_drift_ppm: Annotated[float, Field(ge=-1000, le=1000)] = 0.0


@dataclass(frozen=True, config=_STRICT)
class Scene:
    """Everything that determines a simulated take.

    Attributes:
        seed: Seed of all that is random in the take: motion, noise, diffuse tail.
        seconds: Length of the take.
        room: The room.
        loudspeakers: At least one; playback channel i drives loudspeaker i.
        microphone: The microphone.
        subject: The person, or None for an empty room.
        motion: How the person moves.
        playback: What is played.
        noise: Noise, levels and timing.
        source_order: Highest wall-reflection order between loudspeaker and body.
        microphone_order: Highest wall-reflection order between body and microphone.
        facets: `coarse`, `medium` or `fine` mesh for scattering.
        fidelity: How the pressure on the body is found: `fast` from spheres of the local radius;
            `bem` from the boundary integral equation below 800 Hz, `high` from a finer one below
            1.25 kHz, both `fast` above. Either takes minutes for a minute of sound.
        id: Identity of the take in a dataset.
        tags: Split tags that protocols select on.
        sample_rate_hz: Samples per second.
    """

    seed: int = 0
    seconds: Annotated[float, Field(gt=0, le=24 * 3600)] = 6.0
    room: Room = Field(default_factory=Room)
    loudspeakers: Annotated[tuple[Loudspeaker, ...], Field(min_length=1)] = (
        Loudspeaker((2.3, 1.2, 0.8)),
        Loudspeaker((3.7, 1.2, 0.8)),
    )
    microphone: Microphone = Field(default_factory=lambda: Microphone((3.0, 1.2, 4.3), 90.0))
    subject: Subject | None = Field(default_factory=Subject)
    motion: Motion = Field(default_factory=Motion)
    playback: PlaybackSource = Field(default_factory=PlaybackSource)
    noise: Noise = Field(default_factory=Noise)
    source_order: Annotated[int, Field(ge=0, le=3)] = 1
    microphone_order: Annotated[int, Field(ge=0, le=3)] = 1
    facets: Literal["coarse", "medium", "fine"] = "coarse"
    fidelity: Literal["fast", "high", "bem"] = "fast"
    id: str = ""
    tags: tuple[str, ...] = ()
    sample_rate_hz: int = SAMPLE_RATE_HZ

    def to_json(self) -> dict[str, Any]:
        """Return the scene as plain data that `from_json` reads back."""
        data: dict[str, Any] = _ADAPTER.dump_python(self, mode="json")
        return data

    @staticmethod
    def from_json(data: dict[str, Any]) -> "Scene":
        """Return the scene described by plain data.

        Raises:
            pydantic.ValidationError: The data do not describe a scene.
        """
        return _ADAPTER.validate_python(data)


ABSORPTION_BANDS_HZ = (125.0, 250.0, 500.0, 1000.0, 2000.0, 4000.0, 8000.0, 16000.0)
"""Centre frequencies of the octave bands of `Room.absorption`."""

RESPONSE_FREQUENCIES_HZ = (63.0, 125.0, 250.0, 500.0, 1000.0, 2000.0, 4000.0, 8000.0, 16000.0)
"""Frequencies of `Loudspeaker.response_db` and `Microphone.response_db`; linear in log f."""

_ADAPTER: TypeAdapter[Scene] = TypeAdapter(Scene)
