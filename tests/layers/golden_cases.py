"""Layers run on the golden arrays that the scripts of this repository took from peers."""

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

from chainrule._base.tree import flatten, unflatten
from chainrule.core import Context, Variables

GOLDEN = Path(__file__).parents[1] / "golden"


def golden(peer, family):
    with np.load(GOLDEN / f"{peer}_{family}.npz", allow_pickle=False) as file:
        return unflatten({name: file[name] for name in file.files})


def arguments(layer, inputs, masks):
    """The inputs in their order, and the masks where the layer has them."""
    given = [inputs[key] for key in sorted(inputs)]
    for name, mask in masks.items():
        position = layer.input_names.index(name)
        given += [None] * (position - len(given)) + [jnp.asarray(mask)]
    return given


def agree(layer, case, *, training=False, zeroed=False):
    """Require the peer's values, its gradients of inputs and weights, and its state afterwards.

    With ``zeroed`` the peer's output is 0 in masked steps, where the layer's repeats the last one.
    """
    state = jax.tree.map(jnp.asarray, case.get("state", {}))

    @jax.jit
    def run(leaves):
        def output(leaves):
            given = arguments(layer, leaves["inputs"], case.get("masks", {}))
            variables = Variables(leaves.get("params", {}), state)
            y, after = layer.apply(variables, *given, context=Context(training=training))
            return (y * case["masks"]["mask"][..., None] if zeroed else y), after

        y, back, after = jax.vjp(output, leaves, has_aux=True)
        return y, back(jnp.asarray(case["upstream"]))[0], after

    leaves = {key: jax.tree.map(jnp.asarray, case[key]) for key in ("inputs", "params") if key in case}
    y, gradient, after = run(leaves)
    assert y.shape == case["y"].shape
    close(y, case["y"])
    expected = flatten(case["gradient"]) | flatten({"state": case.get("state_after", {})})
    found = flatten(gradient) | flatten({"state": after})
    assert set(found) == set(expected)
    for path, array in found.items():
        close(array, expected[path])


def close(actual, expected):
    """The peers computed in float64; float32 sums of up to a hundred products of size 1 err by 1e-5 of the largest."""
    np.testing.assert_allclose(actual, expected, rtol=1e-5, atol=1e-5 * np.abs(expected).max(initial=1))
