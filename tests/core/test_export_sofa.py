"""Export to SOFA: verified files whose geometry and responses are those of the scenes."""

import csv
import sys
from dataclasses import replace

import numpy as np
import pytest

from acoustic_sense.cli.main import run
from acoustic_sense.constants import SPEED_OF_SOUND_M_S
from acoustic_sense.contracts.simulator import load_simulator
from acoustic_sense.datasets import DatasetWriter
from acoustic_sense.types import Loudspeaker, Microphone, Room, Scene

sofar = pytest.importorskip("sofar")

STUDIO = Room((4.0, 2.6, 3.6), absorption=0.5, image_order=2, name="studio")
SCENE = Scene(
    room=STUDIO,
    loudspeakers=(Loudspeaker((1.1, 1.2, 0.9)), Loudspeaker((2.9, 1.5, 0.8), yaw_deg=-90.0)),
    microphone=Microphone((2.1, 1.3, 2.7), yaw_deg=60.0),
)
MOVED = replace(SCENE, microphone=Microphone((1.9, 1.3, 2.7), yaw_deg=60.0))
HALL = replace(SCENE, room=replace(STUDIO, size_m=(5.0, 3.0, 6.0), name="great hall/1"))
WRONG = replace(SCENE, microphone=replace(SCENE.microphone, axes="+y-x+z", convention="fuma"))


def outcome(capsys, *arguments):
    """Run the program; return its exit code, standard output and standard error."""
    capsys.readouterr()
    code = run([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def left_in(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


@pytest.fixture
def dataset(make_take, tmp_path):
    """Four takes of three setups; only their scenes matter."""
    with DatasetWriter(tmp_path / "data", {"name": "test"}) as writer:
        for number, scene in enumerate((SCENE, MOVED, HALL, WRONG)):
            writer.write_take(replace(make_take(f"t{number}", seconds=0.6), scene=scene))
    return tmp_path / "data"


@pytest.fixture
def exported(capsys, dataset, tmp_path):
    out = tmp_path / "sofa"
    code, text, err = outcome(
        capsys, "dataset", "export", dataset, "--format", "sofa", "--out", out
    )
    assert (code, err) == (0, "")
    assert text == f"{out}: 3 files; takes.csv says whose rooms they are\n"
    return out


def read(path):
    return sofar.read_sofa(str(path), verify=True, verbose=False)


def test_takes_of_one_setup_share_a_file(exported):
    assert left_in(exported) == ["great-hall-1.sofa", "studio_1.sofa", "studio_2.sofa", "takes.csv"]
    with (exported / "takes.csv").open(newline="") as file:
        mapping = {row["take"]: row["file"] for row in csv.DictReader(file)}
    assert mapping == {
        "t0": "studio_1.sofa",
        "t1": "studio_2.sofa",
        "t2": "great-hall-1.sofa",
        "t3": "studio_1.sofa",  # what the recorder does wrong is not the room's
    }


def test_files_are_valid_and_hold_the_simulators_responses(exported):
    for name, scene in (("studio_2", MOVED), ("great-hall-1", HALL)):
        sofa = read(exported / f"{name}.sofa")
        assert sofa.verify(issue_handling="return") is None
        assert sofa.GLOBAL_SOFAConventions == "SingleRoomMIMOSRIR"
        assert sofa.GLOBAL_DataType == "FIR-E"
        assert sofa.Data_SamplingRate == 48_000
        assert (sofa.Data_Delay == 0).all()
        responses = load_simulator().room_responses(scene)
        assert sofa.Data_IR.shape == (1, 4, responses.shape[2], 2)
        for receiver, channel in enumerate((0, 2, 3, 1)):  # ACN: W, Y, Z, X
            np.testing.assert_array_equal(sofa.Data_IR[0, receiver].T, responses[:, channel])


def test_direct_sound_comes_when_and_whence_the_geometry_of_the_file_says(exported):
    sofa = read(exported / "studio_1.sofa")
    listener = sofa.ListenerPosition.reshape(3)
    view, up = sofa.ListenerView.reshape(3), sofa.ListenerUp.reshape(3)
    axes = np.stack([view, np.cross(up, view), up])
    emitters = sofa.SourcePosition.reshape(3) + sofa.EmitterPosition.reshape(2, 3)
    for number, emitter in enumerate(emitters):
        distance = np.linalg.norm(emitter - listener)
        direction = axes @ (emitter - listener) / distance
        arrival = round(distance / SPEED_OF_SOUND_M_S * 48_000)
        w, y, z, x = sofa.Data_IR[0, :, arrival - 20 : arrival + 21, number].sum(axis=1)
        assert w == pytest.approx(1 / distance, rel=0.05)
        np.testing.assert_allclose(np.array([x, y, z]) / w, direction, atol=0.02)


def test_geometry_is_the_scenes_in_axes_with_z_up(exported):
    sofa = read(exported / "studio_1.sofa")
    np.testing.assert_allclose(sofa.ListenerPosition.reshape(3), (2.1, 0.9, 1.3))
    np.testing.assert_allclose(
        sofa.SourcePosition.reshape(3) + sofa.EmitterPosition.reshape(2, 3),
        [(1.1, 2.7, 1.2), (2.9, 2.8, 1.5)],
    )
    np.testing.assert_allclose(sofa.EmitterView.reshape(2, 3), [(1, 0, 0), (0, -1, 0)], atol=1e-12)
    np.testing.assert_allclose(sofa.RoomCornerA.reshape(3), (0, 0, 0))
    np.testing.assert_allclose(sofa.RoomCornerB.reshape(3), (4.0, 3.6, 2.6))
    assert pytest.approx(4.0 * 2.6 * 3.6) == sofa.RoomVolume
    assert (sofa.GLOBAL_RoomType, sofa.GLOBAL_RoomShortName) == ("shoebox", "studio")
    assert sofa.ReceiverPosition_Type == "spherical harmonics"
    assert "ACN order (W, Y, Z, X) with SN3D gains" in sofa.GLOBAL_Comment


def test_a_take_without_a_scene_is_one_line_and_leaves_nothing(capsys, shared_dataset, tmp_path):
    code, out, err = outcome(
        capsys,
        *("dataset", "export", shared_dataset, "--format", "sofa", "--out", tmp_path / "out"),
    )
    assert (code, out) == (2, "")
    assert err == (
        f"error: {shared_dataset}: take 's0-a' has no scene, so its room is not known; export a "
        "simulated dataset\n"
    )
    assert left_in(tmp_path) == []


def test_ampl_has_no_rooms_to_export(capsys, shared_dataset, tmp_path):
    ampl = tmp_path / "ampl"
    assert (
        run(["dataset", "export", str(shared_dataset), "--format", "ampl", "--out", str(ampl)]) == 0
    )
    code, _, err = outcome(
        capsys, "dataset", "export", ampl, "--format", "sofa", "--out", tmp_path / "out"
    )
    assert code == 2
    assert err == (
        f"error: {ampl}/dataset_spec_2400: datasets of layout 'ampl' do not say in which room they "
        "were made; export a simulated dataset\n"
    )


def test_without_sofar_the_extra_is_named(capsys, dataset, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "sofar", None)
    code, out, err = outcome(
        capsys, "dataset", "export", dataset, "--format", "sofa", "--out", tmp_path / "out"
    )
    assert (code, out) == (2, "")
    assert err == (
        "error: SOFA files need the package 'sofar'; install it with: "
        "pip install 'acoustic-sense[sofa]'\n"
    )
    assert left_in(tmp_path) == [name for name in left_in(tmp_path) if name.startswith("data")]


def test_a_scene_that_is_none_names_file_and_key(capsys, dataset, tmp_path):
    path = dataset / "takes" / "t1" / "take.json"
    path.write_text(path.read_text().replace('"image_order": 2', '"image_order": 99'))
    code, _, err = outcome(
        capsys, "dataset", "export", dataset, "--format", "sofa", "--out", tmp_path / "out"
    )
    assert code == 2
    assert err.startswith(f"error: {path}: scene.room.image_order: Input should be less than")
    assert err.count("\n") == 1
