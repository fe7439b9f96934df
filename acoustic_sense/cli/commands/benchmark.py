"""`acoustic-sense benchmark`: the comparison of methods; here the datasets it runs on."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from acoustic_sense.datasets.manifest import ManifestDifferences

benchmark_app = typer.Typer(help="The comparison of methods: its data, its runs, its tables.")


@benchmark_app.callback(invoke_without_command=True)
def benchmark(context: typer.Context) -> None:
    """The comparison of methods: its data, its runs, its tables."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help(), nl=False)


@benchmark_app.command("data")
def data(
    size: Annotated[
        str,
        typer.Argument(metavar="SIZE", help="tiny (24 s), mini (36 min) or full (4.2 h)."),
    ],
    out: Annotated[
        Path,
        typer.Option(metavar="DIR", help="Folder to make; an interrupted one is resumed."),
    ],
    variant: Annotated[
        str,
        typer.Option(metavar="NAME", help="What is played: generated, real or tsp."),
    ] = "generated",
    condition: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="What is otherwise: noise, plain-clothes, off-axis or cross-room; nothing if "
            "left out.",
        ),
    ] = "",
    workers: Annotated[int, typer.Option(min=1, help="Processes on this machine.")] = 1,
) -> None:
    """Make a dataset of the benchmark AMPL-Sim-v1, or resume one that was interrupted.

    Takes of the same name are the same scenes, person, motion and room, whatever is played. The
    SHA-256 of every file is written to manifest.sha256 and compared with the published sums where
    there are any: files that are missing or too many end it with exit code 1, other bytes are
    told, since another processor already changes the last bits.
    """
    from acoustic_sense.cli.outputs import resumable_folder
    from acoustic_sense.cli.simulation_progress import progress_bar, progress_lines
    from acoustic_sense.cli.terminal import on_terminal, progress_line, say
    from acoustic_sense.contracts.simulator import load_simulator
    from acoustic_sense.datasets.manifest import compare_manifests, parse_manifest, write_manifest

    simulator = load_simulator()
    name, settings = simulator.benchmark_dataset(size, variant, condition)
    with resumable_folder(out, begun="takes/*/take.json"), on_terminal(progress_bar) as show:
        folder = simulator.generate(
            settings, out, workers=workers, on_progress=show or progress_lines(progress_line)
        )
    sums = write_manifest(folder)
    published = simulator.benchmark_manifest(name)
    if published is None:
        say(f"{folder}: {name}, {len(sums)} files; no sums are published to compare them with")
        return
    differences = compare_manifests(parse_manifest(published, name), sums)
    say(f"{folder}: {name}, {len(sums)} files; {_verdict(differences)}")
    if differences.missing or differences.added:
        raise typer.Exit(1)


def _verdict(differences: "ManifestDifferences") -> str:
    """Return in words how the files compare with the published ones."""
    if not differences:
        return "all as published"
    counts = {
        "with other bytes than published (another processor or library rounds otherwise)": (
            differences.changed
        ),
        "missing": differences.missing,
        "too many": differences.added,
    }
    return ", ".join(f"{len(names)} {what}" for what, names in counts.items() if names)
