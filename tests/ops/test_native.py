"""The settings of the compiled library that change a whole process."""

import json
import os
import subprocess
import sys

import pytest

from chainrule.errors import ArgumentError
from chainrule.ops import native

# Page faults of taking and giving back 64 MiB, five times after a first: at least 32 each (huge pages) unless kept.
FAULTS = """
import json, resource
import chainrule
from chainrule.ops import native
import numpy as np
counts = []
for _ in range(6):
    np.ones(1 << 24, np.float32)
    counts.append(resource.getrusage(resource.RUSAGE_SELF).ru_minflt)
print(json.dumps({"tuned": native.is_allocator_tuned(), "faults": counts[-1] - counts[0]}))
"""


def in_a_process(**environment):
    done = subprocess.run(
        [sys.executable, "-c", FAULTS], capture_output=True, text=True, check=True, env=os.environ | environment
    )
    return json.loads(done.stdout)


@pytest.mark.skipif(not (native.enabled() and sys.platform == "linux"), reason="needs the library and glibc")
def test_the_allocator_is_tuned_at_import_where_asked_for_and_only_there():
    untouched, tuned = (in_a_process(CHAINRULE_TUNE_ALLOCATOR=flag) for flag in "01")
    assert (untouched["tuned"], tuned["tuned"]) == (False, True)
    assert untouched["faults"] >= 5 * 32
    assert tuned["faults"] < 32


def test_a_setting_that_is_no_flag_is_refused(monkeypatch):
    monkeypatch.setenv("CHAINRULE_TUNE_ALLOCATOR", "yes")
    with pytest.raises(ArgumentError, match="must be 0 or 1; received 'yes'"):
        native.is_allocator_tuned()


@pytest.mark.parametrize("megabytes", [-1, True, 1.5, (1 << 20) + 1])
def test_a_size_out_of_range_is_refused(megabytes):
    with pytest.raises(ArgumentError, match="megabytes must be an integer from 0"):
        native.tune_allocator(megabytes)
