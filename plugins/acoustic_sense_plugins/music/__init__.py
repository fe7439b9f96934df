"""Plugin music: playback from an audio file, and music made from a seed."""

from acoustic_sense.hookspecs import RegisterSignalSource, hookimpl


@hookimpl
def register_signal_sources(register: RegisterSignalSource) -> None:
    """Register `music-file` and `generated-music`."""
    from acoustic_sense_plugins.music.generated import GeneratedMusic
    from acoustic_sense_plugins.music.music_file import MusicFile

    register("music-file", MusicFile)
    register("generated-music", GeneratedMusic)
