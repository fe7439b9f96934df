"""From a scene to a take.

Order of things: playback, body and motion, loudspeaker responses, empty room plus scattering,
playback level, and what the `recorder` makes of it. The same scene gives the same bytes.

Everything until the recorder runs on the player's clock, which counts as true. Poses are given on
the recorder's: where that is fast, the body is rendered at that many more poses a second.
"""

import json
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np
from jaxtyping import Float32

from acoustic_sense.contracts import SignalSource
from acoustic_sense.errors import SimulationError
from acoustic_sense.plugin_loading import load_registry
from acoustic_sense.types import Playback, PoseTrack, Recording, Scene, Subject, Take, TakeInfo
from acoustic_sense_simulator.loudspeaker import check_cone
from acoustic_sense_simulator.noise import REFERENCE_PA
from acoustic_sense_simulator.recorder import clock_ratio, clocked, recorded, samples_after
from acoustic_sense_simulator.rendering.equalisation import equalise
from acoustic_sense_simulator.rendering.posing import SkinnedPoses, blocks_of
from acoustic_sense_simulator.rendering.renderer import MovingMesh, scattered_sound, static_sound
from acoustic_sense_simulator.room.response import check_inside

PRE_ROLL_S = 1.0
"""How much of the track before the take still sounds in the room when the take begins."""

_CLEARANCE_M = 0.05
_MICROPHONE_CLEARANCE_M = 0.1
_FLOOR_TOLERANCE_M = 0.05
_SUMMED_AT_ONCE = 65_536


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
    take = rendered(scene)
    playback = take.playback.samples.copy()
    return replace(take, playback=Playback(playback, scene.sample_rate_hz))


def rendered(scene: Scene) -> Take:
    """Render one scene, see `simulate`; the playback is part of the track kept, so read-only."""
    _check_positions(scene)
    motion_generator, *noise_generators = np.random.default_rng(scene.seed).spawn(3)
    source, track, pre_roll = _playback(scene)
    pose, mesh = _person(scene, motion_generator)
    count = round(scene.seconds * scene.sample_rate_hz)
    radiated = _radiated(scene, track)
    heard = static_sound(scene, radiated)
    gain = _playback_gain(scene, heard[:, pre_roll : pre_roll + count])
    if mesh is not None:
        scattered_sound(scene, radiated, mesh, pre_roll, onto=heard)
    del mesh, radiated  # long takes are large: nothing is kept, nothing is copied
    pressure = clocked(heard, pre_roll, count, scene)
    del heard
    pressure *= np.float32(gain)
    recording = recorded(scene, pressure, *noise_generators)
    playback = track[:, pre_roll : pre_roll + count]
    return Take(
        info=_info(scene, source),
        recording=Recording(recording, scene.sample_rate_hz),
        playback=Playback(playback, scene.sample_rate_hz),
        pose=pose,
        scene=scene,
        extra={"playback_gain_pa": gain, **_measured(scene)},
    )


def _check_positions(scene: Scene) -> None:
    """Raise SimulationError unless loudspeakers, microphone and person are inside the room."""
    check_inside(scene.room, scene.microphone.position_m, "microphone")
    for index, loudspeaker in enumerate(scene.loudspeakers):
        check_inside(scene.room, loudspeaker.position_m, f"loudspeaker {index}")
        _check_cabinet(scene, index)
    if scene.subject is not None:
        x, _, z = scene.subject.position_m
        check_inside(scene.room, (x, scene.room.size_m[1] / 2, z), "subject")


def _check_cabinet(scene: Scene, index: int) -> None:
    """Raise SimulationError unless a loudspeaker fits into the room and off the microphone."""
    loudspeaker = scene.loudspeakers[index]
    check_cone(loudspeaker)
    radius, position = loudspeaker.cabinet_radius_m, np.asarray(loudspeaker.position_m)
    gap = float(np.minimum(position, np.asarray(scene.room.size_m) - position).min())
    if gap < radius:
        raise SimulationError(
            f"the cabinet of loudspeaker {index}, {radius:g} m in radius, reaches through a wall "
            f"{gap:.2f} m away; move it inwards"
        )
    nearest = _MICROPHONE_CLEARANCE_M + radius
    if np.linalg.norm(position - scene.microphone.position_m) < nearest:
        raise SimulationError(
            f"loudspeaker {index} is closer than {100 * nearest:.0f} cm to the microphone; "
            "move one of them"
        )


def _playback(scene: Scene) -> tuple[SignalSource, Float32[np.ndarray, "speaker sample"], int]:
    """Return the signal source, the playback, and the samples that lie before the take.

    The playback goes on after the take for as long as its recording needs.
    """
    wanted = scene.playback
    component: Any = load_registry("signal_sources")[wanted.source]
    source: SignalSource = component(component.parse(wanted.config, f"playback {wanted.source}"))
    rate = scene.sample_rate_hz
    after = samples_after(scene)
    samples = _generated(
        component,
        json.dumps(wanted.config, sort_keys=True),
        wanted.start_s + scene.seconds + after / rate,
        rate,
        len(scene.loudspeakers),
        wanted.seed,
    )
    start, count = round(wanted.start_s * rate), round(scene.seconds * rate) + after
    pre_roll = min(start, round(PRE_ROLL_S * rate))
    cut = samples[:, start - pre_roll : start + count]
    missing = pre_roll + count - cut.shape[1]
    if missing > 0:  # the two roundings may differ by a sample
        cut = np.pad(cut, ((0, 0), (0, missing)))
    return source, cut.astype(np.float32, copy=False), pre_roll


@lru_cache(maxsize=1)
def _generated(
    component: Any, config: str, seconds: float, rate: int, speakers: int, seed: int
) -> Float32[np.ndarray, "speaker sample"]:
    """Return a track; the last one is kept, since one subject after another hears it."""
    source: SignalSource = component(component.parse(json.loads(config), "playback"))
    samples = source.generate(seconds, rate, speakers, np.random.default_rng(seed))
    samples.setflags(write=False)
    return samples


def _person(scene: Scene, generator: np.random.Generator) -> tuple[PoseTrack, MovingMesh | None]:
    """Return the true poses, and the moving mesh unless the room is empty."""
    rate_hz = scene.motion.rate_hz
    if scene.subject is None:
        return PoseTrack(np.zeros((0, 21, 3), dtype=np.float32), rate_hz), None
    from acoustic_sense_simulator.body import load_body
    from acoustic_sense_simulator.motion import make_motion

    body = load_body(scene.subject, scene.facets)
    track = make_motion(scene, body, generator)
    still = np.zeros((1, 72), dtype=np.float32), np.zeros((1, 3), dtype=np.float32)
    mesh = MovingMesh(
        vertices=SkinnedPoses(body, track.smpl_pose, track.smpl_trans),
        faces=body.faces,
        rest_vertices=body.pose_vertices(*still)[0],
        rate_hz=track.rate_hz * clock_ratio(scene.noise),
        absorption=scene.subject.clothes_absorption,
    )
    _check_person(scene, scene.subject, mesh)
    pose = PoseTrack(
        joints=body.joints(track.smpl_pose, track.smpl_trans),
        rate_hz=track.rate_hz,
        activity=track.activity,
        smpl_pose=track.smpl_pose,
        smpl_trans=track.smpl_trans,
        smpl_betas=np.asarray(body.betas, dtype=np.float32),
    )
    return pose, mesh


def _measured(scene: Scene) -> dict[str, float]:
    """Return the person's height and mass, nothing for an empty room."""
    if scene.subject is None:
        return {}
    from acoustic_sense_simulator.body import subject_measures

    found = subject_measures(scene.subject)
    return {"height_m": round(found.height_m, 4), "mass_kg": round(found.mass_kg, 2)}


def _check_person(scene: Scene, subject: Subject, mesh: MovingMesh) -> None:
    """Raise SimulationError where the body leaves the room or touches what stands in it."""
    low, high = mesh.extent.bounds_m
    floor = np.array([0.0, -_FLOOR_TOLERANCE_M, 0.0])
    if (low < floor).any() or (high > np.array(scene.room.size_m)).any():
        reach = " and ".join("({:.2f}, {:.2f}, {:.2f})".format(*corner) for corner in (low, high))
        size = " x ".join(f"{s:.2f}" for s in scene.room.size_m)
        raise SimulationError(
            f"subject '{subject.name}' moves through a wall: between {reach} m in a room of "
            f"{size} m; move subject.position_m inwards or enlarge room.size_m"
        )
    things = {
        f"loudspeaker {i}": (s.position_m, s.cabinet_radius_m)
        for i, s in enumerate(scene.loudspeakers)
    }
    things["microphone"] = scene.microphone.position_m, 0.0
    for name, (position, radius) in things.items():
        place, clearance = np.asarray(position, dtype=np.float32), _CLEARANCE_M + radius
        if (place < low - clearance).any() or (place > high + clearance).any():
            continue
        nearest = min(
            float(((block - place) ** 2).sum(axis=2).min()) for block in blocks_of(mesh.vertices)
        )
        if nearest < clearance**2:
            raise SimulationError(
                f"subject '{subject.name}' touches the {name}; move one of them apart"
            )


def _radiated(
    scene: Scene, playback: Float32[np.ndarray, "speaker sample"]
) -> Float32[np.ndarray, "speaker sample"]:
    """Return the playback through each loudspeaker's frequency response."""
    if not any(loudspeaker.response_db for loudspeaker in scene.loudspeakers):
        return playback
    radiated = playback.copy()
    for row, loudspeaker in enumerate(scene.loudspeakers):
        equalise(radiated[row : row + 1], loudspeaker.response_db, scene.sample_rate_hz)
    return radiated


def _playback_gain(scene: Scene, static: Float32[np.ndarray, "4 sample"]) -> float:
    """Return pascals per unit of rendered sound.

    The playback's level is that of W in the empty room over the take, so that the person
    changes what is heard but not how loud the loudspeakers are.
    """
    rms = float(np.sqrt(_energy(static[0]) / static.shape[1]))
    if rms == 0.0:
        return 0.0
    return REFERENCE_PA * 10 ** (scene.noise.playback_level_db_spl / 20) / rms


def _energy(samples: Float32[np.ndarray, " sample"]) -> float:
    """Return the sum of squares, halves added pairwise: numpy's own sum, but nothing is copied."""
    if len(samples) <= _SUMMED_AT_ONCE:
        return float(np.square(samples, dtype=np.float64).sum())
    half = len(samples) // 2
    half -= half % 8  # numpy halves so
    return _energy(samples[:half]) + _energy(samples[half:])


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
