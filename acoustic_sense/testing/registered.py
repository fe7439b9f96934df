"""Running the contract check that fits a registered component."""

from collections.abc import Callable, Mapping
from typing import Any

from acoustic_sense.errors import PluginError
from acoustic_sense.registry import Registration
from acoustic_sense.testing.encoders import check_encoder
from acoustic_sense.testing.features import check_feature
from acoustic_sense.testing.objectives import check_objective
from acoustic_sense.testing.signal_sources import check_signal_source
from acoustic_sense.testing.tasks import check_task

CHECKS: dict[str, Callable[..., None]] = {
    "signal_sources": check_signal_source,
    "features": check_feature,
    "encoders": check_encoder,
    "objectives": check_objective,
    "tasks": check_task,
}
"""The check of each kind of component."""


def required_settings(registration: Registration) -> list[str]:
    """Return the settings that the component cannot be built without."""
    fields = registration.component.Config.model_fields
    return [name for name, info in fields.items() if info.is_required()]


def check_registered(registration: Registration, settings: Mapping[str, Any] | None = None) -> None:
    """Run the contract check of a registered component.

    Args:
        registration: The component, as `PluginManager.registrations` lists it.
        settings: Settings for a component that cannot do without, see `required_settings`.

    Raises:
        ContractError: The first promise that is not kept.
        PluginError: There is no check for components of this kind.
    """
    if registration.kind not in CHECKS:
        raise PluginError(f"no contract check for components of kind '{registration.kind}'")
    CHECKS[registration.kind](registration.component, settings)
