"""What the scripts that write tests/golden/*.npz share: the arrays of each case by name, one file a family."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

GOLDEN = Path(__file__).resolve().parents[1] / "tests" / "golden"
Arrays = Mapping[str, np.ndarray]


def write_families(
    peer: str, version: str, families: Mapping[str, Mapping[str, object]], run: Callable[[str, str, int], Arrays]
) -> int:
    """Write ``<peer>_<family>.npz`` for the families named on the command line, or for all.

    Args:
        peer: beginning of the files' names.
        version: the peer's, for the line that is printed.
        families: the cases by name, in families.
        run: gives the arrays of a case from its family, its name and its number in it, which serves as seed. Names are
            paths, such as ``gradient/params/kernel``.
    """
    for family in sys.argv[1:] or families:
        arrays = {
            f"{name}/{part}": stored(array)
            for number, name in enumerate(families[family])
            for part, array in run(family, name, number).items()
        }
        path = GOLDEN / f"{peer}_{family}.npz"
        np.savez_compressed(path, **arrays)  # type: ignore[arg-type]  # arrays by name
        print(f"{path.name}: {len(families[family])} cases, {path.stat().st_size:,} bytes, {peer} {version}")
    return 0


def stored(array: np.ndarray) -> np.ndarray:
    """As it stands in the file: numbers in float32, masks as they are."""
    return array if array.dtype == bool else array.astype(np.float32)
