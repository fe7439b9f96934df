"""The hooks that a plugin may implement.

Each hook is called once, with a function that registers one component: call it with a name and a
class. A hook exists only where a plugin of this project uses it. Importing this module imports
neither torch nor any method.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, TypeAlias

import pluggy

if TYPE_CHECKING:
    from acoustic_sense.contracts import Encoder, Feature, Objective, SignalSource, Task

PROJECT_NAME: Final = "acoustic_sense"
"""Name of the plugin system and of the entry-point group."""

hookspec = pluggy.HookspecMarker(PROJECT_NAME)
hookimpl = pluggy.HookimplMarker(PROJECT_NAME)

RegisterSignalSource: TypeAlias = "Callable[[str, type[SignalSource]], None]"
RegisterFeature: TypeAlias = "Callable[[str, type[Feature]], None]"
RegisterEncoder: TypeAlias = "Callable[[str, type[Encoder]], None]"
RegisterObjective: TypeAlias = "Callable[[str, type[Objective]], None]"
RegisterTask: TypeAlias = "Callable[[str, type[Task]], None]"


@hookspec
def register_signal_sources(register: RegisterSignalSource) -> None:
    """Register signal sources: what the loudspeakers are sent.

    Args:
        register: Call it with a name and a `SignalSource` class.
    """


@hookspec
def register_features(register: RegisterFeature) -> None:
    """Register features: what the network sees of recording and playback.

    Args:
        register: Call it with a name and a `Feature` class.
    """


@hookspec
def register_encoders(register: RegisterEncoder) -> None:
    """Register encoders: from features to latents.

    Args:
        register: Call it with a name and an `Encoder` class.
    """


@hookspec
def register_objectives(register: RegisterObjective) -> None:
    """Register objectives: auxiliary losses on latents.

    Args:
        register: Call it with a name and an `Objective` class.
    """


@hookspec
def register_tasks(register: RegisterTask) -> None:
    """Register tasks: targets, head, loss and metrics for one question.

    Args:
        register: Call it with a name and a `Task` class.
    """


HOOK_KINDS: Final = {
    "register_signal_sources": "signal_sources",
    "register_features": "features",
    "register_encoders": "encoders",
    "register_objectives": "objectives",
    "register_tasks": "tasks",
}
"""Each hook, and the registry attribute that its components end up in."""
