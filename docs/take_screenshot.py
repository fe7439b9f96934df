"""Take the README's picture of a report with a headless Chromium.

    python docs/take_screenshot.py acoustic-sense-demo/report.html

writes docs/images/report.png: the upper part of the page as a reader first sees it, light theme.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

PICTURE = Path(__file__).parent / "images" / "report.png"
SIZE = "1180,1290"


def take(report: Path) -> None:
    """Write the picture of a report's page."""
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        raise SystemExit("no Chromium found; install it, e.g. apt-get install chromium")
    PICTURE.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as profile:
        command = [browser, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run"]
        command += ["--disable-background-networking", "--disable-component-update"]
        command += ["--disable-sync", "--hide-scrollbars", "--virtual-time-budget=3000"]
        command += ["--blink-settings=preferredColorScheme=1", f"--user-data-dir={profile}"]
        command += [f"--window-size={SIZE}", f"--screenshot={PICTURE}", report.resolve().as_uri()]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


if __name__ == "__main__":
    take(Path(sys.argv[1]))
