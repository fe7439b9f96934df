"""Random variations of clips before they are normalised: delays and other microphones."""

import numpy as np

from acoustic_sense.errors import ConfigError
from acoustic_sense.inference.clips import Frames, cut_clip
from acoustic_sense.training.audio_changes import AudioChange, ChangedFrames, random_delays
from acoustic_sense.training.clip_set import ClipSet, Cut, OnTake
from acoustic_sense.training.config import AugmentationConfig
from acoustic_sense.training.feature_store import FeatureStore
from acoustic_sense.training.microphone import AXES, MicrophoneChange, MicrophoneChannels


class ClipVariations:
    """Cuts clips whose playback is delayed and whose microphone is another, at random.

    What cannot be made from the feature exactly is computed from changed audio and cached: the
    feature at each take's random delays, and, where phases are read and signs vary, that of the
    inverted recording.
    """

    def __init__(
        self,
        settings: AugmentationConfig,
        clips: ClipSet,
        store: FeatureStore,
        on_take: OnTake | None = None,
    ) -> None:
        """Compute what is not cached.

        Raises:
            DatasetError: The dataset holds features and no audio.
            ConfigError: The feature does not change with the delay, or its channels do not say
                how they would change with the microphone.
        """
        self._settings = settings
        self._clips = clips
        names = tuple(store.feature.channel_names)
        self._microphone = MicrophoneChannels(names) if settings.varies_microphone else None
        invert = settings.random_axis_sign and (
            self._microphone is not None and self._microphone.reads_phase
        )
        self._delayed: list[ChangedFrames] = []
        self._inverted: list[ChangedFrames] = []
        for done, info in enumerate(clips.takes, start=1):
            if settings.random_delay:
                self._delayed.append(self._delays(store, info.id))
            if invert:
                self._inverted.append(store.changed(info.id, [AudioChange(inverted=True)]))
            if on_take is not None:
                on_take(done, len(clips.takes))

    def _delays(self, store: FeatureStore, take_id: str) -> ChangedFrames:
        largest = round(self._settings.delay_ms / 1000 * store.feature.sample_rate_hz)
        delays = random_delays(take_id, largest, self._settings.delays_per_take)
        changed = store.changed(take_id, [AudioChange(delay) for delay in delays])
        if not changed.channels:
            raise ConfigError(
                f"training.augmentation: the feature '{store.name}' does not change with the "
                "playback's delay; set random_delay = false"
            )
        return changed

    def draw(self, count: int, generator: np.random.Generator) -> Cut:
        """Draw the variations of a batch's clips, and return what cuts them.

        Args:
            count: Clips in the batch.
            generator: Source of everything random.
        """
        delays = generator.integers(self._settings.delays_per_take, size=count)
        changes = [self._draw_microphone(generator) for _ in range(count)]

        def cut(row: int, take: int, start: int) -> Frames:
            return self.cut(take, start, int(delays[row]), changes[row])

        return cut

    def cut(self, take: int, start: int, delay: int, change: MicrophoneChange) -> Frames:
        """Return one clip, not normalised.

        Args:
            take: Index of the take.
            start: First frame of the clip, after its context.
            delay: Which of the take's delays, where they are random.
            change: The microphone's convention, where it is random.
        """
        context = self._clips.context_frames
        cut = cut_clip(self._clips.frames[take], start, self._clips.clip_frames, context)
        clip: Frames = np.array(cut)
        if self._delayed:
            self._delayed[take].put_into(clip, delay, start - context)
        if self._microphone is None:
            return clip
        inverted = None
        if self._inverted:
            inverted = clip.copy()
            self._inverted[take].put_into(inverted, 0, start - context)
        return self._microphone.apply(clip, change, inverted)

    def _draw_microphone(self, generator: np.random.Generator) -> MicrophoneChange:
        settings = self._settings
        order = list(range(len(AXES)))
        if settings.random_axis_order:
            order = generator.permutation(len(AXES)).tolist()
        signs = [1] * len(AXES)
        if settings.random_axis_sign:
            signs = generator.choice([-1, 1], size=len(AXES)).tolist()
        gain_db = settings.omni_gain_db and generator.normal(scale=settings.omni_gain_db)
        return MicrophoneChange(
            (order[0], order[1], order[2]), (signs[0], signs[1], signs[2]), float(gain_db)
        )
