"""Finding and loading plugins.

Plugins are the entry points of the group `acoustic_sense`. Importing one, checking its hooks and
calling each hook are guarded apart: a broken plugin is reported with its name, distribution and
stage, and never stops the others.
"""

import inspect
import os
import traceback
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Literal

import pluggy

from acoustic_sense import hookspecs
from acoustic_sense.config import Config
from acoustic_sense.errors import PluginError, suggestion
from acoustic_sense.hookspecs import HOOK_KINDS, PROJECT_NAME
from acoustic_sense.registry import Registration, Registry

DISABLED_VARIABLE = "ACOUSTIC_SENSE_DISABLED_PLUGINS"
"""Environment variable: names of plugins not to load, separated by commas."""

OWN_DISTRIBUTION = "acoustic-sense"

Stage = Literal["import", "hooks", "call", "component"]


@dataclass(frozen=True)
class PluginFailure:
    """Why a plugin, or one of its hooks, could not be used.

    Attributes:
        stage: `import` (the module), `hooks` (names and signatures), `call` (a hook raised) or
            `component` (what a hook registered).
        message: One line.
        details: The traceback, or an empty string where there was no exception to show.
    """

    stage: Stage
    message: str
    details: str = ""


@dataclass
class PluginRecord:
    """One plugin that was found, loaded or not.

    Attributes:
        name: The entry point's name.
        distribution: Distribution it came in.
        version: That distribution's version.
        module: What the entry point refers to.
        disabled: Whether the user disabled it.
        registrations: What it registered.
        failures: What went wrong.
    """

    name: str
    distribution: str
    version: str
    module: str
    disabled: bool = False
    registrations: list[Registration] = field(default_factory=list)
    failures: list[PluginFailure] = field(default_factory=list)

    @property
    def status(self) -> str:
        """`ok`, `disabled` or `failed: <stage>`."""
        if self.disabled:
            return "disabled"
        return f"failed: {self.failures[0].stage}" if self.failures else "ok"


class PluginManager:
    """The loaded plugins and the components they registered.

    Attributes:
        signal_sources: Registered signal sources by name.
        features: Registered features by name.
        encoders: Registered encoders by name.
        objectives: Registered objectives by name.
        tasks: Registered tasks by name.
        plugins: Every plugin that was found, with its status.
    """

    def __init__(self, kinds: Collection[str] = tuple(HOOK_KINDS.values())) -> None:
        """Make an empty manager.

        Args:
            kinds: Kinds of component whose hooks are called.
        """
        self._kinds = frozenset(kinds)
        self.signal_sources = Registry("signal_sources")
        self.features = Registry("features")
        self.encoders = Registry("encoders")
        self.objectives = Registry("objectives")
        self.tasks = Registry("tasks")
        self.plugins: list[PluginRecord] = []
        self._hooks = pluggy.PluginManager(PROJECT_NAME)
        self._hooks.add_hookspecs(hookspecs)

    @property
    def registries(self) -> dict[str, Registry]:
        """The registries by kind."""
        return {kind: getattr(self, kind) for kind in HOOK_KINDS.values()}

    @property
    def registrations(self) -> list[Registration]:
        """Every registered component, kind by kind."""
        return [
            registry.registration(name)
            for registry in self.registries.values()
            for name in registry
        ]

    @property
    def failures(self) -> list[tuple[PluginRecord, PluginFailure]]:
        """Everything that went wrong, with the plugin it went wrong in."""
        return [(plugin, failure) for plugin in self.plugins for failure in plugin.failures]

    def load(self, entry_point: EntryPoint, *, disabled: bool = False) -> PluginRecord:
        """Import one plugin, check its hooks and call them; never raises."""
        distribution = entry_point.dist
        record = PluginRecord(
            name=entry_point.name,
            distribution=(distribution.name if distribution else None) or "unknown",
            version=(distribution.version if distribution else None) or "",
            module=entry_point.value,
            disabled=disabled,
        )
        self.plugins.append(record)
        if disabled:
            return record
        try:
            plugin = entry_point.load()
        except (Exception, SystemExit) as error:
            record.failures.append(_failure("import", error))
            return record
        self.register(plugin, record)
        return record

    def register(self, plugin: object, record: PluginRecord) -> None:
        """Check the hooks of an imported plugin and call them, filling `record`."""
        name = f"{record.distribution}:{record.name}"
        try:
            self._check_hooks(plugin)
            self._hooks.register(plugin, name=name)
            self._hooks.check_pending()
        except Exception as error:
            if self._hooks.has_plugin(name):
                self._hooks.unregister(name=name)
            record.failures.append(_failure("hooks", error, with_traceback=False))
            return
        for hook, kind in HOOK_KINDS.items():
            if kind not in self._kinds:
                continue
            implementation = getattr(plugin, hook, None)
            if implementation is not None and self._hooks.parse_hookimpl_opts(plugin, hook):
                self._call(implementation, hook, kind, record)

    def _check_hooks(self, plugin: object) -> None:
        """Raise PluginError for a hook nobody specified or one that cannot take `register`."""
        found = [name for name in dir(plugin) if self._hooks.parse_hookimpl_opts(plugin, name)]
        for name in found:
            if name not in HOOK_KINDS:
                hint = suggestion(name, HOOK_KINDS) or f" known hooks: {', '.join(HOOK_KINDS)}"
                raise PluginError(f"unknown hook '{name}';{hint}")
            parameters = list(inspect.signature(getattr(plugin, name)).parameters)
            if parameters != ["register"]:
                raise PluginError(
                    f"hook '{name}' has the wrong signature ({', '.join(parameters)}); "
                    "it takes one argument named 'register'"
                )
        if not found:
            raise PluginError(
                "implements no hook; decorate a function such as 'register_features' with "
                "acoustic_sense.hookspecs.hookimpl"
            )

    def _call(
        self, implementation: Callable[..., None], hook: str, kind: str, record: PluginRecord
    ) -> None:
        """Call one hook; what it registered counts only if it returns."""
        registrations: list[Registration] = []

        def register(name: str, component: type[Any]) -> None:
            registrations.append(
                Registration(
                    name, kind, component, record.name, record.distribution, record.version
                )
            )

        try:
            implementation(register=register)
        except (Exception, SystemExit) as error:
            record.failures.append(_failure("call", error, prefix=f"{hook}: "))
            return
        for registration in registrations:
            try:
                _check_component(registration)
                self.registries[kind].add(registration)
                record.registrations.append(registration)
            except Exception as error:
                expected = isinstance(error, PluginError)
                record.failures.append(_failure("component", error, with_traceback=not expected))


def _check_component(registration: Registration) -> None:
    """Raise PluginError unless the component is a class of its kind with a sound `Config`."""
    from acoustic_sense import contracts

    contract_names = {
        "signal_sources": "SignalSource",
        "features": "Feature",
        "encoders": "Encoder",
        "objectives": "Objective",
        "tasks": "Task",
    }
    contract_name = contract_names[registration.kind]
    component = registration.component
    if not isinstance(registration.name, str) or not registration.name:
        raise PluginError(f"a {contract_name} needs a name, not {registration.name!r}")
    where = f"{contract_name} '{registration.name}'"
    if not isinstance(component, type) or not issubclass(
        component, getattr(contracts, contract_name)
    ):
        raise PluginError(f"{where} is not a subclass of acoustic_sense.contracts.{contract_name}")
    missing = sorted(
        name
        for name in dir(component)
        if getattr(getattr(component, name, None), "__isabstractmethod__", False)
    )
    if missing:
        raise PluginError(f"{where} does not implement {', '.join(missing)}")
    config = getattr(component, "Config", None)
    if not isinstance(config, type) or not issubclass(config, Config):
        raise PluginError(f"{where}: its Config is not a subclass of acoustic_sense.config.Config")
    if not config.model_config.get("frozen") or config.model_config.get("extra") != "forbid":
        raise PluginError(f"{where}: its Config must stay frozen and refuse unknown keys")
    bare = [name for name, info in config.model_fields.items() if not info.description]
    if bare:
        raise PluginError(f"{where}: Config fields without a description: {', '.join(bare)}")


def _failure(
    stage: Stage, error: BaseException, *, prefix: str = "", with_traceback: bool = True
) -> PluginFailure:
    """Describe an exception in one line, keeping its traceback for `plugins check`."""
    text = str(error).splitlines()[0] if str(error) else "no message"
    kind = "" if isinstance(error, PluginError) else f"{type(error).__name__}: "
    details = "".join(traceback.format_exception(error)) if with_traceback else ""
    return PluginFailure(stage, f"{prefix}{kind}{text}", details)


def load_plugins(*, strict: bool = False) -> PluginManager:
    """Load every installed plugin.

    The result is cached for the life of the process, apart for each value of
    `ACOUSTIC_SENSE_DISABLED_PLUGINS`.

    Args:
        strict: Raise on the first plugin that is broken, instead of reporting it.

    Returns:
        The manager; its registries hold the components by name.

    Raises:
        PluginError: In strict mode, naming plugin, distribution, stage and cause.

    Examples:
        >>> "bgm2pose-fa" in load_plugins().encoders
        True
    """
    manager = _load(os.environ.get(DISABLED_VARIABLE, ""))
    if strict and manager.failures:
        plugin, failure = manager.failures[0]
        raise PluginError(
            f"plugin '{plugin.name}' ({plugin.distribution}) failed at {failure.stage}: "
            f"{failure.message}"
        )
    return manager


def load_registry(kind: str) -> Registry:
    """Load the components of one kind alone.

    The hooks of the other kinds are not called, so that nothing is imported for them: a worker that
    looks up signal sources is spared torch.

    Args:
        kind: A kind of component, e.g. `signal_sources`.

    Returns:
        The same registry as that of `load_plugins`.

    Examples:
        >>> "white-noise" in load_registry("signal_sources")
        True
    """
    return _load(os.environ.get(DISABLED_VARIABLE, ""), kind).registries[kind]


@lru_cache(maxsize=8)
def _load(disabled_names: str, *kinds: str) -> PluginManager:
    disabled = {name.strip() for name in disabled_names.split(",") if name.strip()}
    manager = PluginManager(kinds or tuple(HOOK_KINDS.values()))
    for entry_point in sorted(entry_points(group=PROJECT_NAME), key=_order):
        manager.load(entry_point, disabled=entry_point.name in disabled)
    return manager


def _order(entry_point: EntryPoint) -> tuple[bool, str, str]:
    """Sort built-in plugins first, then by name and distribution."""
    distribution = entry_point.dist.name if entry_point.dist else ""
    return (distribution != OWN_DISTRIBUTION, entry_point.name, distribution)
