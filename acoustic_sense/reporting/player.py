"""The moving figures, the timeline under them and the sounds they follow."""

import base64
import json
from html import escape
from itertools import groupby

import numpy as np
from jaxtyping import Float

from acoustic_sense.constants import FRAME_RATE_HZ, JOINT_NAMES, JOINT_PARENTS
from acoustic_sense.reporting.charts import chart_top, line_chart, time_ticks
from acoustic_sense.reporting.report import Report
from acoustic_sense.reporting.sound import sound_uri
from acoustic_sense.reporting.spectrogram import SpectrogramImage, spectrogram_image

SCALE = 1000
"""Positions are embedded as 16-bit integers of thousandths."""


def render_player(report: Report, prefix: str) -> str:
    """Return figures, timeline, sounds and data as one of several players in a page.

    Args:
        report: What to show.
        prefix: Stands before every identity in it; another for each player.
    """
    return (
        f'<div data-player="{prefix}">{render_stage(report, prefix)}{render_timeline(report)}'
        f"{render_listening(report, prefix)}{player_data(report, prefix)}</div>"
    )


def render_stage(report: Report, prefix: str = "") -> str:
    """Return the canvas with the figures and its controls."""
    description = (
        "Moving stick figures of the true pose, the estimated pose and the mean pose. The arrow "
        "keys turn the view, the space bar plays and pauses."
    )
    return f"""<div class="card stage">
<canvas id="{prefix}figures" tabindex="0" role="img" aria-label="{description}"></canvas>
<noscript><p>The moving figures need JavaScript; every number and picture below does not.</p>
</noscript>
<div class="bar">
<button type="button" class="play" id="{prefix}play">▶ Play</button>
<input type="range" class="scrub" id="{prefix}scrub" min="0"
 max="{report.shown_seconds:g}" step="0.05" value="0" aria-label="Position in the take">
<span class="clock" id="{prefix}clock"></span>
</div>
<div class="bar">
<span class="segments" role="group" aria-label="Arrangement of the figures">
<button type="button" data-mode="apart" aria-pressed="true">Side by side</button>
<button type="button" data-mode="over" aria-pressed="false">Overlaid</button></span>
<label>Sound <select id="{prefix}sound"><option value="recording">recording</option>
<option value="playback">playback</option><option value="silence">none</option></select></label>
<label>Speed <select id="{prefix}speed"><option value="0.25">¼</option>
<option value="0.5">½</option>
<option value="1" selected>1</option></select></label>
<span class="grow"></span>
<ul class="legend"><li class="truth">truth</li><li class="estimate">estimate</li>
<li class="mean">mean pose</li></ul>
<p class="now" id="{prefix}now" aria-live="off"></p>
</div>
</div>"""


def render_timeline(report: Report) -> str:
    """Return activities, spectrograms and error over one common time axis."""
    recording, playback = shown_sound(report)
    rate = report.take.recording.sample_rate_hz
    lanes = [
        _image_lane("Recording", "W channel", spectrogram_image(recording, rate)),
        _image_lane("Playback", "loudspeaker 1", spectrogram_image(playback, rate)),
        _error_lane(report),
    ]
    if report.take.pose.activity is not None:
        lanes.insert(0, _activity_lane(report))
    if report.marked_s is not None:
        lanes.insert(0, _marked_lane(report, *report.marked_s))
    return f'<div class="card lanes">{"".join(lanes)}</div>'


def render_listening(report: Report, prefix: str = "") -> str:
    """Return the two audio players."""
    recording, playback = shown_sound(report)
    players = (
        ("recording", "Recording", "What the microphone heard (W channel).", recording),
        ("playback", "Playback", "What loudspeaker 1 was sent.", playback),
    )
    rate = report.take.recording.sample_rate_hz
    return (
        '<div class="grid two">'
        + "".join(
            f'<div class="card"><h3>{heading}</h3><p class="note">{text}</p>'
            f'<audio id="{prefix}{name}" controls preload="auto" aria-label="{heading}" '
            f'src="{sound_uri(samples, rate)}"></audio></div>'
            for name, heading, text, samples in players
        )
        + "</div>"
    )


def player_data(report: Report, prefix: str = "") -> str:
    """Return what the player draws, as the JSON inside a script element."""
    count = report.shown_frames
    shown = report.target[:count]
    errors, mean_errors = report.frame_errors
    reach = float(np.abs(shown[..., (0, 2)]).max())
    activity = report.take.pose.activity_at_feature_frames(count)
    data = {
        "frames": count,
        "rate_hz": FRAME_RATE_HZ,
        "scale": SCALE,
        "parents": JOINT_PARENTS,
        "head": JOINT_NAMES.index("Head"),
        "height": round(float(shown[..., 1].max()) + 1.5, 3),
        "reach": round(reach + 0.8, 3),
        "start_s": round(best_start_s(report), 2),
        "truth": pack(shown),
        "estimate": pack(report.prediction[:count]),
        "mean": pack(report.mean_poses[:count]),
        "world": pack(report.take.pose.at_feature_frames(count)) if report.take.scene else None,
        "error": [round(float(value), 3) for value in errors],
        "mean_error": [round(float(value), 3) for value in mean_errors],
        "activities": [str(name) for name in activity] if activity.any() else [],
    }
    text = json.dumps(data, separators=(",", ":"), ensure_ascii=True)
    text = text.replace("<", "\\u003c")
    return f'<script type="application/json" id="{prefix}player-data">{text}</script>'


def best_start_s(report: Report) -> float:
    """Return a moment worth opening the page at: what is marked, or where the truth is rare."""
    if report.marked_s is not None:
        return report.marked_s[0]
    _, mean_errors = report.frame_errors
    return (int(mean_errors.argmax()) + 0.5) / FRAME_RATE_HZ


def pack(positions: Float[np.ndarray, "..."]) -> str:
    """Return positions as base64 of little-endian 16-bit integers of thousandths."""
    whole = np.clip(np.rint(positions.astype(np.float64) * SCALE), -32768, 32767)
    return base64.b64encode(whole.astype("<i2").tobytes()).decode()


def shown_sound(report: Report) -> tuple[np.ndarray, np.ndarray]:
    """Return the shown stretch of the recording's W channel and of loudspeaker 1."""
    take = report.take
    count = round(report.shown_seconds * take.recording.sample_rate_hz)
    return take.recording.samples[0, :count], take.playback.samples[0, :count]


def _lane(name: str, note: str, content: str) -> str:
    return (
        f'<div class="lane"><div class="what">{name}<span>{note}</span></div>'
        f'<div class="track">{content}<div class="playhead"></div></div></div>'
    )


def _image_lane(name: str, note: str, image: SpectrogramImage) -> str:
    alt = (
        f"Log-mel spectrogram of the {name.lower()} over time, 0 to {image.top_hz / 1000:g} kHz, "
        "low frequencies at the bottom, bright where it is loud."
    )
    return _lane(
        name,
        note,
        f'<img src="{image.uri}" alt="{alt}">'
        f'<span class="axis" style="top:3px">{image.top_hz / 1000:g} kHz</span>'
        f'<span class="axis" style="top:calc(50% - 8px)">{image.middle_hz / 1000:.1f} kHz</span>'
        '<span class="axis" style="bottom:2px">0</span>',
    )


def _error_lane(report: Report) -> str:
    errors, mean_errors = report.frame_errors
    series = {"mean": mean_errors, "estimate": errors}
    top = chart_top(series)
    better = float((errors < mean_errors).mean())
    description = (
        f"Error of each frame over time. The estimate is nearer to the truth than the mean pose "
        f"in {better:.0%} of the frames."
    )
    chart = line_chart(series, description, top=top)
    return _lane(
        "Error",
        "RMSE of each frame",
        f'{chart}<span class="axis plain" style="top:3px">{top:g}</span>'
        f'<span class="axis plain" style="top:108px">0</span>'
        f"{time_ticks(report.shown_seconds)}",
    )


def _activity_lane(report: Report) -> str:
    count = report.shown_frames
    names = report.take.pose.activity_at_feature_frames(count)
    pieces = [(str(name), len(list(run))) for name, run in groupby(names)]
    blocks = "".join(
        f'<span style="width:{100 * length / count:.3f}%" title="{escape(name, quote=True)}">'
        f"{escape(name.replace('-', ' ').replace('_', ' '))}</span>"
        for name, length in pieces
    )
    return _lane("Activity", "the truth", f'<div class="acts">{blocks}</div>')


def _marked_lane(report: Report, start_s: float, end_s: float) -> str:
    before, width = (100 * s / report.shown_seconds for s in (start_s, end_s - start_s))
    return _lane(
        "Clip",
        f"{end_s - start_s:.1f} s",
        f'<div class="acts"><span class="marked" style="margin-left:{before:.3f}%;'
        f'width:{width:.3f}%">{start_s:.1f} to {end_s:.1f} s</span></div>',
    )
