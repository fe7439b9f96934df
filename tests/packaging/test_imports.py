"""Importing the light parts of the core brings no heavy library along."""

import subprocess
import sys

import pytest

HEAVY = ("torch", "lightning", "librosa", "scipy", "numba", "pyroomacoustics", "plotly")


@pytest.mark.parametrize(
    "module",
    [
        "acoustic_sense",
        "acoustic_sense.hookspecs",
        "acoustic_sense.plugin_loading",
        "acoustic_sense.cli.main",
        "acoustic_sense.types",
        "acoustic_sense_plugins.bgm2pose",
        "acoustic_sense_plugins.impulse_response",
        "acoustic_sense_plugins.listen",
        "acoustic_sense_plugins.mel_stack",
        "acoustic_sense_plugins.music",
        "acoustic_sense_plugins.oumi2024",
        "acoustic_sense_plugins.pose",
        "acoustic_sense_plugins.shibata2023",
        "acoustic_sense_plugins.speech2gesture",
        "acoustic_sense_plugins.test_signals",
        "acoustic_sense_plugins.wipose",
        "acoustic_sense_simulator.service",
    ],
)
def test_import_leaves_heavy_libraries_alone(module: str) -> None:
    code = f"import sys, {module}; print([m for m in {HEAVY!r} if m in sys.modules])"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "[]"
