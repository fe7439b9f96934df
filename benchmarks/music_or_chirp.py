"""Music or chirp: the same people, motions and rooms sensed with either, equally loud in dB(A).

    python benchmarks/music_or_chirp.py data --out data/music-or-chirp  # test takes: six minutes
    python benchmarks/music_or_chirp.py sound                           # the body beside the noise
    python benchmarks/music_or_chirp.py page                            # tables and pictures

`data` makes what `benchmarks/ampl_sim/music-or-chirp.toml` tests on, `sound` writes
`benchmarks/results/music-or-chirp-sound.json`, and `page` fills
`docs/explanation/music-or-chirp.md` from that and from the cells in
`benchmarks/results/music-or-chirp`. The conditions are in `benchmarks/configs/music-or-chirp.toml`.
"""

import argparse
import time
from pathlib import Path

from music_or_chirp_scenes import read_study, write_test_sets


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


if __name__ == "__main__":
    main()
