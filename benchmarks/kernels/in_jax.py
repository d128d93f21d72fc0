"""``chainrule.ops``, or with the argument ``lax`` what one writes with ``jax.lax``; each pass one compiled call."""

import functools
import sys

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.kernels.cases import Case
from benchmarks.kernels.worker import Passes, main
from benchmarks.peers import plain_jax
from benchmarks.workloads.nets import Op
from chainrule import ops


def _ours(case: Case, x, *weights):
    if case.kind in ("lstm", "gru"):
        kernel, recurrent = weights
        bias = jnp.zeros(kernel.shape[1] if case.kind == "lstm" else (2, kernel.shape[1]))
        return (ops.lstm if case.kind == "lstm" else ops.gru)(x, kernel, recurrent, bias)[0]
    settings = {"strides": case.stride, "padding": case.padding}
    if "pool" in case.kind:
        if case.stride == 1:
            settings["padding"] = "same"
        return (ops.max_pool if case.kind == "max_pool" else ops.avg_pool)(x, case.window, **settings)
    return (ops.conv if case.kind == "conv" else ops.depthwise_conv)(x, *weights, **settings)


def _plain(case: Case, x, *weights):
    if case.kind in ("lstm", "gru"):
        kernel, recurrent = weights
        bias = jnp.zeros(kernel.shape[1] if case.kind == "lstm" else (2, kernel.shape[1]))
        own = {"kernel": kernel, "recurrent_kernel": recurrent, "bias": bias}
        return plain_jax.recurrent(Op(case.kind, (), (), {"units": case.filters}), own, x, None)[0]
    if "pool" in case.kind:
        sizes = (1, case.window, case.window, 1), (1, case.stride, case.stride, 1)
        padding = [(0, 0), (case.padding,) * 2, (case.padding,) * 2, (0, 0)]
        if case.kind == "max_pool":
            return jax.lax.reduce_window(x, -jnp.inf, jax.lax.max, *sizes, padding)
        return jax.lax.reduce_window(x, 0.0, jax.lax.add, *sizes, padding) / case.window**2
    (kernel,) = weights
    op = Op(case.kind, (), (), {"stride": case.stride})
    if case.kind == "depthwise":
        return plain_jax.convolve(x, kernel.transpose(0, 1, 3, 2), op, groups=case.channels)
    return plain_jax.convolve(x, kernel, op)


def make(case: Case) -> Passes:
    """Compiled calls for each pass."""
    function = functools.partial(_plain if _LAX else _ours, case)
    x, *weights = jax.device_put(list(case.arrays().values()))
    forward = jax.jit(function)
    seed = jax.device_put(np.cos(np.arange(np.prod(forward(x, *weights).shape))).astype(np.float32))
    seed = seed.reshape(forward(x, *weights).shape)

    def pulled(x, weights, seed, *, inputs, back):
        def run(*chosen):
            both = [*chosen] if inputs and back else ([*chosen, *weights] if inputs else [x, *chosen])
            return function(*both)

        wanted = (x, *weights) if inputs and back else ((x,) if inputs else tuple(weights))
        return jax.vjp(run, *wanted)[1](seed)

    if case.passes[-1] == "forward and backward":

        def both(x, weights, seed):
            y, pull = jax.vjp(function, x, *weights)
            return y, pull(seed)

        compiled = jax.jit(both)
        calls = {
            "forward": functools.partial(forward, x, *weights),
            "forward and backward": lambda: compiled(x, weights, seed)[1],
        }
    else:
        of_input = jax.jit(functools.partial(pulled, inputs=True, back=False))
        of_weights = jax.jit(functools.partial(pulled, inputs=False, back=True))
        calls = {
            "forward": functools.partial(forward, x, *weights),
            "input gradient": functools.partial(of_input, x, weights, seed),
            "weight gradient": functools.partial(of_weights, x, weights, seed),
        }
    return {name: (_blocking(call), _flat(call)) for name, call in calls.items()}


def _blocking(call):
    return lambda: jax.block_until_ready(call())


def _flat(call):
    return lambda: np.concatenate([np.asarray(leaf).ravel() for leaf in jax.tree.leaves(call())])


if __name__ == "__main__":
    _LAX = sys.argv[1:] == ["lax"]
    main(make)
