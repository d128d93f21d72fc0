"""The kernels' C++ tests, built once for all workers."""

import fcntl
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BUILD = ROOT / "build" / "native-tests"


def _cmake():
    beside = Path(sys.executable).with_name("cmake")
    return str(beside) if beside.exists() else shutil.which("cmake")


@pytest.fixture(scope="session")
def programs():
    """The folder of the built test programs."""
    cmake = _cmake()
    if cmake is None or shutil.which("c++") is None:
        pytest.skip("needs cmake and a C++ compiler")
    BUILD.mkdir(parents=True, exist_ok=True)
    with (BUILD / ".lock").open("w") as lock:  # the workers of one run share the folder
        fcntl.flock(lock, fcntl.LOCK_EX)
        settings = ["-DCHAINRULE_TESTS=ON", f"-DPython_EXECUTABLE={sys.executable}", f"-DCHAINRULE_OUTPUT={BUILD}"]
        _run(cmake, "-S", str(ROOT / "native"), "-B", str(BUILD), *settings)
        names = sorted(path.stem for path in (ROOT / "native" / "tests").glob("*_test.cc"))
        _run(cmake, "--build", str(BUILD), "--parallel", "2", "--target", *names)  # not the library itself
    return BUILD


def _run(*command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
