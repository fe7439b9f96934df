"""The reference pages that are generated: commands, hooks, settings, plugins, errors.

Everything here is read from the program itself (its command line, hook specifications,
configuration models and docstrings), so that no reference can drift from what it describes.
`docs/hooks.py` adds the pages to the site; the tests look for every command, option, hook, argument
and field in them.
"""

import inspect
import re
from collections.abc import Callable, Iterator
from enum import Enum
from pathlib import Path
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic_core import PydanticUndefined


def pages() -> dict[str, Callable[[], str]]:
    """Return the generated pages: path inside `docs`, and what writes its Markdown."""
    return {
        "reference/cli.md": cli_page,
        "reference/hooks.md": hooks_page,
        "reference/config.md": config_page,
        "reference/plugins.md": plugins_page,
        "reference/errors.md": errors_page,
    }


# ------------------------------------------------------------------------------ the command line


def commands() -> Iterator[tuple[str, Any]]:
    """Yield every command of the program with its full name, groups first."""
    import typer

    from acoustic_sense.cli.main import PROGRAM, app

    yield from _walk(PROGRAM, typer.main.get_command(app))


def _walk(name: str, command: Any) -> Iterator[tuple[str, Any]]:
    yield name, command
    for child, sub in getattr(command, "commands", {}).items():
        yield from _walk(f"{name} {child}", sub)


def cli_page() -> str:
    """Return the page on every command, argument and option."""
    from acoustic_sense.cli import main

    parts = [
        "# Command line",
        "Generated from the program: what `--help` prints, in one place.",
        _module_table(main),
    ]
    for name, command in commands():
        parts.append(f"## `{name}`")
        if command.help:
            parts.append(inspect.cleandoc(command.help))
        parts.append(f"```text\n{_usage(name, command)}\n```")
        if command.params:
            rows = [_parameter_row(parameter) for parameter in command.params]
            parts.append(_table(("argument or option", "meaning", "default"), rows))
    return _join(parts)


def parameter_names(parameter: Any) -> list[str]:
    """Return what users write for a parameter: `--option` names, or an argument's word."""
    if parameter.param_type_name == "argument":
        word = parameter.metavar or parameter.name.upper()
        return [word.strip("[]")]
    return [*parameter.opts, *parameter.secondary_opts]


def _usage(name: str, command: Any) -> str:
    context = command.context_class(command, info_name=name)
    return " ".join(command.get_usage(context).removeprefix("Usage: ").split())


def _parameter_row(parameter: Any) -> tuple[str, str, str]:
    names = ", ".join(f"`{name}`" for name in parameter_names(parameter))
    if parameter.param_type_name != "argument" and parameter.metavar:
        names += f" *{parameter.metavar}*"
    if parameter.required:
        default = "required"
    elif parameter.default in (None, "", False) or callable(parameter.default):
        default = ""
    else:
        default = f"`{parameter.default}`"
    return names, parameter.help or "", default


def _module_table(module: Any) -> str:
    """Return the Markdown table in a module's docstring."""
    return "\n".join(line for line in (module.__doc__ or "").splitlines() if line.startswith("|"))


# ------------------------------------------------------------------------------ hooks and plugins


def hook_functions() -> dict[str, Callable[..., None]]:
    """Return the hook specifications by name, in the order of the file."""
    from acoustic_sense import hookspecs

    return {name: getattr(hookspecs, name) for name in hookspecs.HOOK_KINDS}


def hooks_page() -> str:
    """Return the page on every hook, its argument, its contract and who implements it."""
    from acoustic_sense import contracts, hookspecs, load_plugins

    registries = load_plugins().registries
    parts = ["# Hooks", inspect.cleandoc(hookspecs.__doc__ or "")]
    for name, function in hook_functions().items():
        kind = hookspecs.HOOK_KINDS[name]
        summary, arguments = _split_docstring(function)
        signature = str(inspect.signature(function)).replace("'", "")
        word = "".join(part.title() for part in kind.removesuffix("s").split("_"))
        contract = getattr(contracts, word)
        parts += [
            f"## `{name}`",
            f"```text\n{name}{signature}\n```",
            summary,
            _table(("argument", "meaning"), [(f"`{a}`", text) for a, text in arguments]),
            f"The class implements [`{word}`](contracts.md#{contract.__module__}.{word}): "
            f"{_first_line(contract)}",
            f"```python\n{_hook_example(name, kind, word)}\n```",
            "Registered here: " + ", ".join(f"`{each}`" for each in registries[kind]) + ".",
        ]
    return _join(parts)


def _hook_example(hook: str, kind: str, word: str) -> str:
    article = "an" if word[0] in "EO" else "a"
    return (
        f"from acoustic_sense.contracts import {word}\n"
        f"from acoustic_sense.hookspecs import Register{word}, hookimpl\n\n\n"
        f"class Mine({word}):\n"
        f'    """{article.title()} {kind.removesuffix("s").replace("_", " ")} of my own."""\n\n\n'
        f"@hookimpl\n"
        f"def {hook}(register: Register{word}) -> None:\n"
        f'    register("mine", Mine)'
    )


def plugins_page() -> str:
    """Return the page on every component that the project itself registers."""
    from acoustic_sense import load_plugins

    manager = load_plugins()
    parts = [
        "# Built-in plugins",
        "Everything below is registered through the same hooks that yours would use. "
        "`acoustic-sense plugins` lists what is installed, `acoustic-sense plugins show NAME` "
        "prints one of these sections.",
    ]
    for kind, registry in manager.registries.items():
        parts.append(f"## {kind.replace('_', ' ').capitalize()}")
        for name in registry:
            registration = registry.registration(name)
            if registration.distribution != "acoustic-sense":
                continue
            parts += [
                f"### `{name}`",
                _prose(registration.component),
                f"Plugin `{registration.plugin}`.",
                _field_table(registration.component.Config),
            ]
    return _join(parts)


# ------------------------------------------------------------------------------ settings


def file_models() -> dict[str, type[BaseModel]]:
    """Return the models of the TOML files that commands read, by what the file is called."""
    from acoustic_sense.benchmarking.config import BenchmarkConfig
    from acoustic_sense.contracts.simulator import load_simulator
    from acoustic_sense.datasets.protocols import Protocol
    from acoustic_sense.training.config import TrainConfig

    return {
        "dataset.toml": load_simulator().GenerationConfig,
        "train.toml": TrainConfig,
        "protocol.toml": Protocol,
        "benchmark.toml": BenchmarkConfig,
    }


READ_BY = {
    "dataset.toml": "`acoustic-sense simulate` and `acoustic-sense scene`",
    "train.toml": "`acoustic-sense train`",
    "protocol.toml": "where a protocol is named: `data.protocol` in `train.toml`",
    "benchmark.toml": "`acoustic-sense benchmark run`",
}


def config_page() -> str:
    """Return the page on every setting of every TOML file."""
    parts = [
        "# Settings",
        "Settings are TOML, checked before anything runs: an unknown key is an error that names "
        "the key you probably meant. The settings of a plugin stand with "
        "[the plugin](plugins.md).",
    ]
    for file, model in file_models().items():
        parts += [f"## `{file}`", f"Read by {READ_BY[file]}.", _prose(model)]
        for path, nested in nested_models(model):
            if path:
                parts += [f"### `{file}`: `[{path}]`", _prose(nested)]
            parts.append(_field_table(nested))
    return _join(parts)


def nested_models(model: type[BaseModel], path: str = "") -> Iterator[tuple[str, type[BaseModel]]]:
    """Yield a model and, depth first, the models of its fields, each with its dotted path."""
    yield path, model
    for name, field in model.model_fields.items():
        for kind in _classes(field.annotation):
            if issubclass(kind, BaseModel):
                yield from nested_models(kind, f"{path}.{name}" if path else name)


def _classes(annotation: Any) -> Iterator[type[Any]]:
    if isinstance(annotation, type) and get_origin(annotation) is None:
        yield annotation
    for argument in get_args(annotation):
        yield from _classes(argument)


def _field_table(model: type[BaseModel]) -> str:
    if not model.model_fields:
        return "No settings."
    rows = [
        (
            f"`{name}`",
            f"`{_type_name(field.annotation)}`{_bounds(field.metadata)}",
            _default(field),
            field.description or "",
        )
        for name, field in model.model_fields.items()
    ]
    return _table(("key", "type", "default", "meaning"), rows)


def _default(field: Any) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    if value is PydanticUndefined or isinstance(value, BaseModel):
        return ""
    if isinstance(value, tuple) and any(isinstance(item, BaseModel) for item in value):
        return ""
    return f"`{_toml(value)}`"


def _toml(value: Any) -> str:
    """Return a default as it would be written in TOML."""
    if isinstance(value, Enum):
        return _toml(value.value)
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, tuple | list):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_toml(item)}" for key, item in value.items()) + " }"
    return str(value)


def _type_name(annotation: Any) -> str:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return " or ".join(_toml(argument) for argument in arguments)
    if origin in (Union, UnionType):
        kept = [_type_name(argument) for argument in arguments if argument is not type(None)]
        return " or ".join(dict.fromkeys(kept))
    if origin is tuple:
        if len(arguments) == 2 and arguments[1] is Ellipsis:
            return f"list of {_type_name(arguments[0])}"
        return f"[{', '.join(_type_name(argument) for argument in arguments)}]"
    if origin is dict:
        return "table"
    if hasattr(annotation, "__metadata__"):
        return _type_name(annotation.__origin__)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return "table"
    names = {str: "string", int: "integer", float: "number", bool: "true or false", Path: "path"}
    return names.get(annotation, getattr(annotation, "__name__", str(annotation)))


def _bounds(metadata: list[Any]) -> str:
    signs = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}
    found = [
        f"{sign} {getattr(item, name):g}"
        for item in metadata
        for name, sign in signs.items()
        if getattr(item, name, None) is not None
    ]
    return f" {', '.join(found)}" if found else ""


# ------------------------------------------------------------------------------ errors


def error_classes() -> list[type[BaseException]]:
    """Return the framework's errors, in the order of the file."""
    from acoustic_sense import errors

    return [
        value
        for value in vars(errors).values()
        if isinstance(value, type) and issubclass(value, errors.AcousticSenseError)
    ]


def errors_page() -> str:
    """Return the page on every error."""
    from acoustic_sense import errors

    rows = [
        (
            f"`{kind.__name__}`",
            ", ".join(f"`{base.__name__}`" for base in kind.__bases__),
            _first_line(kind),
        )
        for kind in error_classes()
    ]
    return _join(
        [
            "# Errors",
            inspect.cleandoc(errors.__doc__ or ""),
            _table(("error", "is a", "raised when"), rows),
        ]
    )


# ------------------------------------------------------------------------------ Markdown


def _split_docstring(function: Callable[..., Any]) -> tuple[str, list[tuple[str, str]]]:
    """Return a Google-style docstring's prose, and its arguments with their texts."""
    text = inspect.cleandoc(function.__doc__ or "")
    prose, _, arguments = text.partition("\nArgs:\n")
    found = re.findall(r"^    (\w+): (.+(?:\n {8,}.+)*)", arguments, flags=re.MULTILINE)
    return prose.strip(), [(name, " ".join(meaning.split())) for name, meaning in found]


def _prose(kind: type[Any]) -> str:
    """Return the prose of a class's docstring, without its sections."""
    text = inspect.cleandoc(kind.__doc__ or "")
    return re.split(r"\n(?:Attributes|Args|Returns|Raises|Examples?|References):\n", text)[
        0
    ].strip()


def _first_line(kind: type[Any]) -> str:
    return inspect.cleandoc(kind.__doc__ or "").splitlines()[0]


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join("| " + " | ".join(_cell(cell) for cell in row) + " |" for row in lines)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _join(parts: list[str]) -> str:
    return "\n\n".join(part for part in parts if part) + "\n"
