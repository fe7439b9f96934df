"""Dataset generation under SIGKILL and on a Dask cluster: the same bytes."""

import hashlib
import random
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from acoustic_sense_simulator.generation import generate
from acoustic_sense_simulator.sampling import GenerationConfig

from acoustic_sense.errors import SimulationError

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
service.generate(config, Path(sys.argv[2]), workers=2)
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


def _kill_when(moment: Callable[[Path], bool], out: Path, delay_s: float) -> int:
    """Start a run with two workers, kill it at the moment, return its exit status."""
    run = subprocess.Popen([sys.executable, "-c", PROGRAM, CONFIG, str(out)])
    deadline = time.monotonic() + 120
    while run.poll() is None and time.monotonic() < deadline and not moment(out):
        time.sleep(0.0005)
    time.sleep(delay_s)
    workers = Path(f"/proc/{run.pid}/task/{run.pid}/children").read_text().split()
    run.kill()
    status = run.wait()
    deadline = time.monotonic() + 10
    while any(_alive(worker) for worker in workers):
        assert time.monotonic() < deadline, "workers outlive the run that started them"
        time.sleep(0.01)
    return status


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks at Linux's /proc")
def test_killed_run_resumes_to_the_same_bytes(dataset: Path, tmp_path: Path) -> None:
    out = tmp_path / "killed"
    delay = random.Random(0).uniform
    statuses = [
        _kill_when(_half_written, out, 0.0),
        _kill_when(_one_take_done, out, delay(0, 0.2)),
    ]
    assert -9 in statuses  # at least one was alive to be killed
    generate(configuration(), out)
    assert file_hashes(out) == file_hashes(dataset)
    assert not [path for path in out.rglob("*") if path.name.startswith(".")]


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
    with pytest.raises(SimulationError, match="no Dask scheduler answers at") as caught:
        generate(configuration(), tmp_path / "none", scheduler="tcp://127.0.0.1:9")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "none").exists()
