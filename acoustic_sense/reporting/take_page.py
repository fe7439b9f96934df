"""The page about one take: what was played, heard, true and estimated."""

from html import escape
from pathlib import Path
from typing import Any

from acoustic_sense.reporting.page import (
    asset,
    library_versions,
    render_page,
    render_section,
    write_page,
)
from acoustic_sense.reporting.player import (
    best_start_s,
    player_data,
    render_listening,
    render_stage,
    render_timeline,
)
from acoustic_sense.reporting.report import Report
from acoustic_sense.reporting.scene_plan import draw_scene, plan_views
from acoustic_sense.reporting.tables import (
    render_facts,
    render_joint_bars,
    render_metrics_table,
    render_stat_cards,
)
from acoustic_sense.types import Scene, Take


def write_report(path: Path, report: Report) -> Path:
    """Write the page of a report: one HTML file that needs no network.

    The same report gives the same bytes. A minute of sound makes about 3 MB.

    Args:
        path: File to write; its folder is made.
        report: What to show.

    Returns:
        The path.
    """
    return write_page(Path(path), render_report(report))


def render_report(report: Report) -> str:
    """Return the page of a report as HTML."""
    sections = [
        _header(report),
        render_section("Watch", _watch_note(report), _watch(report), name="watch"),
        render_section("Error", "", _errors(report), name="error"),
        render_section("Listen", _listen_note(report), render_listening(report), name="listen"),
        render_section("Scene", "", _scene(report), name="scene"),
        render_section("Facts", "", _facts(report), name="facts"),
    ]
    main = f'<main id="content">{"".join(sections[1:])}</main>'
    return render_page(
        report.title, sections[0] + main + player_data(report), script=asset("player.js")
    )


def _header(report: Report) -> str:
    info = report.take.info
    facts = (info.subject, info.track, info.room, f"{report.take.recording.duration_s:.1f} s")
    eyebrow = " · ".join(escape(fact) for fact in facts if fact)
    return (
        f'<header class="top"><p class="eyebrow">{eyebrow}</p><h1>{escape(report.title)}</h1>'
        f'<p class="lede">{_summary(report)}</p>{render_stat_cards(report)}</header>'
    )


def _summary(report: Report) -> str:
    """Return one sentence of HTML that says how good the estimate is."""
    ours, mean = report.model_metrics["rmse"], report.mean_metrics["rmse"]
    change = 100 * (1 - ours / mean) if mean > 0 else 0.0
    if abs(change) < 0.5:
        verdict = "<strong>no nearer</strong> to the true pose than"
    elif change > 0:
        verdict = f"<strong>{change:.0f} % nearer</strong> to the true pose (RMSE) than"
    else:
        verdict = f"<strong>{-change:.0f} % farther</strong> from the true pose (RMSE) than"
    return (
        "A model read this person's pose from what the body did to the sound in the room. Its "
        f"estimate is {verdict} the mean pose, which is what one would guess without listening."
    )


def _watch_note(report: Report) -> str:
    whole = len(report.target)
    cut = ""
    if whole > report.shown_frames:
        cut = f" The page plays the first {report.shown_seconds:.0f} s; the numbers cover it all."
    return (
        "Truth behind each figure, pale. Drag the figures to turn them; click a lane to go to "
        f"that moment.{cut}"
    )


def _watch(report: Report) -> str:
    return render_stage(report) + render_timeline(report)


def _errors(report: Report) -> str:
    return (
        f'<div class="card">{render_metrics_table(report)}</div>'
        '<div class="card spaced"><h3>Distance to the truth by joint</h3>'
        '<ul class="legend"><li class="estimate">estimate</li>'
        '<li class="mark">mean pose</li></ul>'
        f"{render_joint_bars(report)}</div>"
    )


def _listen_note(report: Report) -> str:
    return "One channel each, made equally loud for listening. The figures follow what you play."


def _scene(report: Report) -> str:
    scene = report.take.scene
    if scene is None:
        return '<div class="card">A real take: where things stood in the room is unknown.</div>'
    moment = int(best_start_s(report) * 20)
    joints = report.take.pose.at_feature_frames(report.shown_frames)
    above, side = plan_views(scene)
    layout = (
        f"{len(scene.loudspeakers)} loudspeaker(s), one microphone"
        f"{' and one person' if scene.subject else ''} in a room of "
        f"{scene.room.size_m[0]:g} by {scene.room.size_m[2]:g} m, {scene.room.size_m[1]:g} m high."
    )
    pictures = "".join(
        f'<div class="card plan"><h3>{name}</h3>'
        + draw_scene(scene, view, joints[moment], joints[:, 0], f"{name}: {layout}")
        + "</div>"
        for name, view in (("From above", above), ("From the side", side))
    )
    key = (
        '<ul class="key"><li class="box"><b></b>loudspeaker</li><li class="dot"><b></b>microphone, '
        'tick to its front</li><li class="person"><b></b>person</li><li class="direct"><b></b>'
        'direct sound</li><li class="body"><b></b>by way of the body</li><li><b></b>first wall '
        "reflections</li></ul>"
    )
    return f'<div class="grid two">{pictures}</div>{key}'


def _facts(report: Report) -> str:
    columns = [("Take", take_facts(report.take)), ("Model", dict(report.model_card))]
    if report.take.scene is not None:
        columns.insert(1, ("Scene", scene_facts(report.take.scene)))
    columns.append(("Versions", library_versions()))
    cards = "".join(
        f'<div class="card"><h3>{name}</h3>{render_facts(facts)}</div>'
        for name, facts in columns
        if facts
    )
    return f'<div class="grid two">{cards}</div>'


def take_facts(take: Take) -> dict[str, Any]:
    """Return what a take says of itself."""
    info = take.info
    return {
        "id": info.id,
        "subject": info.subject,
        "track": info.track,
        "genre": info.genre,
        "room": info.room,
        "seconds": round(take.recording.duration_s, 2),
        "sample rate": f"{take.recording.sample_rate_hz} Hz",
        "loudspeakers": take.playback.samples.shape[0],
        "origin": "simulated" if take.scene is not None else "recorded",
        "tags": info.tags,
    }


def scene_facts(scene: Scene) -> dict[str, Any]:
    """Return a scene in a reader's words."""
    room, noise = scene.room, scene.noise
    absorption = room.absorption
    return {
        "room": f"{room.size_m[0]:g} by {room.size_m[2]:g} m, {room.size_m[1]:g} m high",
        "absorption": f"{absorption:g}" if isinstance(absorption, float) else list(absorption),
        "image sources": f"up to order {room.image_order}",
        "diffuse tail": room.late_tail,
        "air absorption": room.air_absorption,
        "body reflections": f"loudspeaker side order {scene.source_order}, microphone side order "
        f"{scene.microphone_order}, {scene.facets} mesh",
        "motion": f"{scene.motion.source}, {scene.motion.rate_hz:g} poses a second",
        "activities": scene.motion.activities or "all",
        "playback": scene.playback.source,
        "playback level": f"{noise.playback_level_db_spl:g} dB SPL at the microphone",
        "room noise": "none" if noise.noise_criterion is None else f"NC {noise.noise_criterion:g}",
        "latency": f"{1000 * noise.latency_s:.1f} ms",
        "seed": scene.seed,
    }
