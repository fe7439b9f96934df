"""Opening a dataset by looking at its folder."""

from pathlib import Path

from acoustic_sense.datasets.ampl import AmplDataset, find_ampl_root
from acoustic_sense.datasets.dataset import Dataset
from acoustic_sense.datasets.take_dataset import DESCRIPTION_NAME, TakeDataset
from acoustic_sense.errors import DatasetError


def open_dataset(path: str | Path) -> Dataset:
    """Open a dataset of takes or one in the layout of AMPL.

    Args:
        path: A folder with `dataset.json`, AMPL's `dataset_spec_2400` folder, or the folder
            above that.

    Returns:
        The dataset; nothing but its tables has been read.

    Raises:
        DatasetError: The folder is missing or is neither.
    """
    folder = Path(path)
    if not folder.is_dir():
        found = "is a file" if folder.exists() else "no such folder"
        raise DatasetError(f"{folder}: {found}; give the folder of a dataset")
    if (folder / DESCRIPTION_NAME).exists():
        return TakeDataset(folder)
    root = find_ampl_root(folder)
    if root is not None:
        return AmplDataset(root)
    raise DatasetError(
        f"{folder}: not a dataset: it has neither {DESCRIPTION_NAME} nor AMPL's "
        "music_intensity.csv; check the path"
    )
