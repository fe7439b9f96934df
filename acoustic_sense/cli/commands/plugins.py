"""`acoustic-sense plugins`: what is installed, what it is, whether it keeps its contract."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from acoustic_sense.plugin_loading import PluginManager, PluginRecord
    from acoustic_sense.registry import Registration

plugins_app = typer.Typer(help="List, show, check and start plugins.", no_args_is_help=False)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead.")]


@plugins_app.callback(invoke_without_command=True)
def plugins(context: typer.Context, as_json: AsJson = False) -> None:
    """List the installed plugins, or show, check or start one."""
    if context.invoked_subcommand is None:
        list_plugins(as_json)


@plugins_app.command("list")
def list_plugins(as_json: AsJson = False) -> None:
    """List what every plugin registered, and what went wrong."""
    import json

    from acoustic_sense.cli.terminal import print_table, say
    from acoustic_sense.plugin_loading import load_plugins

    manager = load_plugins()
    if as_json:
        say(json.dumps(_listing(manager), indent=2))
        return
    rows = [row for plugin in manager.plugins for row in _rows(plugin)]
    print_table("", ("name", "kind", "plugin", "distribution", "version", "status"), rows)
    _note_unknown_disabled(manager)
    if manager.failures:
        say("")
    for plugin, failure in manager.failures:
        say(f"{plugin.name} ({plugin.distribution}): failed at {failure.stage}: {failure.message}")


def _rows(plugin: "PluginRecord") -> list[tuple[str, ...]]:
    """Return a table row for each component of a plugin, or one for a plugin without any."""
    rest = (plugin.name, plugin.distribution, plugin.version)
    rows: list[tuple[str, ...]] = [(r.name, _kind(r), *rest, "ok") for r in plugin.registrations]
    if plugin.failures or not rows:
        rows.append(("-", "-", *rest, plugin.status))
    return rows


def _kind(registration: "Registration") -> str:
    return registration.kind.removesuffix("s").replace("_", " ")


def _listing(manager: "PluginManager") -> list[dict[str, Any]]:
    """Return the plugins as plain data."""
    return [
        {
            "name": plugin.name,
            "distribution": plugin.distribution,
            "version": plugin.version,
            "module": plugin.module,
            "status": plugin.status,
            "components": [{"name": r.name, "kind": _kind(r)} for r in plugin.registrations],
            "failures": [
                {"stage": failure.stage, "message": failure.message} for failure in plugin.failures
            ],
        }
        for plugin in manager.plugins
    ]


def _note_unknown_disabled(manager: "PluginManager") -> None:
    """Tell about names that the environment disables and nobody has."""
    import os

    from acoustic_sense.cli.terminal import note
    from acoustic_sense.errors import suggestion
    from acoustic_sense.plugin_loading import DISABLED_VARIABLE

    known = {plugin.name for plugin in manager.plugins}
    for name in os.environ.get(DISABLED_VARIABLE, "").split(","):
        if name.strip() and name.strip() not in known:
            hint = suggestion(name.strip(), known)
            note(f"{DISABLED_VARIABLE} names '{name.strip()}', which is not installed;{hint}")


@plugins_app.command("show")
def show(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A component, or a plugin.")],
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the JSON schema of its configuration.")
    ] = False,
) -> None:
    """Print a component's description and settings."""
    import json

    from acoustic_sense.cli.terminal import say
    from acoustic_sense.plugin_loading import load_plugins

    manager = load_plugins()
    registrations, plugin = find(manager, name)
    if as_json:
        schemas = {_kind(r): r.component.Config.model_json_schema() for r in registrations}
        plain: Any = next(iter(schemas.values())) if len(schemas) == 1 else schemas
        say(json.dumps(plain, indent=2))
        return
    if plugin is not None:
        say(f"plugin {plugin.name}: {plugin.distribution} {plugin.version}, {plugin.status}")
    for index, registration in enumerate(registrations):
        if index or plugin is not None:
            say("")
        _show_component(registration)


def _show_component(registration: "Registration") -> None:
    import inspect

    from acoustic_sense.cli.terminal import print_table, say

    say(
        f"{_kind(registration)} {registration.name}: plugin {registration.plugin}, "
        f"{registration.distribution} {registration.version}"
    )
    say("")
    say(inspect.getdoc(registration.component) or "No description.")
    say("")
    fields = registration.component.Config.model_fields
    rows = [
        (
            name,
            type_name(info.annotation),
            "required" if info.is_required() else repr(info.get_default(call_default_factory=True)),
            info.description or "",
        )
        for name, info in fields.items()
    ]
    if rows:
        print_table("", ("setting", "type", "default", "description"), rows)
    else:
        say("It has no settings.")


def type_name(annotation: Any) -> str:
    """Return how a type is written in Python.

    Examples:
        >>> type_name(int), type_name(tuple[float, ...]), type_name(str | None)
        ('int', 'tuple[float, ...]', 'str | None')
    """
    if isinstance(annotation, type) and not hasattr(annotation, "__args__"):
        return annotation.__name__
    return str(annotation).replace("typing.", "").replace("pathlib.", "")


def find(manager: "PluginManager", name: str) -> tuple[list["Registration"], "PluginRecord | None"]:
    """Return the components called `name`; or else those of the plugin called `name`, and it.

    Raises:
        UnknownPluginError: Neither a component nor a plugin has the name.
    """
    from acoustic_sense.errors import UnknownPluginError, suggestion

    found = [r for r in manager.registrations if r.name == name]
    if found:
        return found, None
    for plugin in manager.plugins:
        if plugin.name == name:
            return plugin.registrations, plugin
    known = {r.name for r in manager.registrations} | {p.name for p in manager.plugins}
    hint = suggestion(name, sorted(known)) or " 'acoustic-sense plugins' lists them"
    raise UnknownPluginError(f"unknown plugin or component '{name}';{hint}")


@plugins_app.command("check")
def check(
    name: Annotated[
        str, typer.Argument(metavar="[NAME]", help="A component or a plugin; all if left out.")
    ] = "",
    config: Annotated[
        Path | None, typer.Option(help="TOML file with the component's settings.")
    ] = None,
) -> None:
    """Run the contract checks; exit code 1 if a component fails or a plugin did not load."""
    from acoustic_sense.config import read_toml
    from acoustic_sense.errors import ConfigError
    from acoustic_sense.plugin_loading import load_plugins

    manager = load_plugins()
    settings = read_toml(config) if config is not None else None
    if name:
        registrations, plugin = find(manager, name)
        records = [plugin] if plugin is not None else []
    else:
        registrations, records = manager.registrations, manager.plugins
    if settings is not None and len(registrations) != 1:
        raise ConfigError("--config needs the name of one component; name it before the option")
    if settings is not None:
        registrations[0].component.parse(settings, str(config))
    broken = [_check_plugin(record) for record in records]
    kept = [_check_component(registration, settings) for registration in registrations]
    if any(broken) or not all(kept):
        raise typer.Exit(1)


def _check_plugin(plugin: "PluginRecord") -> bool:
    """Print why a plugin is broken, with its traceback; return whether it is."""
    from acoustic_sense.cli.terminal import say

    for failure in plugin.failures:
        what = f"plugin {plugin.name} ({plugin.distribution})"
        say(f"failed   {what} at {failure.stage}: {failure.message}")
        for line in failure.details.splitlines():
            say(f"         {line}")
    if plugin.disabled:
        say(f"disabled plugin {plugin.name} ({plugin.distribution})")
    return bool(plugin.failures)


def _check_component(registration: "Registration", settings: dict[str, Any] | None) -> bool:
    """Run and print the contract check of one component; return whether it was kept."""
    from acoustic_sense.cli.terminal import say
    from acoustic_sense.testing import ContractError, check_registered, required_settings

    what = f"{_kind(registration)} {registration.name} ({registration.distribution})"
    needed = required_settings(registration)
    if needed and settings is None:
        say(f"skipped  {what}: needs settings: {', '.join(needed)}; give them with --config")
        return True
    try:
        check_registered(registration, settings)
    except ContractError as error:
        say(f"failed   {what}: {error}")
        return False
    say(f"ok       {what}")
    return True


@plugins_app.command("new")
def new(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="Name of the component, e.g. zero-crossings.")
    ],
    kind: Annotated[
        str,
        typer.Option(help="feature, signal-source, encoder, objective or task."),
    ] = "feature",
    out: Annotated[
        Path, typer.Option(help="Folder that the project's folder is made in.")
    ] = Path(),
) -> None:
    """Write a working distribution with one component, its test and its packaging."""
    from acoustic_sense.cli.plugin_project import write_project
    from acoustic_sense.cli.terminal import say
    from acoustic_sense.errors import PluginError
    from acoustic_sense.plugin_loading import load_plugins

    taken = [r for r in load_plugins().registrations if r.name == name]
    if taken:
        raise PluginError(
            f"'{name}' is registered already, by plugin '{taken[0].plugin}' "
            f"({taken[0].distribution}); choose another name"
        )
    folder = write_project(name, kind, out)
    say(f"{folder}: a working plugin; next:")
    say(f"  pip install -e {folder}")
    say(f"  acoustic-sense plugins check {name}")
