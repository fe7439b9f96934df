"""Build the wheel, look inside, install it in a clean environment and use it there.

Run by `make wheel`. Nothing of the source tree is importable in the environment that the wheel is
installed into, so a module or a data file that the wheel lacks is found here.
"""

import subprocess
import sys
import tempfile
import venv
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = {"acoustic_sense", "acoustic_sense_plugins", "acoustic_sense_simulator"}
LARGEST_WHEEL_BYTES = 20_000_000


def build_wheel(folder: Path) -> Path:
    """Build the wheel into `folder` and return its path."""
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*command, "--wheel-dir", str(folder), str(ROOT)], check=True)
    (wheel,) = folder.glob("*.whl")
    return wheel


def check_contents(wheel: Path) -> None:
    """Fail unless the wheel holds the three packages, their type marks and nothing else."""
    names = zipfile.ZipFile(wheel).namelist()
    top_level = {name.split("/")[0] for name in names}
    packages = {name for name in top_level if not name.endswith(".dist-info")}
    if packages != PACKAGES:
        raise SystemExit(f"wheel: top-level names are {sorted(packages)}, not {sorted(PACKAGES)}")
    missing = [package for package in PACKAGES if f"{package}/py.typed" not in names]
    if missing:
        raise SystemExit(f"wheel: no py.typed in {', '.join(missing)}")
    size = wheel.stat().st_size
    if size > LARGEST_WHEEL_BYTES:
        raise SystemExit(f"wheel: {size / 1e6:.1f} MB is more than {LARGEST_WHEEL_BYTES / 1e6} MB")
    print(f"wheel: {wheel.name}, {size / 1e6:.1f} MB, {len(names)} files")


def check_installation(wheel: Path, folder: Path) -> None:
    """Install the wheel and its pinned dependencies, and run the main job from it."""
    venv.create(folder / "env", with_pip=True)
    python = folder / "env" / "bin" / "python"
    command = [str(python), "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    pins = ["--constraint", str(ROOT / "constraints.txt")]
    subprocess.run([*command, "torch", *pins], check=True)
    subprocess.run([*command, str(wheel), *pins], check=True)
    tool = str(folder / "env" / "bin" / "acoustic-sense")
    for arguments in (["--version"], ["plugins", "check"], ["demo", "--seconds", "3"]):
        subprocess.run([tool, *arguments], check=True, cwd=folder)


def main() -> None:
    """Run every check."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        wheel = build_wheel(folder)
        check_contents(wheel)
        if "--contents-only" not in sys.argv:
            check_installation(wheel, folder)
    print("wheel: ok")


if __name__ == "__main__":
    main()
