"""torchrir's dynamic scene, timed: a moving source in an empty shoebox room, no body in it.

It is what a user of torchrir would write today: responses along a path and its own convolution with
them. Nothing scatters, so it stands for what a simulator without a body costs.
"""

import time
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np
import torch

from acoustic_sense.types import Scene

INSTALL = "pip install 'acoustic-sense[bench]'"
ARRAY_RADIUS_M = 0.01
CHANNELS = ((1, 1, 1), (1, -1, -1), (-1, 1, -1), (-1, -1, 1))
"""Directions of the four microphones, the corners of a tetrahedron."""
SWAY_M = 0.05


def installed_version() -> str:
    """Return torchrir's version; empty if it is not installed."""
    try:
        return version("torchrir")
    except PackageNotFoundError:
        return ""


def time_torchrir(
    scene: Scene, *, poses_per_s: int, seconds: float, orders: tuple[int, ...]
) -> list[dict[str, Any]]:
    """Return the cost of a second of audio for each order of reflection, from sound to sound.

    Both loudspeakers sway by 5 cm; four omnidirectional microphones stand in for the four channels.

    Args:
        scene: Room, loudspeakers and microphone; its subject is left out.
        poses_per_s: Places of the path in a second, each with responses of its own.
        seconds: Length of the timed sound.
        orders: Orders of reflection.
    """
    rows = []
    for order in orders:
        _run(scene, poses_per_s, 2 / poses_per_s, order)  # tables and thread pools
        started = time.process_time()
        shape = _run(scene, poses_per_s, seconds, order)
        cpu_s = time.process_time() - started
        rows.append(
            {
                "image_order": order,
                "responses_per_audio_s": poses_per_s * len(scene.loudspeakers) * shape[0],
                "poses_per_audio_s": poses_per_s,
                "seconds_timed": seconds,
                "body": False,
                "cpu_s_per_audio_s": cpu_s / seconds,
                "audio_s_per_cpu_s": seconds / cpu_s,
            }
        )
    return rows


def _run(scene: Scene, poses_per_s: int, seconds: float, order: int) -> tuple[int, ...]:
    """Simulate and convolve; return the shape of what the microphones hear."""
    from torchrir import DynamicScene, MicrophoneArray, Room, Source
    from torchrir.config import SimulationConfig
    from torchrir.signal import DynamicConvolver, FrameSchedule
    from torchrir.sim import simulate

    rate_hz, room = scene.sample_rate_hz, scene.room
    poses = round(poses_per_s * seconds)
    sources = torch.tensor([each.position_m for each in scene.loudspeakers], dtype=torch.float32)
    spread = ARRAY_RADIUS_M / 3**0.5 * torch.tensor(CHANNELS, dtype=torch.float32)
    microphones = torch.tensor(scene.microphone.position_m, dtype=torch.float32) + spread
    sway = SWAY_M * torch.sin(torch.arange(poses) / poses_per_s)
    path = sources.repeat(poses, 1, 1)
    path[:, :, 0] += sway[:, None]
    dynamic = DynamicScene(
        room=Room.shoebox(room.size_m, fs=rate_hz, beta=[reflection(room.absorption)] * 6),
        sources=Source.from_positions(path[0]),
        mics=MicrophoneArray.from_positions(microphones),
        src_traj=path,
        mic_traj=microphones.repeat(poses, 1, 1),
        schedule=FrameSchedule([round(k * rate_hz / poses_per_s) for k in range(poses)]),
    )
    config = SimulationConfig(max_order=order, tmax=response_s(room.size_m, order), device="cpu")
    generator = torch.Generator().manual_seed(0)
    sound = torch.randn(len(sources), round(seconds * rate_hz), generator=generator)
    with torch.inference_mode():
        heard = DynamicConvolver(time_reference="emission")(sound, simulate(dynamic, config))
    return tuple(heard.shape)


def reflection(absorption: Any) -> float:
    """Return the reflection of sound pressure at walls that absorb this share of its energy."""
    return float(np.sqrt(1 - np.mean(np.asarray(absorption, dtype=float))))


def response_s(size_m: tuple[float, ...], order: int) -> float:
    """Return a length that holds every image: no path is longer than the diagonal an order."""
    return float((order + 1) * np.linalg.norm(size_m) / 343.0)
