"""Generation at scale: the same bytes however they are made, kills survived, and what it costs.

    python benchmarks/generation.py             # bytes and kills: a few minutes
    python benchmarks/generation.py --memory    # memory of a worker against the length of a take
    python benchmarks/generation.py --hour      # an hour of data like AMPL's on two workers

Each writes a file of its own into `benchmarks/results`, and the first exits with 1 if a run gives
other bytes, loses a take or leaves anything behind. Runs are those of the command line, in
processes of their own. Needs Linux.
"""

import argparse
import hashlib
import json
import os
import random
import signal
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import Any

import tomli_w
from provenance import provenance
from supervised_run import Outcome, Run

from acoustic_sense.config import config_hash, load_config
from acoustic_sense.contracts.simulator import load_simulator
from acoustic_sense.datasets import open_dataset, validate

HERE = Path(__file__).parent
RESULTS = HERE / "results"
KILLED = HERE / "configs" / "killed.toml"
HOUR = HERE / "configs" / "ampl-like-hour.toml"
TAKES = 12
KILLS = 10
SEED = 3
FIRST_MOMENT_S = 0.3
LENGTHS_S = (60, 100, 300)


def file_hashes(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of every file of a folder by its relative path."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def digest(hashes: dict[str, str]) -> str:
    """Return one digest of all files: the SHA-256 of the list of names and hashes."""
    text = "".join(f"{value}  {name}\n" for name, value in sorted(hashes.items()))
    return hashlib.sha256(text.encode()).hexdigest()


def size_bytes(folder: Path) -> int:
    """Return the bytes of all files of a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


# ----------------------------------------------------------------------------------- the same bytes


def same_bytes(folder: Path) -> dict[str, Any]:
    """Make one dataset by one worker, by two, and by a Dask cluster of two."""
    made: dict[str, Any] = {}
    for name, options in (("1 worker", ("--workers", "1")), ("2 workers", ("--workers", "2"))):
        out = folder / name.replace(" ", "-")
        outcome = Run(KILLED, out, folder / "temporary", options).finish()
        made[name] = made_as(out, outcome)
    out = folder / "dask"
    made["Dask, 2 workers"] = made_as(out, dask_run(out, folder))
    hashes = file_hashes(folder / "1-worker")
    return {
        "runs": made,
        "files": len(hashes),
        "identical": len({run["digest"] for run in made.values()}) == 1,
        "problems": [each.message for each in validate(open_dataset(folder / "1-worker"))],
        "left_in_temporary_folder": leftovers(folder / "temporary"),
        "sha256": hashes,
    }


def dask_run(out: Path, folder: Path) -> Outcome:
    """Make the dataset on a local Dask cluster of two worker processes."""
    from distributed import LocalCluster

    with LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        processes=True,
        dashboard_address=None,
        local_directory=str(folder / "dask-local"),
    ) as cluster:
        options = ("--scheduler", cluster.scheduler_address)
        return Run(KILLED, out, folder / "temporary", options).finish()


def made_as(out: Path, outcome: Outcome) -> dict[str, Any]:
    """Return what a run that was left alone made, and how."""
    assert outcome.status == 0, "a run that nobody killed has failed"
    return {
        "digest": digest(file_hashes(out)),
        "wall_s": outcome.wall_s,
        "first_file_s": outcome.first_file_s,
    }


# -------------------------------------------------------------------------------------------- kills


def killed(folder: Path, expected: dict[str, str], whole: dict[str, Any]) -> dict[str, Any]:
    """Kill runs at random moments until ten have died, each going on where the last one stopped.

    Moments lie between 0.3 s and the length of a run. Every other one lies between the first file
    that the run makes and its expected end, so that not all fall into its start. A run that ends
    before its moment has completed its dataset; the next one begins another.

    Args:
        folder: Where to work.
        expected: Hashes of the files of a run that nobody killed.
        whole: Length of such a run on two workers, and when its first file came.
    """
    draw = random.Random(SEED)
    kills: list[dict[str, Any]] = []
    completed, wrong, lost, stray = 0, 0, 0, []
    out = folder / "killed-1"
    while len(kills) < KILLS:
        before = whole_takes(out)
        at_work, group = len(kills) % 2 == 1, draw.random() < 0.5
        delay_s = draw.uniform(FIRST_MOMENT_S, whole["wall_s"])
        if at_work:
            missing = 1.0 - len(before) / TAKES
            delay_s = draw.uniform(0.0, missing * (whole["wall_s"] - whole["first_file_s"]))
        run = Run(KILLED, out, folder / "temporary", ("--workers", "2"))
        outcome = run.kill_after(delay_s, group=group, at_work=at_work)
        lost += len(before - whole_takes(out))
        wrong += wrong_files(out, expected)
        if outcome.status == 0:
            completed += 1
            wrong += file_hashes(out) != expected
            stray += strays(out)
            out = folder / f"killed-{completed + 1}"
            continue
        kills.append(
            {
                "after_s": delay_s,
                "counted_from": "its first file" if at_work else "its start",
                "killed": "all processes" if group else "the parent",
                "status": outcome.status,
                "takes_whole": len(whole_takes(out)),
                "takes_half_written": len(list(out.glob("takes/.partial-*"))),
                "orphans": len(outcome.orphans),
                "objects_in_shared_memory": len(outcome.shared_memory),
            }
        )
    end = Run(KILLED, out, folder / "temporary", ("--workers", "2")).finish()
    stray += strays(out)
    return {
        "kills": kills,
        "kills_between_first_and_last_take": sum(0 < each["takes_whole"] < TAKES for each in kills),
        "datasets_completed": completed + (end.status == 0),
        "whole_takes_lost": lost,
        "files_with_other_bytes": wrong,
        "final_digest": digest(file_hashes(out)),
        "final_identical": end.status == 0 and file_hashes(out) == expected,
        "stray_files": stray,
        "left_in_temporary_folder": leftovers(folder / "temporary"),
        "orphans": sum(each["orphans"] for each in kills),
        "objects_in_shared_memory": sum(each["objects_in_shared_memory"] for each in kills),
    }


def whole_takes(out: Path) -> set[str]:
    """Return the takes that are complete."""
    return {path.name for path in out.glob("takes/*") if not path.name.startswith(".")}


def wrong_files(out: Path, expected: dict[str, str]) -> int:
    """Return how many files of complete takes have other bytes than they should, or lack."""
    found = file_hashes(out / "takes") if (out / "takes").is_dir() else {}
    takes = whole_takes(out)
    wanted = {
        name.removeprefix("takes/"): value
        for name, value in expected.items()
        if name.startswith("takes/") and name.split("/")[1] in takes
    }
    return sum(found.get(name) != value for name, value in wanted.items())


def strays(out: Path) -> list[str]:
    """Return what lies in a complete dataset and does not belong there."""
    return [str(path.relative_to(out)) for path in out.rglob("*") if path.name.startswith(".")]


def leftovers(folder: Path) -> list[str]:
    """Return what runs have left in their temporary folder."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


# --------------------------------------------------------------------------------------------- cost


def cost(config: Path, folder: Path, workers: int) -> dict[str, Any]:
    """Return what a dataset costs: time, size, memory."""
    settings = load_config(load_simulator().GenerationConfig, config)
    outcome = Run(
        config, folder / "data", folder / "temporary", ("--workers", f"{workers}")
    ).finish()
    if outcome.status != 0:
        sys.exit(f"the run has failed with status {outcome.status}")
    dataset = open_dataset(folder / "data")
    seconds = sum(info.seconds for info in dataset.takes)
    return {
        "takes": len(dataset.takes),
        "audio_s": seconds,
        "workers": workers,
        "wall_s": outcome.wall_s,
        "cpu_s": outcome.cpu_s,
        "audio_s_per_wall_s": seconds / outcome.wall_s,
        "audio_s_per_cpu_s": seconds / outcome.cpu_s,
        "bytes": size_bytes(dataset.path),
        "bytes_per_audio_s": size_bytes(dataset.path) / seconds,
        "peak_bytes_of_a_worker": outcome.worker_peak_bytes,
        "left_in_temporary_folder": leftovers(folder / "temporary"),
        "config": config.name,
        "config_hash": config_hash(settings),
    }


def hour(folder: Path) -> dict[str, Any]:
    """Return the cost of an hour of data like AMPL's, and what validation says of it."""
    made = cost(HOUR, folder, workers=2)
    return made | {"problems": [each.message for each in validate(open_dataset(folder / "data"))]}


def memory(folder: Path) -> dict[str, Any]:
    """Return the cost of single takes of growing length, one worker."""
    settings = tomllib.loads(HOUR.read_text())
    settings |= {"subjects": {"count": 1}, "tracks": settings["tracks"][-1:]}
    takes = []
    for seconds in LENGTHS_S:
        place = folder / f"{seconds}-s"
        place.mkdir()
        (place / "take.toml").write_text(tomli_w.dumps(settings | {"seconds": seconds}))
        takes.append(cost(place / "take.toml", place, workers=1))
    grown = takes[-1]["peak_bytes_of_a_worker"] - takes[0]["peak_bytes_of_a_worker"]
    return {
        "takes": takes,
        "peak_bytes_per_audio_s": grown / (takes[-1]["audio_s"] - takes[0]["audio_s"]),
    }


# ------------------------------------------------------------------------------------------- result


def surroundings() -> dict[str, Any]:
    """Return what the figures depend on: code, libraries, machine and its load."""
    libraries = ("numpy", "scipy", "numba", "pyroomacoustics", "soundfile", "distributed")
    return {**provenance(*libraries), "load_average": os.getloadavg()[0]}


def robustness(folder: Path) -> dict[str, Any]:
    """Return the figures on bytes and kills."""
    Run(KILLED, folder / "warm", folder / "temporary", ("--workers", "1")).finish()  # compiles
    bytes_made = same_bytes(folder)
    whole = bytes_made["runs"]["2 workers"]
    return {"same_bytes": bytes_made, "killed": killed(folder, bytes_made["sha256"], whole)}


def sound(result: dict[str, Any]) -> bool:
    """Return whether all is as it has to be."""
    made, ended = result["same_bytes"], result["killed"]
    return bool(
        made["identical"]
        and ended["final_identical"]
        and ended["kills_between_first_and_last_take"]
        and all(each["status"] == -signal.SIGKILL for each in ended["kills"])
        and ended["final_digest"] == made["runs"]["1 worker"]["digest"]
        and not any(
            (
                *(made["problems"], made["left_in_temporary_folder"]),
                *(ended["whole_takes_lost"], ended["files_with_other_bytes"]),
                *(ended["stray_files"], ended["left_in_temporary_folder"]),
                *(ended["orphans"], ended["objects_in_shared_memory"]),
            )
        )
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--hour", action="store_true", help="make an hour of data like AMPL's")
    parser.add_argument("--memory", action="store_true", help="make takes of growing length")
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder of the result")
    arguments = parser.parse_args()
    name, measure = "generation", robustness
    if arguments.hour:
        name, measure = "generation-hour", hour
    elif arguments.memory:
        name, measure = "generation-memory", memory
    before = surroundings()
    with tempfile.TemporaryDirectory(prefix="acoustic-sense-benchmark-") as folder:
        result = {"benchmark": name} | measure(Path(folder)) | {"provenance": before}
    arguments.out.mkdir(parents=True, exist_ok=True)
    text = json.dumps(result, indent=1)
    (arguments.out / f"{name}.json").write_text(text + "\n", encoding="utf-8")
    print(text)
    if measure is robustness and not sound(result):
        sys.exit("error: bytes differ, takes are lost, or something is left behind; see above")


if __name__ == "__main__":
    main()
