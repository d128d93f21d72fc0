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

# Whether JAX takes the Hessian of each operation with kernels; of two together, the Hessian by each way that it takes.
HESSIANS = """
import json
import jax, jax.numpy as jnp, numpy as np
from chainrule import ops
rng = np.random.default_rng(0)
draw = lambda *shape: jnp.asarray(rng.standard_normal(shape), jnp.float32)
maps, kernel, each, back = draw(1, 5, 4, 2), draw(2, 2, 2, 3), draw(2, 2, 2, 1), draw(2, 2, 2, 2)
steps, w3, u3, w4, u4 = draw(1, 5, 2), draw(2, 9), draw(3, 9), draw(2, 12), draw(3, 12)
lstm = lambda s: ops.lstm(s * steps, w4, u4)[0]
gru = lambda s: ops.gru(s * steps, w3, u3)[0]
functions = {
    "conv": lambda s: ops.conv(s * maps, s * kernel),
    "conv_transpose": lambda s: ops.conv_transpose(s * maps, s * back),
    "depthwise_conv": lambda s: ops.depthwise_conv(s * maps, s * each),
    "max_pool": lambda s: ops.max_pool(s**2 * maps, 2),
    "avg_pool": lambda s: ops.avg_pool(s**2 * maps, 2),
    "lstm": lstm,
    "gru": gru,
}
together = lambda s: sum(jnp.sin(functions[name](s)).sum() for name in ("conv", "max_pool"))
ways = {"forward": jax.hessian, "reverse": lambda f: jax.jacrev(jax.grad(f))}
refused = {}
for name, function in functions.items():
    try:
        jax.jit(jax.hessian(lambda s: function(s).sum())).lower(0.7)
    except TypeError as error:
        refused[name] = str(error)
values = {name: float(jax.jit(way(together))(0.7)) for name, way in ways.items() if name == "reverse" or not refused}
print(json.dumps({"refused": refused, "operations": len(functions), **values}))
"""


def in_a_process(program, **environment):
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, env=os.environ | environment
    )
    return json.loads(done.stdout)


@pytest.mark.skipif(not (native.enabled() and sys.platform == "linux"), reason="needs the library and glibc")
def test_the_allocator_is_tuned_at_import_where_asked_for_and_only_there():
    untouched, tuned = (in_a_process(FAULTS, CHAINRULE_TUNE_ALLOCATOR=flag) for flag in "01")
    assert (untouched["tuned"], tuned["tuned"]) == (False, True)
    assert untouched["faults"] >= 5 * 32
    assert tuned["faults"] < 32


@pytest.mark.skipif(not native.enabled(), reason="needs the kernels")
def test_a_hessian_is_there_in_reverse_mode_and_without_the_kernels_in_forward_mode_too():
    """As the module's docstring says, word by word."""
    plain, compiled = (in_a_process(HESSIANS, CHAINRULE_NATIVE=flag) for flag in "01")
    assert plain["refused"] == {}
    assert plain["forward"] == pytest.approx(plain["reverse"], rel=1e-3)  # float32, and terms that partly cancel
    assert compiled["reverse"] == pytest.approx(plain["forward"], rel=1e-3)
    assert len(compiled["refused"]) == compiled["operations"]
    assert set(compiled["refused"].values()) == {"can't apply forward-mode autodiff (jvp) to a custom_vjp function."}


def test_a_setting_that_is_no_flag_is_refused(monkeypatch):
    monkeypatch.setenv("CHAINRULE_TUNE_ALLOCATOR", "yes")
    with pytest.raises(ArgumentError, match="must be 0 or 1; received 'yes'"):
        native.is_allocator_tuned()


@pytest.mark.parametrize("megabytes", [-1, True, 1.5, (1 << 20) + 1])
def test_a_size_out_of_range_is_refused(megabytes):
    with pytest.raises(ArgumentError, match="megabytes must be an integer from 0"):
        native.tune_allocator(megabytes)
