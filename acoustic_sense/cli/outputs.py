"""Outputs of commands: written under a temporary name, and there only once they are whole."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from acoustic_sense.errors import AcousticSenseError


def check_new_file(path: Path) -> None:
    """Raise AcousticSenseError if a file cannot be written to `path`."""
    if path.is_dir():
        raise AcousticSenseError(f"{path}: is a folder; name a file in it")
    if not path.absolute().parent.is_dir():
        raise AcousticSenseError(f"{path}: there is no folder {path.parent}; make it first")
    if not os.access(path.absolute().parent, os.W_OK):
        raise AcousticSenseError(f"{path}: the folder {path.parent} cannot be written to")


def check_new_folder(path: Path) -> None:
    """Raise AcousticSenseError if a folder cannot be made at, or files written into, `path`."""
    if path.exists() and not path.is_dir():
        raise AcousticSenseError(f"{path}: is a file; name a folder")
    base = path if path.is_dir() else _existing_parent(path)
    if not base.is_dir():
        raise AcousticSenseError(f"{path}: {base} is a file; name another folder")
    if not os.access(base, os.W_OK):
        raise AcousticSenseError(f"{path}: the folder {base} cannot be written to")


@contextmanager
def new_file(path: Path) -> Iterator[Path]:
    """Yield a temporary name beside `path`; rename it at the end, remove it on any error.

    The temporary name keeps the ending, which often decides the format.

    Raises:
        AcousticSenseError: There is no such folder, or `path` is a folder.
    """
    check_new_file(path)
    temporary = path.with_name(f".{path.stem}.partial-{os.getpid()}{path.suffix}")
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """Yield a temporary folder beside `path`; at the end its contents are moved to `path`.

    A folder that is already there keeps its other files. On any error nothing is left behind; what
    a killed process left behind is removed by the next one.

    Raises:
        AcousticSenseError: `path` is a file.
    """
    check_new_folder(path)
    made = _make_parents(path.absolute().parent)
    _remove_leftovers(path)
    temporary = path.absolute().with_name(f".{path.absolute().name}.partial-{os.getpid()}")
    temporary.mkdir()
    try:
        yield temporary
        if path.is_dir():
            for item in sorted(temporary.iterdir()):
                item.replace(path / item.name)
        else:
            temporary.rename(path)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        remove_empty(made)
        raise
    shutil.rmtree(temporary, ignore_errors=True)


@contextmanager
def resumable_folder(path: Path, begun: str) -> Iterator[None]:
    """Remove what an error left in a folder without anything worth resuming.

    A folder that held files before is never touched.

    Args:
        path: The folder; it and its parents may not exist yet.
        begun: Pattern of a file inside it that is worth keeping, e.g. `takes/*/take.json`.

    Raises:
        AcousticSenseError: `path` is a file.
    """
    check_new_folder(path)
    was_there = path.exists()
    ours = not was_there or not any(path.iterdir())
    missing = [p for p in (path.absolute(), *path.absolute().parents) if not p.exists()]
    try:
        yield
    except BaseException:
        if ours and path.is_dir() and not any(path.glob(begun)):
            shutil.rmtree(path, ignore_errors=True)
            if was_there:
                path.mkdir(exist_ok=True)
            remove_empty(missing)
        raise


def _existing_parent(path: Path) -> Path:
    return next(parent for parent in path.absolute().parents if parent.exists())


def _make_parents(folder: Path) -> list[Path]:
    """Make `folder` and return what had to be made, the innermost first."""
    missing = [p for p in (folder, *folder.parents) if not p.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    return missing


def _remove_leftovers(path: Path) -> None:
    """Remove the temporary folders of `path` whose processes are no more."""
    prefix = f".{path.absolute().name}.partial-"
    for folder in path.absolute().parent.iterdir():
        process = folder.name.removeprefix(prefix)
        if folder.name.startswith(prefix) and process.isdecimal() and not _runs(int(process)):
            shutil.rmtree(folder, ignore_errors=True)


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True  # it runs, but belongs to somebody else
    return True


def remove_empty(folders: list[Path]) -> None:
    """Remove those folders, the innermost first, that are empty."""
    for folder in folders:
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
