"""Scenes of a dataset: the full cross of subjects, tracks, rooms and repeats."""

from acoustic_sense.types import Motion, Scene, Subject
from acoustic_sense_simulator.sampling.config import GenerationConfig
from acoustic_sense_simulator.sampling.rooms import RoomConfig
from acoustic_sense_simulator.sampling.seeds import generator_for, seed_for
from acoustic_sense_simulator.sampling.setups import Setup, draw_setup, draw_valid_stance
from acoustic_sense_simulator.sampling.subjects import draw_subjects
from acoustic_sense_simulator.sampling.tracks import TrackConfig, expand_tracks, playback_source


def scenes(config: GenerationConfig) -> tuple[Scene, ...]:
    """Return the scenes of a dataset.

    Each scene follows from the configuration, its seed and the scene's own names: not from the
    order in which scenes are drawn, nor from how many there are.

    Args:
        config: The dataset.

    Returns:
        One scene per take, with unique `id`.

    Raises:
        SimulationError: The ranges leave no valid layout.
    """
    setups: dict[tuple[str, ...], Setup] = {}
    return tuple(
        _scene(config, setups, subject, clothes, track, room, repeat)
        for subject, clothes in draw_subjects(config.subjects, config.seed)
        for track in expand_tracks(config.tracks)
        for room in config.rooms
        for repeat in range(config.repeats)
    )


def take_id(config: GenerationConfig, subject: str, track: str, room: str, repeat: int) -> str:
    """Return the identity of a take, also the name of its folder.

    Room and repeat are named only where there are several.
    """
    parts = [subject, track]
    if len(config.rooms) > 1:
        parts.append(room)
    if config.repeats > 1:
        parts.append(f"r{repeat + 1:0{len(str(config.repeats))}d}")
    return "_".join(parts)


def _scene(
    config: GenerationConfig,
    setups: dict[tuple[str, ...], Setup],
    subject: Subject,
    clothes: str,
    track: TrackConfig,
    room: RoomConfig,
    repeat: int,
) -> Scene:
    take = take_id(config, subject.name, track.name, room.name, repeat)
    twin = take_id(
        config, subject.name, track.same_scenes_as or track.name, room.name, repeat
    )  # the take whose draws this one repeats: usually itself
    setup_names = {
        "dataset": (room.name,),
        "subject": (room.name, subject.name),
        "take": (room.name, subject.name, twin),
    }[config.setup_per]
    if setup_names not in setups:
        setup_generator = generator_for(config.seed, "setup", *setup_names)
        setups[setup_names] = draw_setup(config, room, setup_generator)
    setup = setups[setup_names]
    stance_generator = generator_for(config.seed, "stance", twin)
    position_m, heading_deg = draw_valid_stance(config, setup, take, stance_generator)
    return Scene(
        seed=seed_for(config.seed, "scene", twin),
        seconds=config.seconds,
        room=setup.room,
        loudspeakers=setup.loudspeakers,
        microphone=setup.microphone,
        subject=Subject(
            name=subject.name,
            betas=subject.betas,
            height_m=subject.height_m,
            mass_kg=subject.mass_kg,
            body=subject.body,
            clothes_absorption=subject.clothes_absorption,
            position_m=position_m,
            heading_deg=heading_deg,
            style_seed=subject.style_seed,
        ),
        motion=Motion(**config.motion.model_dump()),
        playback=playback_source(track, repeat, config.seconds, config.seed),
        noise=setup.noise,
        source_order=config.source_order,
        microphone_order=config.microphone_order,
        facets=config.facets,
        fidelity=config.fidelity,
        id=take,
        tags=(*config.tags, clothes) if len(config.subjects.clothes) > 1 else config.tags,
        sample_rate_hz=config.sample_rate_hz,
    )
