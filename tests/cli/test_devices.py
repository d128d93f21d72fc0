import json
import os
import subprocess
import sys

import jax
import pytest

from chainrule.cli.main import run
from chainrule.ops import native


def test_the_devices_of_jax_are_listed(capsys):
    assert run(["devices", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [item["platform"] for item in found["devices"]] == [device.platform for device in jax.devices()]
    assert run(["devices"]) == 0
    assert found["devices"][0]["kind"] in capsys.readouterr().out


def in_a_process(capsys, *arguments, **environment):
    done = subprocess.run(
        [sys.executable, "-m", "chainrule.cli", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | environment,
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"CHAINRULE_NATIVE": "0"}, "switched off by CHAINRULE_NATIVE=0"),
        ({"CHAINRULE_NATIVE": "1", "CHAINRULE_LIBRARY": "/nowhere/libchainrule.so"}, "sudo apt install g++"),
    ],
)
def test_missing_kernels_are_named_with_the_way_to_get_them(capsys, environment, said):
    status, out, _ = in_a_process(capsys, "devices", **environment)
    assert status == 0
    assert said in out


def test_the_allocator_is_named_with_the_way_to_tune_it(capsys):
    status, out, _ = in_a_process(capsys, "devices", CHAINRULE_TUNE_ALLOCATOR="0")
    assert status == 0
    assert "CHAINRULE_TUNE_ALLOCATOR=1" in out


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"CHAINRULE_NATIVE": "yes"}, "CHAINRULE_NATIVE: must be 0 or 1; received 'yes'"),
        ({"CHAINRULE_ISA": "mmx"}, "known are portable, avx2, avx512"),
        ({"CHAINRULE_TUNE_ALLOCATOR": "on"}, "CHAINRULE_TUNE_ALLOCATOR: must be 0 or 1; received 'on'"),
    ],
)
@pytest.mark.skipif(not native.enabled(), reason="needs the kernels")
def test_a_bad_setting_is_refused_in_one_line(capsys, environment, said):
    status, _, err = in_a_process(capsys, "devices", **environment)
    assert status == 2
    assert said in err
    assert "Traceback" not in err
