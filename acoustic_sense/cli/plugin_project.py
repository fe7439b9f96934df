"""Plugin project: a working third-party distribution, written from templates."""

import keyword
import re
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from string import Template

from acoustic_sense.cli.outputs import new_folder
from acoustic_sense.errors import AcousticSenseError, suggestion

NAME_PATTERN = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
RESERVED = ("acoustic-sense", "test", "tests", "torch", "numpy")


@dataclass(frozen=True)
class Kind:
    """What differs between the kinds of components.

    Attributes:
        hook: Hook that registers it.
        register_type: Name of that hook's argument type in `acoustic_sense.hookspecs`.
        check: Function of `acoustic_sense.testing` that checks it.
        registry: Attribute of `PluginManager` that it ends up in.
        template: Template of its module.
    """

    hook: str
    register_type: str
    check: str
    registry: str
    template: str


KINDS = {
    kind.replace("_", "-"): Kind(
        hook=f"register_{kind}s",
        register_type=f"Register{''.join(part.title() for part in kind.split('_'))}",
        check=f"check_{kind}",
        registry=f"{kind}s",
        template=f"{kind}.py.txt",
    )
    for kind in ("feature", "signal_source", "encoder", "objective", "task")
}
"""The kinds that a project can be started with."""


def write_project(name: str, kind: str, out: Path) -> Path:
    """Write a distribution with one component.

    Args:
        name: Name of the component: lower-case words joined by hyphens.
        kind: A name of `KINDS`.
        out: Folder that the project's folder is made in.

    Returns:
        The project's folder.

    Raises:
        AcousticSenseError: The name or the kind is not valid, or the folder exists.
    """
    check_name(name)
    if kind not in KINDS:
        hint = suggestion(kind, KINDS) or f" kinds: {', '.join(KINDS)}"
        raise AcousticSenseError(f"unknown kind '{kind}';{hint}")
    folder = out / f"acoustic-sense-{name}"
    if folder.exists():
        raise AcousticSenseError(f"{folder}: exists already; remove it or choose another name")
    package = f"acoustic_sense_{name.replace('-', '_')}"
    values = _values(name, kind, folder.name, package)
    with new_folder(folder) as temporary:
        for path, template in _files(package, values["module"], KINDS[kind]).items():
            target = temporary / path
            target.parent.mkdir(parents=True, exist_ok=True)
            text = files("acoustic_sense.cli").joinpath("templates", template).read_text("utf-8")
            target.write_text(Template(text).substitute(values), encoding="utf-8")
    return folder


def check_name(name: str) -> None:
    """Raise AcousticSenseError unless `name` can name a component, a package and a class."""
    if not NAME_PATTERN.fullmatch(name):
        tidy = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-0123456789")
        hint = f" did you mean '{tidy}'?" if NAME_PATTERN.fullmatch(tidy) else ""
        raise AcousticSenseError(
            f"'{name}' cannot name a plugin;{hint or ' use'} lower-case letters and digits, "
            "words joined by hyphens, e.g. zero-crossings"
        )
    if keyword.iskeyword(name) or name in RESERVED:
        raise AcousticSenseError(f"'{name}' is taken by Python or the framework; choose another")


def _values(name: str, kind: str, distribution: str, package: str) -> dict[str, str]:
    words = name.split("-")
    details = KINDS[kind]
    plain_kind = kind.replace("-", " ")
    return {
        "name": name,
        "kind": plain_kind,
        "distribution": distribution,
        "description": f"The {plain_kind} {name}, a plugin for acoustic-sense.",
        "entry_point": name.replace("-", "_"),
        "package": package,
        "module": kind.replace("-", "_"),
        "class_name": "".join(word[:1].upper() + word[1:] for word in words),
        "hook": details.hook,
        "register_type": details.register_type,
        "check": details.check,
        "registry": details.registry,
    }


def _files(package: str, module: str, kind: Kind) -> dict[str, str]:
    """Return the template of each file of a project."""
    return {
        "pyproject.toml": "pyproject.toml.txt",
        "README.md": "README.md.txt",
        f"{package}/__init__.py": "init.py.txt",
        f"{package}/{module}.py": kind.template,
        f"{package}/py.typed": "py.typed.txt",
        f"tests/test_{module}.py": "test.py.txt",
    }
