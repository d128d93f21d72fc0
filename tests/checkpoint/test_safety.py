"""Reading a model file runs nothing, opens nothing else and allocates nothing that the file does not justify."""

import json
import subprocess
import sys

import pytest

AUDIT = """
import json, sys, pickle, pathlib, warnings
import numpy as np
from chainrule.checkpoint import read_model, write_model
from chainrule._base.errors import ChainruleError

folder = pathlib.Path(sys.argv[1])
good = folder / "good.chainrule"
write_model(good, {"a/b": np.arange(6.0), "n": np.array([np.nan])}, {"type": "os.system", "$function": "builtins.eval"})
whole = good.read_bytes()
cases = {"good": whole, "cut": whole[:-3], "pickle": pickle.dumps(print), "empty": b"", "zip": b"PK\\x03\\x04" + whole}
paths = []
for name, content in cases.items():
    paths.append(folder / (name + ".chainrule"))
    paths[-1].write_bytes(content)

def attempt(path):
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            read_model(path)
        return "read"
    except ChainruleError:
        return "refused"

attempt(good)  # whatever Python loads on first use is loaded now
events = []
watched = ("import", "exec", "open", "subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "socket.connect",
           "pickle.find_class", "marshal.loads", "ctypes.dlopen")
sys.addaudithook(lambda event, arguments: event in watched and recording and events.append((event, str(arguments[0]))))
recording = True
outcomes = [attempt(path) for path in paths]
recording = False
print(json.dumps({"outcomes": outcomes, "events": events, "paths": [str(path) for path in paths]}))
"""

BOMBS = """
import json, resource, struct, sys, time, pathlib
from chainrule.checkpoint import read_model
from chainrule._base.errors import FormatError

path = pathlib.Path(sys.argv[1]) / "bomb.chainrule"
meta = {"sha256": "0" * 64, "format": "chainrule", "version": "1", "needs": "0.1.0", "config": "{}"}

def header(**table):
    return json.dumps({"__metadata__": meta, **table}).encode()

def tensor(shape, span):
    return {"dtype": "F32", "shape": shape, "data_offsets": [0, span]}

bombs = [
    struct.pack("<Q", 1 << 40) + b"{}",
    *(struct.pack("<Q", len(raw)) + raw for raw in (
        header(t=tensor([1 << 40], 1 << 42)),
        header(t=tensor([1 << 30], 1 << 32)),
        header(t=tensor([0, 1 << 62, 1 << 62], 0)),
        header(t=tensor([1] * 200_000, 4)),
        b'{"a":[' + b"[]," * 2_000_000 + b"[]]}",
        b'{"a":[' + b"[]," * 499_990 + b"[]]}",
        b'{"a":' + b"[" * 4_000_000 + b"]" * 4_000_000 + b"}",
        b'{"a":"' + b"x" * 8_000_000 + b'"}',
    )),
]
own = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (own + (512 << 20), own + (512 << 20)))
times = []
for bomb in bombs:
    path.write_bytes(bomb)
    start = time.process_time()
    try:
        read_model(path)
    except FormatError:
        pass
    else:
        raise SystemExit("a bomb was read")
    times.append(time.process_time() - start)
print(json.dumps({"bombs": len(bombs), "slowest": max(times)}))
"""


def _run(script, folder):
    result = subprocess.run([sys.executable, "-c", script, str(folder)], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def test_only_the_model_file_is_opened_and_nothing_is_imported_or_run(tmp_path):
    """An audit hook sees every import, open, process, socket and unpickling while files are read."""
    found = _run(AUDIT, tmp_path)
    assert found["outcomes"] == ["read", "refused", "refused", "refused", "refused"]
    opened = [argument for event, argument in found["events"] if event == "open"]
    assert {event for event, _ in found["events"]} == {"open"}
    assert set(opened) - {str(number) for number in range(100)} == set(found["paths"])


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the limit is set through Linux's /proc and RLIMIT_AS")
def test_bombs_are_refused_under_a_memory_limit(tmp_path):
    """Headers of at most 8 MiB that ask for up to 4 TiB are refused within 512 MiB of address space."""
    found = _run(BOMBS, tmp_path)
    assert found["bombs"] == 9
    assert found["slowest"] < 5  # seconds of processor time
