"""Small real data sets that come with the package; sources and licences are in this folder's ``README.md``."""

from __future__ import annotations

from pathlib import Path

from chainrule._base.errors import DataError, did_you_mean
from chainrule.data import Table, read_table

_FOLDER = Path(__file__).parent


def path(name: str) -> Path:
    """Where the file of a data set lies.

    Args:
        name: the file's name, such as ``heart.csv``.

    Raises:
        DataError: there is no such data set; suggests the nearest.

    Example:
        >>> path("heart.csv").name
        'heart.csv'
    """
    known = sorted(file.name for file in _FOLDER.glob("*.csv"))
    if name not in known:
        raise DataError(
            f"datasets: no data set is called {name!r}.{did_you_mean(name, known)} There are: {', '.join(known)}."
        )
    return _FOLDER / name


def load_heart() -> Table:
    """The Cleveland heart-disease table: 303 patients, 13 attributes, target ``disease`` (yes or no).

    References:
        Janosi, Steinbrunn, Pfisterer, Detrano, "Heart Disease", UCI Machine Learning Repository, 1989,
        https://doi.org/10.24432/C52P4X (CC BY 4.0).

    Example:
        >>> table = load_heart()
        >>> len(table), table.columns[-1]
        (303, 'disease')
    """
    return read_table(path("heart.csv"))


__all__ = ["load_heart", "path"]
