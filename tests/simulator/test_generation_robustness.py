"""Dataset generation under SIGKILL and on a Dask cluster: the same bytes."""

import hashlib
import os
import random
import shutil
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from acoustic_sense_simulator.generation import generate
from acoustic_sense_simulator.sampling import GenerationConfig

from acoustic_sense.errors import WorkerError
from acoustic_sense.types import Scene, Take

CONFIG = """
seed = 9
seconds = 1.2
subjects = { count = 2 }
motion = { rate_hz = 20 }
rooms = [{ name = "room", image_order = 2, late_tail = false, air_absorption = false }]
tracks = [{ name = "noise", source = "white-noise", count = 2 }]
"""

PROGRAM = """
import sys, tomllib
from pathlib import Path
from acoustic_sense_simulator import service
config = service.GenerationConfig(**tomllib.loads(sys.argv[1]))
scheduler = sys.argv[3] if len(sys.argv) > 3 else None
service.generate(config, Path(sys.argv[2]), workers=2, scheduler=scheduler)
"""


def configuration() -> GenerationConfig:
    return GenerationConfig.model_validate(tomllib.loads(CONFIG))


def file_hashes(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The dataset, made by one worker in one go."""
    return generate(configuration(), tmp_path_factory.mktemp("robustness") / "one")


def _takes(out: Path) -> list[str]:
    return [path.name for path in (out / "takes").glob("*")]


def _half_written(out: Path) -> bool:
    return any(name.startswith(".partial") for name in _takes(out))


def _one_take_done(out: Path) -> bool:
    return any(not name.startswith(".") for name in _takes(out))


def _alive(process: str) -> bool:
    try:
        return Path("/proc", process, "stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def _start(out: Path, *more: str) -> subprocess.Popen[bytes]:
    """Start a run with two workers in a process group of its own."""
    command = [sys.executable, "-c", PROGRAM, CONFIG, str(out), *more]
    return subprocess.Popen(command, start_new_session=True, stderr=subprocess.PIPE)


def _wait_for(moment: Callable[[Path], bool], out: Path, run: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 120
    while run.poll() is None and time.monotonic() < deadline and not moment(out):
        time.sleep(0.0005)


def _children(run: subprocess.Popen[bytes]) -> list[str]:
    tasks = Path(f"/proc/{run.pid}/task").glob("*/children")
    return [child for task in tasks for child in task.read_text().split()]


def _kill_when(
    moment: Callable[[Path], bool], out: Path, delay_s: float, *, group: bool = False
) -> int:
    """Start a run with two workers, kill it at the moment, return its exit status."""
    run = _start(out)
    _wait_for(moment, out, run)
    time.sleep(delay_s)
    workers = _children(run)
    if group:
        os.killpg(run.pid, signal.SIGKILL)
    else:
        run.kill()
    run.communicate()
    deadline = time.monotonic() + 10
    while any(_alive(worker) for worker in workers):
        assert time.monotonic() < deadline, "workers outlive the run that started them"
        time.sleep(0.01)
    return run.returncode


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks at Linux's /proc")
def test_killed_run_resumes_to_the_same_bytes(dataset: Path, tmp_path: Path) -> None:
    out = tmp_path / "killed"
    delay = random.Random(0).uniform
    statuses = [
        _kill_when(_half_written, out, 0.0, group=True),
        _kill_when(_one_take_done, out, delay(0, 0.2)),
    ]
    assert -9 in statuses  # at least one was alive to be killed
    generate(configuration(), out)
    assert file_hashes(out) == file_hashes(dataset)
    assert not [path for path in out.rglob("*") if path.name.startswith(".")]


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks at Linux's /proc")
def test_run_holds_nothing_that_outlives_a_kill_of_all_its_processes(tmp_path: Path) -> None:
    run = _start(tmp_path / "out")
    _wait_for(_half_written, tmp_path / "out", run)
    processes = [str(run.pid), *_children(run)]
    maps = [Path("/proc", process, "maps").read_text() for process in processes]
    os.killpg(run.pid, signal.SIGKILL)
    run.communicate()
    assert len(processes) >= 3  # the run and two workers
    assert not [line for each in maps for line in each.splitlines() if "/dev/shm/" in line]


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks at Linux's /proc")
def test_death_of_a_worker_is_one_line_and_the_run_goes_on_later(
    dataset: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    run = _start(out)
    _wait_for(_half_written, out, run)
    (half,) = [name for name in _takes(out) if name.startswith(".partial")][:1]
    os.kill(int(half.rsplit("-", 1)[1]), signal.SIGKILL)  # who writes it stands in its name
    _, errors = run.communicate()
    assert run.returncode == 1
    assert (
        errors.decode()
        .splitlines()[-1]
        .endswith(
            "WorkerError: a worker process died, most often because memory ran out; run again "
            "with fewer workers to go on where it stopped"
        )
    )
    generate(configuration(), out)
    assert file_hashes(out) == file_hashes(dataset)


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_killed_client_of_a_dask_cluster_resumes_to_the_same_bytes(
    dataset: Path, tmp_path: Path
) -> None:
    distributed = pytest.importorskip("distributed")
    out = tmp_path / "killed"
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
    ) as cluster:
        run = _start(out, cluster.scheduler_address)
        _wait_for(_half_written, out, run)
        os.killpg(run.pid, signal.SIGKILL)
        run.communicate()
        assert run.returncode == -9
        generate(configuration(), out, scheduler=cluster.scheduler_address)
        assert file_hashes(out) == file_hashes(dataset)


def test_a_take_that_another_worker_made_first_is_as_good(
    dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from acoustic_sense_simulator import simulation

    shutil.copytree(dataset, tmp_path / "copy")
    take = tmp_path / "copy" / "takes" / "s01_noise-1"
    take.rename(tmp_path / "other")
    simulate = simulation.simulate

    def simulate_while_another_is_faster(scene: Scene) -> Take:
        made = simulate(scene)
        (tmp_path / "other").rename(take)
        return made

    monkeypatch.setattr(simulation, "simulate", simulate_while_another_is_faster)
    generate(configuration(), tmp_path / "copy")
    assert file_hashes(tmp_path / "copy") == file_hashes(dataset)


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_dask_cluster_gives_the_same_bytes(dataset: Path, tmp_path: Path) -> None:
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
    ) as cluster:
        out = generate(configuration(), tmp_path / "dask", scheduler=cluster.scheduler_address)
    assert file_hashes(out) == file_hashes(dataset)


@pytest.mark.filterwarnings("default")
def test_a_scheduler_that_does_not_answer_is_one_line(tmp_path: Path) -> None:
    pytest.importorskip("distributed")
    with pytest.raises(WorkerError, match="no Dask scheduler answers at") as caught:
        generate(configuration(), tmp_path / "none", scheduler="tcp://127.0.0.1:9")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "none").exists()
