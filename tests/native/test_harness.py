"""Each program of native/tests, on every instruction set this machine can run."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from chainrule.ops import native

ROOT = Path(__file__).parents[2]
TESTS = sorted(path.stem for path in (ROOT / "native" / "tests").glob("*_test.cc"))


def test_every_kernel_has_a_program():
    kernels = {path.stem for path in (ROOT / "native" / "kernels").glob("*.cc")}
    tested = {stem for kernel in kernels for test in TESTS if (stem := kernel).startswith(test.removesuffix("_test"))}
    assert kernels - tested == set(), "a kernel file without native/tests/<its name or the start of it>_test.cc"


@pytest.mark.skipif(shutil.which("c++") is None, reason="needs a C++ compiler")
@pytest.mark.skipif(os.environ.get("CHAINRULE_NATIVE") == "0", reason="the kernels are switched off")
def test_the_kernels_were_built():
    """A source that does not compile leaves an install without kernels, whose other tests are then skipped."""
    assert native.enabled(), native.status()


@pytest.mark.parametrize("name", TESTS)
def test_program_finds_no_failure(programs, name):
    done = subprocess.run([programs / name], capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert "0 failures" in done.stdout
