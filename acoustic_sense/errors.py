"""The errors that users meet.

Every message says what was wrong, where, and how to mend it, in one line. The command line prints
it and exits with code 2; Python callers catch `AcousticSenseError` or one of its children.
"""

import difflib
from collections.abc import Iterable


class AcousticSenseError(Exception):
    """Base of every error that the framework raises on bad input."""


class ConfigError(AcousticSenseError):
    """A configuration file or value is not valid."""


class AudioError(AcousticSenseError):
    """A recording or playback cannot be used: wrong channels, silent, too short, unreadable."""


class DatasetError(AcousticSenseError):
    """A dataset on disk is missing, incomplete or inconsistent."""


class ModelError(AcousticSenseError):
    """A trained model cannot be loaded or does not fit what it is asked to do."""


class PluginError(AcousticSenseError):
    """A plugin failed to import, to register or to keep its contract."""


class UnknownPluginError(PluginError, KeyError):
    """No registered component has the name that was asked for."""

    def __str__(self) -> str:
        """Return the message itself (`KeyError` would print its repr)."""
        return str(self.args[0])


class SimulationError(AcousticSenseError):
    """A scene cannot be simulated: something outside the room, an impossible motion."""


class WorkerError(AcousticSenseError):
    """Work could not be given to others: a worker died, or a cluster does not answer."""


def suggestion(name: str, known: Iterable[str]) -> str:
    """Return `` did you mean 'x'?`` for the closest known name, or an empty string.

    Examples:
        >>> suggestion("epoch", ["epochs", "batch_size"])
        " did you mean 'epochs'?"
        >>> suggestion("zzz", ["epochs"])
        ''
    """
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f" did you mean '{close[0]}'?" if close else ""
