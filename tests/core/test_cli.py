"""The command line: help at once, one line for an error, and the right exit code."""

import subprocess
import sys
import time
from pathlib import Path

import pytest
import typer

from acoustic_sense import __version__
from acoustic_sense.cli import main as cli
from acoustic_sense.cli.main import app, run
from acoustic_sense.errors import ConfigError


def all_commands(command=None, words=()):
    """Yield the words of every command and group."""
    command = command or typer.main.get_command(app)
    yield words
    for name, child in getattr(command, "commands", {}).items():
        yield from all_commands(child, (*words, name))


COMMANDS = sorted(all_commands())
PROGRAM = [sys.executable, "-m", "acoustic_sense.cli"]


def program(*arguments, **options):
    """Run the program in a process of its own."""
    return subprocess.run(
        [*PROGRAM, *arguments], capture_output=True, text=True, timeout=120, check=False, **options
    )


HEAVY = ["torch", "numpy", "scipy", "librosa", "lightning", "soundfile", "numba", "plotly"]
HELP_SCRIPT = f"""
import sys
from acoustic_sense.cli.main import run
code = run(sys.argv[1:])
print("imported:", *[name for name in {HEAVY} if name in sys.modules])
raise SystemExit(code)
"""


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_help_imports_nothing_heavy(words):
    done = subprocess.run(
        [sys.executable, "-c", HELP_SCRIPT, *words, "--help"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "Usage: acoustic-sense" in done.stdout
    assert done.stdout.splitlines()[-1] == "imported:"


@pytest.mark.parametrize("words", [(), ("predict",), ("plugins", "new")], ids=" ".join)
def test_help_appears_in_half_a_second(words):
    def seconds():
        start = time.perf_counter()
        program(*words, "--help")
        return time.perf_counter() - start

    # Any of ten: what the program costs, not what else the machine is doing.
    assert any(seconds() < 0.5 for _ in range(10))


def test_every_command_has_help(capsys):
    for words in COMMANDS:
        assert run([*words, "--help"]) == 0
        assert len(capsys.readouterr().out.splitlines()) > 5


def test_no_command_prints_help(capsys):
    assert run([]) == 0
    assert "simulate" in capsys.readouterr().out


def test_version(capsys):
    assert run(["--version"]) == 0
    assert capsys.readouterr().out == f"acoustic-sense {__version__}\n"


def error_line(capsys):
    """Return what went to standard error; there must be one line, and nothing on stdout."""
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.endswith("\n")
    assert captured.err.count("\n") == 1, captured.err
    return captured.err.strip()


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["pluggins"], "error: no command 'acoustic-sense pluggins'; did you mean 'plugins'?"),
        (
            ["dataset", "inf"],
            "error: no command 'acoustic-sense dataset inf'; did you mean 'info'?",
        ),
        (
            ["predict"],
            "error: missing argument 'RECORDING'; see 'acoustic-sense predict --help'",
        ),
        (
            ["simulate", "a.toml", "--out", "x", "--workers", "two"],
            "error: invalid value for '--workers': 'two' is not a valid int range; "
            "see 'acoustic-sense simulate --help'",
        ),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_a_misuse_is_one_line_and_exit_code_2(capsys, arguments, line):
    assert run(arguments) == 2
    found = error_line(capsys)
    if "--workers" in arguments:  # the library words this one
        assert found.startswith("error: invalid value for '--workers'")
        assert found.endswith("see 'acoustic-sense simulate --help'")
    else:
        assert found == line


def test_an_unknown_option_is_one_line_and_exit_code_2(capsys):
    assert run(["plugins", "--jsn"]) == 2
    assert error_line(capsys).startswith("error: no such option: --jsn")


def test_an_unknown_command_without_a_close_one_lists_them(capsys):
    assert run(["xyzzy"]) == 2
    line = error_line(capsys)
    assert line.startswith("error: no command 'acoustic-sense xyzzy'; commands: demo, simulate,")


@pytest.fixture
def failing(monkeypatch):
    """Return a function that makes `dataset info` raise."""

    def install(error):
        def raising(path, **options):
            raise error

        monkeypatch.setattr("acoustic_sense.datasets.open_dataset", raising)

    return install


def test_bad_input_is_one_line_even_when_its_message_is_not(capsys, failing):
    failing(ConfigError("a.toml: wrong\nin two lines"))
    assert run(["dataset", "info", "x"]) == 2
    assert error_line(capsys) == "error: a.toml: wrong in two lines"


def test_a_fault_is_one_line_with_advice_and_exit_code_1(capsys, failing):
    failing(ZeroDivisionError("by zero"))
    assert run(["dataset", "info", "x"]) == 1
    assert error_line(capsys) == (
        "error: unexpected ZeroDivisionError: by zero; run again with --debug for details"
    )


@pytest.mark.parametrize("position", [0, 1, 3])
def test_debug_shows_the_traceback_wherever_it_stands(capsys, failing, position):
    failing(ZeroDivisionError("by zero"))
    arguments = ["dataset", "info", "x"]
    arguments.insert(position, "--debug")
    assert run(arguments) == 1
    captured = capsys.readouterr()
    assert "Traceback (most recent call last)" in captured.err
    assert captured.err.splitlines()[-1].startswith("error: unexpected ZeroDivisionError")


def test_a_missing_permission_is_bad_input(capsys, failing):
    failing(PermissionError(13, "Permission denied", "/secret/file"))
    assert run(["dataset", "info", "x"]) == 2
    assert error_line(capsys) == "error: /secret/file: Permission denied"


def test_an_interrupt_is_exit_code_130(capsys, failing):
    failing(KeyboardInterrupt())
    assert run(["dataset", "info", "x"]) == 130
    assert error_line(capsys) == "interrupted"


def test_the_program_hands_the_exit_code_to_the_shell(tmp_path):
    missing = program("dataset", "info", str(tmp_path / "nothing"))
    assert missing.returncode == 2
    assert missing.stdout == ""
    assert (
        missing.stderr
        == f"error: {tmp_path}/nothing: no such folder; give the folder of a dataset\n"
    )
    assert program("--version").returncode == 0


def test_the_installed_script_is_the_program():
    script = Path(sys.executable).parent / "acoustic-sense"
    done = subprocess.run([script, "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"acoustic-sense {__version__}\n"


def test_exit_codes_are_those_of_the_manual():
    assert (cli.BAD_INPUT, cli.FAILED, cli.INTERRUPTED) == (2, 1, 130)
