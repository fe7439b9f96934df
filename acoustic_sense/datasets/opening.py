"""Opening a dataset by looking at its folder."""

from pathlib import Path

from acoustic_sense.datasets.ampl import AmplDataset, find_ampl_root
from acoustic_sense.datasets.dataset import Dataset
from acoustic_sense.datasets.skipping import Bad
from acoustic_sense.datasets.take_dataset import DESCRIPTION_NAME, TakeDataset
from acoustic_sense.errors import DatasetError


def open_dataset(path: str | Path, *, bad: Bad = "refuse") -> Dataset:
    """Open a dataset of takes or one in the layout of AMPL.

    Args:
        path: A folder with `dataset.json`, AMPL's `dataset_spec_2400` folder, or the folder
            above that.
        bad: What to do about takes or windows whose files cannot be used. `refuse`: raise where
            one is met. `skip`: read every file now and leave the bad ones out; `skipped` of the
            dataset tells which. `list`: as `refuse`, but let a bad row of AMPL's table pass, since
            `validate` will list it.

    Returns:
        The dataset; nothing but its tables has been read, unless `bad` is `skip`.

    Raises:
        DatasetError: The folder is missing or is neither, or nothing of it can be used.
    """
    folder = Path(path)
    if not folder.is_dir():
        found = "is a file" if folder.exists() else "no such folder"
        raise DatasetError(f"{folder}: {found}; give the folder of a dataset")
    if (folder / DESCRIPTION_NAME).exists():
        return TakeDataset(folder, bad)
    root = find_ampl_root(folder)
    if root is not None:
        return AmplDataset(root, bad)
    raise DatasetError(
        f"{folder}: not a dataset: it has neither {DESCRIPTION_NAME} nor AMPL's "
        "music_intensity.csv; check the path"
    )
