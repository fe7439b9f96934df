"""What the wheel holds. `make wheel` also installs it in a clean environment and uses it."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_wheel_has_the_three_packages_and_nothing_else_at_top_level() -> None:
    result = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "check_wheel.py"), "--contents-only"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert "wheel: ok" in result.stdout
