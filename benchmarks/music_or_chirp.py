"""Music or chirp: the same people, motions and rooms sensed with either, equally loud in dB(A).

    python benchmarks/music_or_chirp.py data --out data/music-or-chirp  # test takes: six minutes
    python benchmarks/music_or_chirp.py sound                           # the body beside the noise
    python benchmarks/music_or_chirp.py page                            # tables and pictures

`data` makes what `benchmarks/ampl_sim/music-or-chirp.toml` tests on, `sound` writes
`benchmarks/results/music-or-chirp-sound.json`, and `page` fills
`docs/explanation/music-or-chirp.md` from that and from the cells in
`benchmarks/results/music-or-chirp`. The conditions are in
`benchmarks/music-or-chirp-conditions.toml`.
"""

import argparse
import json
import time
from pathlib import Path
from typing import Any

from music_or_chirp_page import filled, read_cells
from music_or_chirp_scenes import read_study, write_test_sets
from music_or_chirp_sound import measured

ROOT = Path(__file__).parents[1]
SOUND = ROOT / "benchmarks" / "results" / "music-or-chirp-sound.json"
CELLS = ROOT / "benchmarks" / "results" / "music-or-chirp"
IMAGES = ROOT / "docs" / "images"
PAGE = ROOT / "docs" / "explanation" / "music-or-chirp.md"


def read_sound() -> dict[str, Any]:
    """Return what `sound` measured."""
    found: dict[str, Any] = json.loads(SOUND.read_text(encoding="utf-8"))
    return found


def filled_page(page: str) -> str:
    """Return the page with the tables of the results that there are."""
    return filled(page, read_study(), read_sound(), read_cells(CELLS))


def write_page() -> None:
    """Write tables and pictures."""
    from music_or_chirp_pictures import write_pictures  # needs matplotlib

    PAGE.write_text(filled_page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    write_pictures(IMAGES, read_study(), read_sound(), read_cells(CELLS))


def main() -> None:
    """Do what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    data = commands.add_parser("data", help="make the test takes")
    data.add_argument("--out", type=Path, required=True, help="where their folders lie")
    data.add_argument("--only", default="", help="part of the names of those to make")
    commands.add_parser("sound", help="measure the body's sound beside the noise")
    commands.add_parser("page", help="write tables and pictures")
    chosen = parser.parse_args()
    if chosen.command == "data":
        started = time.monotonic()
        for folder in write_test_sets(read_study(), chosen.out, chosen.only):
            print(f"{folder} ({time.monotonic() - started:.0f} s)", flush=True)
    elif chosen.command == "sound":
        SOUND.write_text(json.dumps(measured(read_study()), indent=1) + "\n", encoding="utf-8")
    else:
        write_page()


if __name__ == "__main__":
    main()
