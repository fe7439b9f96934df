"""Dataset generation: same bytes for any number of workers, resume, errors in one line."""

import hashlib
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from acoustic_sense_simulator.generation import generate
from acoustic_sense_simulator.sampling import GenerationConfig, scenes
from acoustic_sense_simulator.service import STUDIO

from acoustic_sense.config import load_config
from acoustic_sense.contracts.simulator import GenerationProgress, load_simulator
from acoustic_sense.datasets import open_dataset, validate
from acoustic_sense.errors import (
    AcousticSenseError,
    ConfigError,
    DatasetError,
    UnknownPluginError,
    WorkerError,
)
from acoustic_sense.training import load_train_config

ROOT = Path(__file__).parents[2]

TINY = """
seed = 4
seconds = 1.2
subjects = { count = 2 }
motion = { rate_hz = 20 }
rooms = [{ name = "room", image_order = 2, late_tail = false, air_absorption = false }]
tracks = [{ name = "jazz", config = { style = "jazz" } }]
"""


def tiny(**changes: Any) -> GenerationConfig:
    return GenerationConfig.model_validate(tomllib.loads(TINY) | changes)


def file_hashes(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny dataset, made by one worker in one go."""
    return generate(tiny(), tmp_path_factory.mktemp("generation") / "one")


def test_dataset_is_sound_and_holds_what_the_config_asks(dataset: Path) -> None:
    opened = open_dataset(dataset)
    assert [take.id for take in opened.takes] == ["s01_jazz", "s02_jazz"]
    assert validate(opened) == []
    wanted = {scene.id: scene for scene in scenes(tiny())}
    for info in opened.takes:
        take = opened.read_take(info.id)
        assert take.scene == wanted[info.id]
        assert (info.subject, info.track, info.room) == (info.id[:3], "jazz", "room")
        assert info.seconds == pytest.approx(1.2)
        assert take.recording.samples.shape == (4, 57_600)
        assert take.playback.samples.shape == (2, 57_600)
    first, second = (opened.read_take(info.id) for info in opened.takes)
    assert (first.playback.samples == second.playback.samples).all()
    assert (first.recording.samples != second.recording.samples).any()


def test_two_workers_give_the_same_bytes(dataset: Path, tmp_path: Path) -> None:
    assert file_hashes(generate(tiny(), tmp_path / "two", workers=2)) == file_hashes(dataset)


def test_resume_remakes_only_what_is_missing(dataset: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(dataset, copy)
    shutil.rmtree(copy / "takes" / "s02_jazz")
    (copy / "takes.csv").unlink()
    (copy / "takes" / ".partial-s02_jazz-1").mkdir()
    kept = (copy / "takes" / "s01_jazz" / "recording.flac").stat().st_mtime_ns
    seen: list[GenerationProgress] = []
    generate(tiny(), copy, on_progress=seen.append)
    assert file_hashes(copy) == file_hashes(dataset)
    assert not list(copy.rglob(".partial*"))
    assert (copy / "takes" / "s01_jazz" / "recording.flac").stat().st_mtime_ns == kept
    assert [(p.takes_done, p.takes_total) for p in seen] == [(1, 2), (2, 2)]
    assert seen[-1].seconds_done == seen[-1].seconds_total == pytest.approx(2.4)


def test_another_configuration_is_refused_and_nothing_changes(dataset: Path) -> None:
    before = file_hashes(dataset)
    with pytest.raises(DatasetError, match="another configuration"):
        generate(tiny(seed=5), dataset)
    assert file_hashes(dataset) == before


def test_unknown_signal_source_leaves_nothing_behind(tmp_path: Path) -> None:
    config = tiny(tracks=[{"name": "a", "source": "musicfile"}])
    with pytest.raises(UnknownPluginError, match="did you mean 'music-file'"):
        generate(config, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_bad_source_configuration_names_track_and_key(tmp_path: Path) -> None:
    config = tiny(tracks=[{"name": "a", "config": {"stile": "jazz"}}])
    with pytest.raises(ConfigError, match=r"track 'a', .*unknown key 'stile'; did you mean"):
        generate(config, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("workers", [1, 2])
def test_error_in_a_take_names_it_and_leaves_nothing_behind(tmp_path: Path, workers: int) -> None:
    missing = {"name": "gone", "source": "music-file", "config": {"path": "no/such.ogg"}}
    with pytest.raises(AcousticSenseError, match=r"take 's0\d_gone': no/such.ogg") as caught:
        generate(tiny(tracks=[missing]), tmp_path / "out", workers=workers)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_finished_takes_survive_the_failure_of_a_later_one(tmp_path: Path) -> None:
    tracks = [
        {"name": "jazz", "config": {"style": "jazz"}},
        {"name": "gone", "source": "music-file", "config": {"path": "no/such.ogg"}},
    ]
    config = tiny(tracks=tracks, subjects={"count": 1})
    with pytest.raises(AcousticSenseError, match="s01_gone"):
        generate(config, tmp_path / "out")
    assert [path.name for path in (tmp_path / "out" / "takes").iterdir()] == ["s01_jazz"]


def test_folder_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DatasetError, match=r"cannot write to|is a file") as caught:
        generate(tiny(), tmp_path / "file" / "out")
    assert "\n" not in str(caught.value)


def test_full_disk_is_one_line_and_no_half_take_remains(tmp_path: Path) -> None:
    program = (
        "import resource, sys, tomllib\n"
        "from pathlib import Path\n"
        "from acoustic_sense.errors import AcousticSenseError\n"
        "from acoustic_sense_simulator import service\n"
        "import acoustic_sense_simulator.simulation\n"
        "config = service.GenerationConfig(**tomllib.loads(sys.stdin.read()))\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, resource.RLIM_INFINITY))\n"
        "try:\n"
        "    service.generate(config, Path(sys.argv[1]))\n"
        "except AcousticSenseError as error:\n"
        "    print(error)\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "out")],
        input=TINY,
        capture_output=True,
        text=True,
    )
    assert run.stdout.startswith("take 's01_jazz': "), run.stderr
    assert run.stdout.count("\n") == 1
    assert not list(tmp_path.rglob("*.flac"))


def test_refuses_to_work_without_workers(tmp_path: Path) -> None:
    with pytest.raises(WorkerError, match="at least one"):
        generate(tiny(), tmp_path / "none", workers=0)


def test_service_is_the_installed_simulator_and_imports_nothing_heavy() -> None:
    simulator = load_simulator()
    assert simulator.GenerationConfig is GenerationConfig
    scene = simulator.demo_scene(6.0, 1)
    assert scene.seconds == 6.0
    assert scene.playback.source == "generated-music"
    assert scene == simulator.demo_scene(6.0, 1) != simulator.demo_scene(6.0, 2)
    program = (
        "import sys, acoustic_sense_simulator.service as service\n"
        "service.demo_scene(6.0, 1)\n"
        "heavy = {'torch', 'numba', 'scipy', 'pyroomacoustics', 'trimesh', 'distributed'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert run.stdout.strip() == "[]", run.stderr


@pytest.mark.parametrize(
    "path",
    [
        *sorted((ROOT / "docs/examples/configs").glob("*.toml")),
        *sorted((ROOT / "benchmarks/configs").glob("*.toml")),
        STUDIO,
    ],
    ids=lambda path: path.stem,
)
def test_example_configs_are_valid(path: Path) -> None:
    if path.stem.endswith("-train"):
        assert load_train_config(path).encoder.name == "bgm2pose-fa"
    else:
        assert len(scenes(load_config(GenerationConfig, path))) >= 4


def test_hour_of_the_benchmark_is_an_hour_of_nine_people_and_four_tracks() -> None:
    config = load_config(GenerationConfig, ROOT / "benchmarks/configs/ampl-like-hour.toml")
    made = scenes(config)
    assert sum(scene.seconds for scene in made) == 3600
    assert len({scene.subject.name for scene in made if scene.subject}) == 9
    styles = [scene.playback.config["style"] for scene in made[:4]]
    assert sorted(styles) == ["ambient", "ambient", "ambient", "jazz"]
    assert len({scene.playback.seed for scene in made}) == 4
    assert {(scene.motion.rate_hz, len(scene.loudspeakers)) for scene in made} == {(60.0, 2)}
