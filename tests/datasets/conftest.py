"""The folder of shared data sets, where there is one."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shared_data() -> Path:
    folder = Path(os.environ.get("CHAINRULE_DATA", Path(__file__).parents[2] / ".." / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no shared data folder at {folder}; set CHAINRULE_DATA")
    return folder
