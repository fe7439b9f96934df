"""The command `plugins`: what it lists, shows, checks, and starts."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from acoustic_sense import load_plugins
from acoustic_sense.cli.commands.plugins import type_name
from acoustic_sense.cli.main import run
from acoustic_sense.cli.plugin_project import KINDS, write_project
from acoustic_sense.errors import AcousticSenseError
from acoustic_sense.plugin_loading import DISABLED_VARIABLE

ROOT = Path(__file__).parents[2]


def outcome(capsys, *arguments):
    """Run the program; return its exit code, standard output and standard error."""
    capsys.readouterr()
    code = run([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


@pytest.mark.parametrize("words", [["plugins"], ["plugins", "list"]], ids=" ".join)
def test_lists_name_kind_plugin_distribution_version_and_status(capsys, words):
    code, out, err = outcome(capsys, *words)
    assert (code, err) == (0, "")
    rows = [line.split() for line in out.splitlines()]
    assert rows[0] == ["name", "kind", "plugin", "distribution", "version", "status"]
    for registration in load_plugins().registrations:
        kind = registration.kind.removesuffix("s").split("_")
        version = registration.version
        row = [registration.name, *kind, registration.plugin, "acoustic-sense", version, "ok"]
        assert row in rows


def test_lists_as_json(capsys):
    code, out, _ = outcome(capsys, "plugins", "--json")
    assert code == 0
    plugins = {plugin["name"]: plugin for plugin in json.loads(out)}
    assert {"name": "mel-stack", "kind": "feature"} in plugins["mel_stack"]["components"]
    assert {plugin["status"] for plugin in plugins.values()} == {"ok"}


def test_lists_what_is_disabled_and_notes_a_name_that_is_not_there(capsys, monkeypatch):
    monkeypatch.setenv(DISABLED_VARIABLE, "mel_stack,poze")
    code, out, err = outcome(capsys, "plugins")
    assert code == 0
    assert ["-", "-", "mel_stack", "acoustic-sense"] in [
        row.split()[:4] for row in out.splitlines()
    ]
    assert "disabled" in out
    assert (
        err
        == f"note: {DISABLED_VARIABLE} names 'poze', which is not installed; did you mean 'pose'?\n"
    )


def test_shows_description_and_every_setting(capsys):
    for registration in load_plugins().registrations:
        code, out, _ = outcome(capsys, "plugins", "show", registration.name)
        assert code == 0
        summary = (registration.component.__doc__ or "").strip().splitlines()[0]
        assert summary in out
        for name, info in registration.component.Config.model_fields.items():
            rows = [line for line in out.splitlines() if line.split()[:1] == [name]]
            assert rows, name
            assert type_name(info.annotation) in " ".join(out.split())


def test_shows_the_settings_as_json_schema(capsys):
    for registration in load_plugins().registrations:
        code, out, _ = outcome(capsys, "plugins", "show", registration.name, "--json")
        assert code == 0
        assert json.loads(out) == registration.component.Config.model_json_schema()


def test_shows_a_plugin_with_all_its_components(capsys):
    code, out, _ = outcome(capsys, "plugins", "show", "mel_stack")
    assert code == 0
    assert out.splitlines()[0].startswith("plugin mel_stack: acoustic-sense ")
    assert "feature mel-stack" in out
    assert "feature log-mel" in out


@pytest.mark.parametrize("verb", ["show", "check"])
def test_an_unknown_name_is_one_line_with_a_suggestion(capsys, verb):
    code, out, err = outcome(capsys, "plugins", verb, "mel-stak")
    assert (code, out) == (2, "")
    assert err == "error: unknown plugin or component 'mel-stak'; did you mean 'mel-stack'?\n"


def test_checks_a_component_a_plugin_and_skips_what_needs_settings(capsys):
    code, out, _ = outcome(capsys, "plugins", "check", "log-mel")
    assert (code, out) == (0, "ok       feature log-mel (acoustic-sense)\n")
    code, out, _ = outcome(capsys, "plugins", "check", "pose")
    assert (code, out) == (0, "ok       task pose (acoustic-sense)\n")
    assert outcome(capsys, "plugins", "check", "test_signals")[1].count("ok       signal") >= 3


def test_checks_with_settings_from_a_file(capsys, tmp_path):
    (tmp_path / "a.toml").write_text("level = 2\n")
    code, _, err = outcome(capsys, "plugins", "check", "pose", "--config", tmp_path / "a.toml")
    assert code == 2
    assert err.startswith(f"error: {tmp_path}/a.toml: unknown key 'level'; known keys: ")
    (tmp_path / "a.toml").write_text("smoothness_weight = 5.0\n")
    code, out, _ = outcome(capsys, "plugins", "check", "pose", "--config", tmp_path / "a.toml")
    assert (code, out) == (0, "ok       task pose (acoustic-sense)\n")
    code, _, err = outcome(capsys, "plugins", "check", "--config", tmp_path / "a.toml")
    assert code == 2
    assert err == "error: --config needs the name of one component; name it before the option\n"


def test_a_failing_check_says_why_and_exits_with_1(capsys, monkeypatch):
    component = load_plugins().features["log-mel"]
    monkeypatch.setattr(component, "channel_names", ("twice", "twice"))
    code, out, _ = outcome(capsys, "plugins", "check", "log-mel")
    assert code == 1
    assert out.startswith("failed   feature log-mel (acoustic-sense): ")
    assert "channel_names" in out or "shape" in out


@pytest.mark.parametrize(
    ("annotation", "text"),
    [
        (int, "int"),
        (tuple[float, ...], "tuple[float, ...]"),
        (str | None, "str | None"),
        (Path, "Path"),
    ],
)
def test_types_are_shown_as_python_writes_them(annotation, text):
    assert type_name(annotation) == text


# ------------------------------------------------------------------------------- plugins new


def python(*arguments, **environment):
    """Run a Python module in a process of its own and return what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", *map(str, arguments)],
        env={"PATH": "", "OMP_NUM_THREADS": "1", **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout + done.stderr


def test_new_projects_of_every_kind_keep_their_contracts(capsys, tmp_path):
    folders = []
    for kind in KINDS:
        arguments = ("new", f"my-{kind}", "--kind", kind, "--out", tmp_path)
        code, out, _ = outcome(capsys, "plugins", *arguments)
        assert code == 0
        folders.append(tmp_path / f"acoustic-sense-my-{kind}")
        assert f"pip install -e {folders[-1]}" in out
        assert f"acoustic-sense plugins check my-{kind}" in out
    options = ("-q", "-k", "contract", "-p", "no:cacheprovider", "--rootdir", tmp_path)
    path = ":".join(str(folder) for folder in folders)
    assert "5 passed" in python("pytest", *options, *folders, PYTHONPATH=path)
    config = ("--no-cache", "--config", ROOT / "pyproject.toml")
    # The order of imports and the docstrings of tests are a matter of each project's own rules.
    assert "All checks passed" in python("ruff", "check", "--ignore", "D,I", *config, tmp_path)
    assert "already formatted" in python("ruff", "format", "--check", *config, tmp_path)


def test_a_new_project_is_the_same_every_time(tmp_path):
    folders = [write_project("made-up", "feature", tmp_path / out) for out in ("a", "b")]
    files = [sorted(path for path in folder.rglob("*") if path.is_file()) for folder in folders]
    assert len(files[0]) == len(files[1]) == 6
    for first, second in zip(*files, strict=True):
        assert first.name == second.name
        assert first.read_bytes() == second.read_bytes()


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("Zero Crossings", "did you mean 'zero-crossings'?"),
        ("zero_crossings", "did you mean 'zero-crossings'?"),
        ("../evil", "did you mean 'evil'?"),
        ("3d", "did you mean 'd'?"),
        ("", "use lower-case"),
        ("class", "is taken"),
        ("torch", "is taken"),
        ("ünïcode", "did you mean 'n-code'?"),
    ],
)
def test_a_new_project_refuses_a_name_that_cannot_be_one(tmp_path, name, hint):
    with pytest.raises(AcousticSenseError, match=re.escape(hint)):
        write_project(name, "feature", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_new_project_does_not_overwrite(capsys, tmp_path):
    folder = write_project("made-up", "feature", tmp_path)
    (folder / "README.md").write_text("mine")
    code, _, err = outcome(capsys, "plugins", "new", "made-up", "--out", tmp_path)
    assert code == 2
    assert err == f"error: {folder}: exists already; remove it or choose another name\n"
    assert (folder / "README.md").read_text() == "mine"


def test_a_new_project_refuses_a_name_that_is_registered(capsys, tmp_path):
    code, _, err = outcome(capsys, "plugins", "new", "mel-stack", "--out", tmp_path)
    assert code == 2
    assert err == (
        "error: 'mel-stack' is registered already, by plugin 'mel_stack' (acoustic-sense); "
        "choose another name\n"
    )


def test_a_new_project_refuses_an_unknown_kind(capsys, tmp_path):
    code, _, err = outcome(
        capsys, "plugins", "new", "made-up", "--kind", "featur", "--out", tmp_path
    )
    assert (code, err) == (2, "error: unknown kind 'featur'; did you mean 'feature'?\n")
    assert list(tmp_path.iterdir()) == []
