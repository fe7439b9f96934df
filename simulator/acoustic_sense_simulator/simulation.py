"""From a scene to a take.

Order of things: playback, body and motion, loudspeaker responses, empty room plus scattering,
playback level, room noise, microphone response, self-noise, latency, digital full scale. The same
scene gives the same bytes.
"""

from typing import Any

import numpy as np
from jaxtyping import Float32

from acoustic_sense.contracts import SignalSource
from acoustic_sense.errors import SimulationError
from acoustic_sense.plugin_loading import load_plugins
from acoustic_sense.types import Playback, PoseTrack, Recording, Scene, Subject, Take, TakeInfo
from acoustic_sense_simulator.noise import REFERENCE_PA, diffuse_noise, self_noise
from acoustic_sense_simulator.rendering.equalisation import equalised
from acoustic_sense_simulator.rendering.renderer import MovingMesh, scattered_sound, static_sound
from acoustic_sense_simulator.room.response import check_inside

PRE_ROLL_S = 1.0
"""How much of the track before the take still sounds in the room when the take begins."""

_CLEARANCE_M = 0.05
_FLOOR_TOLERANCE_M = 0.05


def simulate(scene: Scene) -> Take:
    """Render one scene.

    Args:
        scene: Room, loudspeakers, microphone, person, motion, playback, noise, seed.

    Returns:
        The take; its recording has full scale at `noise.full_scale_db_spl`, the same for every
        take, so that levels can be compared.

    Raises:
        SimulationError: Something lies outside the room, the person walks into a wall or into a
            loudspeaker or microphone, or the recording would clip.
        UnknownPluginError: No signal source has the name `playback.source`.
        AudioError: The playback cannot be made.
    """
    _check_positions(scene)
    motion_generator, noise_generator = np.random.default_rng(scene.seed).spawn(2)
    source, track, pre_roll = _playback(scene)
    pose, mesh = _person(scene, motion_generator)
    count = round(scene.seconds * scene.sample_rate_hz)
    delay = round(scene.noise.latency_s * scene.sample_rate_hz)
    radiated = _radiated(scene, track)
    static = static_sound(scene, radiated)
    heard = static
    if mesh is not None:
        heard = static + scattered_sound(scene, radiated, mesh, pre_roll)
    gain = _playback_gain(scene, static[:, pre_roll:])
    pressure = _delayed(heard, pre_roll - delay, count) * np.float32(gain)
    recording = _recorded(scene, pressure, noise_generator)
    return Take(
        info=_info(scene, source),
        recording=Recording(recording, scene.sample_rate_hz),
        playback=Playback(np.ascontiguousarray(track[:, pre_roll:]), scene.sample_rate_hz),
        pose=pose,
        scene=scene,
        extra={"playback_gain_pa": gain},
    )


def _check_positions(scene: Scene) -> None:
    """Raise SimulationError unless loudspeakers, microphone and person are inside the room."""
    for index, loudspeaker in enumerate(scene.loudspeakers):
        check_inside(scene.room, loudspeaker.position_m, f"loudspeaker {index}")
        if np.linalg.norm(np.subtract(loudspeaker.position_m, scene.microphone.position_m)) < 0.1:
            raise SimulationError(
                f"loudspeaker {index} is closer than 10 cm to the microphone; move one of them"
            )
    check_inside(scene.room, scene.microphone.position_m, "microphone")
    if scene.subject is not None:
        x, _, z = scene.subject.position_m
        check_inside(scene.room, (x, scene.room.size_m[1] / 2, z), "subject")


def _playback(scene: Scene) -> tuple[SignalSource, Float32[np.ndarray, "speaker sample"], int]:
    """Return the signal source, the playback with its pre-roll, and the samples of pre-roll."""
    wanted = scene.playback
    component: Any = load_plugins().signal_sources[wanted.source]
    source: SignalSource = component(component.parse(wanted.config, f"playback {wanted.source}"))
    rate = scene.sample_rate_hz
    samples = source.generate(
        wanted.start_s + scene.seconds,
        rate,
        len(scene.loudspeakers),
        np.random.default_rng(wanted.seed),
    )
    start, count = round(wanted.start_s * rate), round(scene.seconds * rate)
    pre_roll = min(start, round(PRE_ROLL_S * rate))
    cut = samples[:, start - pre_roll : start + count]
    missing = pre_roll + count - cut.shape[1]
    if missing > 0:  # the two roundings may differ by a sample
        cut = np.pad(cut, ((0, 0), (0, missing)))
    return source, np.ascontiguousarray(cut, dtype=np.float32), pre_roll


def _person(scene: Scene, generator: np.random.Generator) -> tuple[PoseTrack, MovingMesh | None]:
    """Return the true poses, and the moving mesh unless the room is empty."""
    rate_hz = scene.motion.rate_hz
    if scene.subject is None:
        return PoseTrack(np.zeros((0, 21, 3), dtype=np.float32), rate_hz), None
    from acoustic_sense_simulator.body import load_body
    from acoustic_sense_simulator.motion import make_motion

    body = load_body(scene.subject, scene.facets)
    track = make_motion(scene, body, generator)
    vertices = body.pose_vertices(track.smpl_pose, track.smpl_trans)
    _check_person(scene, scene.subject, vertices)
    still = np.zeros((1, 72), dtype=np.float32), np.zeros((1, 3), dtype=np.float32)
    mesh = MovingMesh(
        vertices=vertices,
        faces=body.faces,
        rest_vertices=body.pose_vertices(*still)[0],
        rate_hz=track.rate_hz,
        absorption=scene.subject.clothes_absorption,
    )
    pose = PoseTrack(
        joints=body.joints(track.smpl_pose, track.smpl_trans),
        rate_hz=track.rate_hz,
        activity=track.activity,
        smpl_pose=track.smpl_pose,
        smpl_trans=track.smpl_trans,
        smpl_betas=np.asarray(scene.subject.betas, dtype=np.float32),
    )
    return pose, mesh


def _check_person(
    scene: Scene, subject: Subject, vertices: Float32[np.ndarray, "pose vertex 3"]
) -> None:
    """Raise SimulationError where the body leaves the room or touches what stands in it."""
    low, high = vertices.min(axis=(0, 1)), vertices.max(axis=(0, 1))
    floor = np.array([0.0, -_FLOOR_TOLERANCE_M, 0.0])
    if (low < floor).any() or (high > np.array(scene.room.size_m)).any():
        reach = " and ".join("({:.2f}, {:.2f}, {:.2f})".format(*corner) for corner in (low, high))
        size = " x ".join(f"{s:.2f}" for s in scene.room.size_m)
        raise SimulationError(
            f"subject '{subject.name}' moves through a wall: between {reach} m in a room of "
            f"{size} m; move subject.position_m inwards or enlarge room.size_m"
        )
    things = {f"loudspeaker {i}": s.position_m for i, s in enumerate(scene.loudspeakers)}
    things["microphone"] = scene.microphone.position_m
    for name, position in things.items():
        place = np.asarray(position, dtype=np.float32)
        if (place < low - _CLEARANCE_M).any() or (place > high + _CLEARANCE_M).any():
            continue
        nearest = min(float(((pose - place) ** 2).sum(axis=1).min()) for pose in vertices)
        if nearest < _CLEARANCE_M**2:
            raise SimulationError(
                f"subject '{subject.name}' touches the {name}; move one of them apart"
            )


def _radiated(
    scene: Scene, playback: Float32[np.ndarray, "speaker sample"]
) -> Float32[np.ndarray, "speaker sample"]:
    """Return the playback through each loudspeaker's frequency response."""
    rows = [
        equalised(samples[None], loudspeaker.response_db, scene.sample_rate_hz)
        for samples, loudspeaker in zip(playback, scene.loudspeakers, strict=True)
    ]
    return np.concatenate(rows)


def _playback_gain(scene: Scene, static: Float32[np.ndarray, "4 sample"]) -> float:
    """Return pascals per unit of rendered sound.

    The playback's level is that of W in the empty room over the take, so that the person
    changes what is heard but not how loud the loudspeakers are.
    """
    rms = float(np.sqrt(np.mean(np.square(static[0], dtype=np.float64))))
    if rms == 0.0:
        return 0.0
    return REFERENCE_PA * 10 ** (scene.noise.playback_level_db_spl / 20) / rms


def _delayed(
    sound: Float32[np.ndarray, "4 sample"], start: int, count: int
) -> Float32[np.ndarray, "4 sample"]:
    """Return `count` samples from `start` on, silence before the first."""
    silence = max(0, -start)
    piece = sound[:, max(start, 0) : max(start, 0) + count - silence]
    return np.pad(piece, ((0, 0), (silence, count - silence - piece.shape[1])))


def _recorded(
    scene: Scene, pressure: Float32[np.ndarray, "4 sample"], generator: np.random.Generator
) -> Float32[np.ndarray, "4 sample"]:
    """Return the digital recording of a sound pressure in pascals.

    Raises:
        SimulationError: It would clip.
    """
    noise, rate, count = scene.noise, scene.sample_rate_hz, pressure.shape[1]
    if noise.noise_criterion is not None:
        pressure = pressure + diffuse_noise(noise.noise_criterion, count, rate, generator)
    pressure = equalised(pressure, scene.microphone.response_db, rate)
    if noise.self_noise_db_spl is not None:
        pressure = pressure + self_noise(noise.self_noise_db_spl, count, rate, generator)
    full_scale_pa = REFERENCE_PA * 10 ** (noise.full_scale_db_spl / 20) * np.sqrt(2)
    recording: Float32[np.ndarray, "4 sample"] = pressure / np.float32(full_scale_pa)
    peak = float(np.abs(recording).max())
    if peak > 1.0:
        raise SimulationError(
            f"the recording clips by {20 * np.log10(peak):.1f} dB; raise "
            "noise.full_scale_db_spl or lower noise.playback_level_db_spl"
        )
    return recording


def _info(scene: Scene, source: SignalSource) -> TakeInfo:
    """Return the take's identity."""
    return TakeInfo(
        id=scene.id or f"take-{scene.seed}",
        subject=scene.subject.name if scene.subject else "",
        track=scene.playback.track or str(getattr(source, "track", "")) or scene.playback.source,
        genre=scene.playback.genre or source.genre,
        room=scene.room.name,
        seconds=scene.seconds,
        start_s=scene.playback.start_s,
        seed=scene.seed,
        tags=scene.tags,
    )
