"""Registry: components by name, each with the plugin that owns it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from acoustic_sense.errors import PluginError, UnknownPluginError, suggestion


@dataclass(frozen=True)
class Registration:
    """One registered component.

    Attributes:
        name: What users write in a config.
        kind: Registry it belongs to, e.g. `features`.
        component: The class.
        plugin: Name of the plugin that registered it.
        distribution: Distribution that the plugin came in.
        version: That distribution's version.
    """

    name: str
    kind: str
    component: type[Any]
    plugin: str
    distribution: str
    version: str


class Registry(Mapping[str, type[Any]]):
    """Component classes of one kind by name, in the order they were registered.

    Looking up a name that nobody registered raises `UnknownPluginError` with the closest name.
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._registrations: dict[str, Registration] = {}

    def add(self, registration: Registration) -> None:
        """Add a component.

        Raises:
            PluginError: The name is taken; the message names both owners.
        """
        taken = self._registrations.get(registration.name)
        if taken is not None:
            raise PluginError(
                f"{self.singular} '{registration.name}' is registered twice: by plugin "
                f"'{taken.plugin}' ({taken.distribution}) and by plugin '{registration.plugin}' "
                f"({registration.distribution}); rename one, or disable one of the plugins"
            )
        self._registrations[registration.name] = registration

    @property
    def singular(self) -> str:
        """The kind as a word for messages, e.g. `signal source`."""
        return self.kind.removesuffix("s").replace("_", " ")

    def registration(self, name: str) -> Registration:
        """Return who registered `name`.

        Raises:
            UnknownPluginError: Nobody did.
        """
        if name not in self._registrations:
            known = sorted(self._registrations)
            hint = suggestion(name, known) or f" known: {', '.join(known) or 'none'}"
            raise UnknownPluginError(f"unknown {self.singular} '{name}';{hint}")
        return self._registrations[name]

    def __getitem__(self, name: str) -> type[Any]:
        """Return the class registered as `name`."""
        return self.registration(name).component

    def __contains__(self, name: object) -> bool:
        """Return whether `name` is registered."""
        return name in self._registrations

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names."""
        return iter(self._registrations)

    def __len__(self) -> int:
        """Return the number of components."""
        return len(self._registrations)
