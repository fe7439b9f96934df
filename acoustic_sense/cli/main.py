"""The command `acoustic-sense`: its verbs, its exit codes and its errors.

Each verb lives in a module of `acoustic_sense.cli.commands` that imports what it needs inside the
function, so that help appears at once.

| exit code | meaning |
|---|---|
| 0 | done |
| 1 | something failed: a check, or a fault in the program |
| 2 | bad input: one line on stderr says what, where and how to mend it |
| 130 | interrupted |
"""

import sys
import traceback
from collections.abc import Sequence
from typing import Annotated, Any, Final

import typer
from typer.core import TyperGroup

from acoustic_sense.cli.commands.benchmark import benchmark_app
from acoustic_sense.cli.commands.benchmark_run import benchmark_report, benchmark_run
from acoustic_sense.cli.commands.dataset import dataset_app
from acoustic_sense.cli.commands.demo import demo
from acoustic_sense.cli.commands.evaluate import evaluate
from acoustic_sense.cli.commands.export import export
from acoustic_sense.cli.commands.plugins import plugins_app
from acoustic_sense.cli.commands.predict import predict
from acoustic_sense.cli.commands.report import report
from acoustic_sense.cli.commands.scene import scene
from acoustic_sense.cli.commands.simulate import simulate
from acoustic_sense.cli.commands.train import train
from acoustic_sense.errors import AcousticSenseError, suggestion

PROGRAM: Final = "acoustic-sense"
DEBUG_OPTION: Final = "--debug"
BAD_INPUT: Final = 2
FAILED: Final = 1
INTERRUPTED: Final = 130

# Typer's own base classes of usage errors; where they live differs between its versions.
_UsageError: Any = typer.BadParameter.__mro__[1]
_ClickException: Any = typer.BadParameter.__mro__[2]


class SuggestingGroup(TyperGroup):
    """A group of commands that answers a misspelt name with the one that was probably meant."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Return the command that `args` names, and the rest of the arguments."""
        name = args[0]
        if self.get_command(ctx, name) is None and not name.startswith("-"):
            known = self.list_commands(ctx)
            hint = suggestion(name, known) or f" commands: {', '.join(known)}"
            raise AcousticSenseError(f"no command '{ctx.command_path} {name}';{hint}")
        return super().resolve_command(ctx, args)


app = typer.Typer(
    name=PROGRAM,
    cls=SuggestingGroup,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["--help", "-h"]},
)


@app.callback(invoke_without_command=True)
def program(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
    debug: Annotated[
        bool, typer.Option(DEBUG_OPTION, help="Show the traceback of an error; works anywhere.")
    ] = False,
) -> None:
    """Sense people with the sound that is already playing in a room."""
    if version:
        from acoustic_sense import __version__

        typer.echo(f"{PROGRAM} {__version__}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        typer.echo(context.get_help(), nl=False)


app.command("demo")(demo)
app.command("simulate")(simulate)
app.command("scene")(scene)
app.add_typer(dataset_app, name="dataset", cls=SuggestingGroup)
app.command("train")(train)
app.command("evaluate")(evaluate)
app.command("predict")(predict)
app.command("export")(export)
app.command("report")(report)
benchmark_app.command("run")(benchmark_run)
benchmark_app.command("report")(benchmark_report)
app.add_typer(benchmark_app, name="benchmark", cls=SuggestingGroup)
app.add_typer(plugins_app, name="plugins", cls=SuggestingGroup)


def run(arguments: Sequence[str]) -> int:
    """Run the command line and return its exit code.

    Args:
        arguments: What follows the program's name.
    """
    debug = DEBUG_OPTION in arguments
    rest = [argument for argument in arguments if argument != DEBUG_OPTION]
    try:
        command = typer.main.get_command(app)
        result = command.main(args=rest, prog_name=PROGRAM, standalone_mode=False)
    except (KeyboardInterrupt, typer.Abort):
        return _fail("interrupted", INTERRUPTED)
    except Exception as error:
        if debug:
            traceback.print_exc()
        return _explain(error)
    if result == INTERRUPTED:
        return _fail("interrupted", INTERRUPTED)
    return result if isinstance(result, int) else 0


def _explain(error: Exception) -> int:
    """Print an exception as one line and return the exit code for it."""
    if isinstance(error, AcousticSenseError):
        return _fail(f"error: {error}", BAD_INPUT)
    if isinstance(error, _ClickException):
        message = error.format_message().strip().rstrip(".")
        context = getattr(error, "ctx", None)
        where = f"; see '{context.command_path} --help'" if context is not None else ""
        return _fail(f"error: {message[:1].lower()}{message[1:]}{where}", BAD_INPUT)
    if isinstance(error, OSError) and error.filename is not None:
        return _fail(f"error: {error.filename}: {error.strerror}", BAD_INPUT)
    kind = type(error).__name__
    text = f"{kind}: {error}" if str(error) else kind
    return _fail(f"error: unexpected {text}; run again with {DEBUG_OPTION} for details", FAILED)


def _fail(message: str, code: int) -> int:
    print(" ".join(message.split()), file=sys.stderr)  # noqa: T201
    return code


def main() -> None:
    """Entry point of the program `acoustic-sense`."""
    sys.exit(run(sys.argv[1:]))
