"""The operations on several devices of one host, in many threads at once, and exported for other platforms."""

import concurrent.futures
import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from chainrule import ops
from chainrule.ops import native

PROGRAM = textwrap.dedent(
    """
    import functools
    import jax, jax.numpy as jnp, numpy as np
    from jax.sharding import Mesh, NamedSharding, PartitionSpec as P
    from chainrule import ops

    assert jax.device_count() == 4
    rng = np.random.default_rng(0)
    draw = lambda *shape: jnp.asarray(rng.normal(size=shape), jnp.float32)
    mesh = Mesh(np.array(jax.devices()), ("batch",))

    def images(x, kernel, depth):
        y = ops.max_pool(ops.conv(x, kernel, padding="same", activation="relu"), 2)
        return jnp.sum(jnp.sin(ops.depthwise_conv(y, depth)), axis=(1, 2, 3))

    def sequences(x, kernel, recurrent):
        return jnp.sum(jnp.sin(ops.lstm(x, kernel, recurrent)[0]), axis=(1, 2))

    def check(function, x, *weights):
        def total(sums, x, *weights):
            return jnp.sum(sums(x, *weights))

        both = jax.value_and_grad(functools.partial(total, function), tuple(range(1 + len(weights))))
        wanted = both(x, *weights)
        spread = jax.shard_map(function, mesh=mesh, in_specs=(P("batch"), *(P() for _ in weights)),
                               out_specs=P("batch"), check_vma=False)
        split = jax.device_put(x, NamedSharding(mesh, P("batch")))
        for name, answer in {
            "shard_map": jax.jit(jax.value_and_grad(functools.partial(total, spread), tuple(range(1 + len(weights))))),
            "jit": jax.jit(both),
        }.items():
            found = answer(split, *weights)
            for a, b in zip(jax.tree.leaves(found), jax.tree.leaves(wanted), strict=True):
                # float32 sums in another order
                np.testing.assert_allclose(a, b, atol=2e-5 * max(1, float(jnp.abs(b).max())), err_msg=name)

    # weights such that results are about 1: sines of large numbers would magnify that eight images go through
    # Winograd's transforms and two do not
    check(images, draw(8, 8, 6, 16), draw(3, 3, 16, 16) / 12, draw(3, 3, 16, 1) / 3)
    check(sequences, draw(8, 5, 3), draw(3, 16), draw(4, 16))
    print("equal on 4 devices")
    """
)


def test_sharded_batches_give_the_values_and_gradients_of_one_device():
    flags = f"{os.environ.get('XLA_FLAGS', '')} --xla_force_host_platform_device_count=4"
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"XLA_FLAGS": flags, "JAX_PLATFORMS": "cpu"},
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert "equal on 4 devices" in done.stdout


def everything(x, kernel, weights, recurrent):
    y = ops.conv(x, kernel, padding="same", activation="relu")
    z = ops.avg_pool(ops.max_pool(y, 3, strides=2), 2)
    steps, _ = ops.lstm(z.reshape(z.shape[0], -1, z.shape[-1]), weights, recurrent)
    again, _ = ops.gru(steps, weights[: steps.shape[-1], : 3 * steps.shape[-1]], recurrent[:, : 3 * steps.shape[-1]])
    return jnp.sum(again**2)


def arguments():
    rng = np.random.default_rng(1)
    shapes = (3, 12, 9, 8), (3, 3, 8, 16), (16, 16), (4, 16)
    return [rng.normal(size=shape).astype(np.float32) for shape in shapes]


def test_many_threads_get_the_same_bits():
    step = jax.jit(jax.value_and_grad(everything, (0, 1, 2, 3)))
    wanted = jax.tree.map(np.asarray, step(*arguments()))

    def once(_):
        return jax.tree.map(np.asarray, step(*arguments()))

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        for found in pool.map(once, range(100)):
            jax.tree.map(np.testing.assert_array_equal, found, wanted)


@pytest.mark.skipif(not native.enabled(), reason="needs the kernels")
def test_programs_for_other_platforms_hold_no_kernel():
    step = jax.jit(jax.grad(everything, (0, 1, 2, 3)))
    for platform, expected in (("cpu", True), ("cuda", False), ("tpu", False)):
        exported = jax.export.export(step, platforms=[platform], disabled_checks=_calls_allowed())(*arguments())
        text = exported.mlir_module()
        assert ("chainrule_" in text) is expected, platform


def _calls_allowed():
    sources = (Path(__file__).parents[2] / "native" / "ffi").glob("*.cc")
    names = re.findall(r"CHAINRULE_HANDLER\((\w+),", "".join(path.read_text() for path in sources))
    return [jax.export.DisabledSafetyCheck.custom_call(name) for name in names]
