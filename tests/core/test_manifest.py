"""Manifests: what `sha256sum` writes and checks."""

import shutil
import subprocess

import pytest

from acoustic_sense.datasets.manifest import (
    MANIFEST_NAME,
    compare_manifests,
    parse_manifest,
    write_manifest,
)
from acoustic_sense.errors import DatasetError

EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
"""SHA-256 of "abc", FIPS 180-2, appendix B.1."""


def make(folder):
    (folder / "takes" / "a").mkdir(parents=True)
    (folder / "takes" / "a" / "take.json").write_text("abc")
    (folder / "takes.csv").write_text("")
    (folder / "dataset.json").write_text("{}")
    return folder


def test_holds_the_sums_of_the_standard_and_leaves_the_description_out(tmp_path):
    expected = {"takes.csv": EMPTY, "takes/a/take.json": ABC}
    assert write_manifest(make(tmp_path)) == expected
    assert write_manifest(tmp_path) == expected  # the manifest itself is not in it either
    text = (tmp_path / MANIFEST_NAME).read_text()
    assert text == f"{EMPTY}  takes.csv\n{ABC}  takes/a/take.json\n"
    assert parse_manifest(text, "m") == expected


@pytest.mark.skipif(shutil.which("sha256sum") is None, reason="needs sha256sum")
def test_sha256sum_checks_it(tmp_path):
    write_manifest(make(tmp_path))
    command = ["sha256sum", "--check", "--strict", "--quiet", MANIFEST_NAME]
    assert subprocess.run(command, cwd=tmp_path, check=False).returncode == 0
    (tmp_path / "takes.csv").write_text("changed")
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
    assert result.returncode == 1


def test_names_what_differs():
    found = compare_manifests({"a": "1", "b": "1", "c": "1"}, {"b": "2", "c": "1", "d": "1"})
    assert (found.changed, found.missing, found.added) == (("b",), ("a",), ("d",))
    assert found
    assert not compare_manifests({"a": "1"}, {"a": "1"})


@pytest.mark.parametrize("line", ["abc  file", f"{ABC} file", f"{ABC}  "])
def test_rejects_what_is_no_manifest(line):
    with pytest.raises(DatasetError, match="m: line 2 is not a SHA-256 sum"):
        parse_manifest(f"{ABC}  fine\n{line}\n", "m")
