"""How long one clip takes from sound to pose, on one thread of the CPU."""

import time
from collections.abc import Callable
from statistics import median
from typing import Final

import numpy as np
import torch

from acoustic_sense.datasets import Dataset
from acoustic_sense.inference.clips import (
    compute_frames,
    cut_clip,
    predict_clips,
    statistics_tensors,
)
from acoustic_sense.inference.model import Pipeline

REPEATS: Final = 20
_WARM_UP: Final = 3


def measure_latency(pipeline: Pipeline, dataset: Dataset, take_id: str) -> dict[str, float]:
    """Return the median time of one clip in milliseconds, with what the encoder hears before it.

    Args:
        pipeline: The model, on the CPU.
        dataset: The dataset.
        take_id: Take whose first clip is used, at least a clip long.

    Returns:
        `network`; and, where the dataset holds audio, `feature`, and `total` of both.

    Raises:
        DatasetError: The take's files are not sound.
    """
    description, feature = pipeline.description, pipeline.feature
    clip, context = description.clip_frames, pipeline.model.encoder.context_frames
    times: dict[str, float] = {}
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        if dataset.stored_feature is None:
            take = dataset.read_take(take_id)
            end = (context + clip) * feature.frame_samples
            heard, sent = take.recording.samples[:, :end], take.playback.samples[:, :end]
            frames = compute_frames(feature, heard, sent)
            times["feature"] = _median_ms(lambda: compute_frames(feature, heard, sent))
        else:
            frames = dataset.stored_frames(take_id)[:, : context + clip]
        start = frames.shape[1] - clip
        batch = np.ascontiguousarray(cut_clip(frames, start, clip, context)[None])
        model = pipeline.model.eval()
        with torch.inference_mode():
            statistics = statistics_tensors(model, None)
            times["network"] = _median_ms(lambda: predict_clips(model, batch, statistics))
    finally:
        torch.set_num_threads(threads)
    if "feature" in times:
        times["total"] = times["feature"] + times["network"]
    return {name: round(value, 3) for name, value in times.items()}


def _median_ms(call: Callable[[], object]) -> float:
    for _ in range(_WARM_UP):
        call()
    times = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        call()
        times.append(time.perf_counter() - started)
    return 1000 * median(times)
