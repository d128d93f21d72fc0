"""The recurrent handlers called with sizes that do not belong together: an error each time, never a crash."""

import jax
import numpy as np
import pytest

from chainrule.ops import native

pytestmark = pytest.mark.skipif(not native.enabled(), reason="needs the kernels")

B, T, F, U = 3, 5, 2, 4
STATE, SEQUENCE, KEPT, CELLS = (B, U), (B, T, U), (T, B, 4 * U), (T, B, U)
MASK = (B, T)


def shapes(name):
    """Shapes of the arguments and of the results, by what they are; the mask is ``mask``."""
    gates = 4 if name.startswith("lstm") else 3
    columns = gates * U
    bias = (columns,) if gates == 4 else (2, columns)
    weights = {"kernel": (F, columns), "recurrent": (U, columns), "bias": bias}
    states = {"h": STATE, "c": STATE} if gates == 4 else {"h": STATE}
    kept = {"gates": KEPT, "cells": CELLS} if gates == 4 else {"gates": KEPT}
    optional = {"mask": MASK, "dropout": STATE}
    if name.endswith("_gradient"):
        arguments = {
            "recurrent": (U, columns),
            **states,
            **optional,
            "outputs": SEQUENCE,
            **kept,
            "d_outputs": SEQUENCE,
        }
        return arguments | {f"d_{key}": STATE for key in states}, {"d_gates": KEPT, **states, "d_dropout": STATE}
    if name.endswith("_weights"):
        return {"x": (B, T, F), "h": STATE, "outputs": SEQUENCE, **optional, "d_gates": KEPT}, weights
    return {"x": (B, T, F), **weights, **states, **optional}, {"outputs": SEQUENCE, **states, **kept}


def call(name, arguments, results, **attributes):
    arrays = [np.zeros(shape, bool if key == "mask" else np.float32) for key, shape in arguments.items()]
    specs = [jax.ShapeDtypeStruct(shape, np.float32) for shape in results.values()]
    if name in ("lstm", "gru"):
        attributes = {"keep": True, **attributes}
    return jax.block_until_ready(native.call(name, specs, *arrays, **{"reverse": False, **attributes}))


NAMES = ["lstm", "gru", "lstm_gradient", "gru_gradient", "lstm_weights", "gru_weights"]


@pytest.mark.parametrize("name", NAMES)
def test_right_sizes_run(name):
    results = call(name, *shapes(name))
    assert all(np.isfinite(result).all() for result in results)


def wrong(shape):
    """One axis larger, one smaller, one axis more and one fewer."""
    for axis in range(len(shape)):
        yield (*shape[:axis], shape[axis] + 1, *shape[axis + 1 :])
        yield (*shape[:axis], 0, *shape[axis + 1 :])
    yield (*shape, 1)
    yield shape[1:]


@pytest.mark.parametrize("name", NAMES)
def test_every_wrong_size_is_an_error(name):
    """Each array in turn; x's features alone may be anything, and the dropout's gradient hangs on the dropout."""
    for side in (0, 1):
        for key, shape in shapes(name)[side].items():
            for other in wrong(shape):
                arguments, results = shapes(name)
                (arguments, results)[side][key] = other
                with pytest.raises(Exception, match=f"{name}: .* must"):
                    call(name, arguments, results)


@pytest.mark.parametrize("name", ["lstm", "gru"])
def test_nothing_is_kept_where_nothing_is_asked_for(name):
    arguments, results = shapes(name)
    with pytest.raises(Exception, match="not kept"):
        call(name, arguments, results, keep=False)
    empty = {key: (0, 0, 0) for key in ("gates", "cells") if key in results}
    outputs = call(name, arguments, results | empty, keep=False)[0]
    assert outputs.shape == SEQUENCE
    with pytest.raises(Exception, match="must be"):
        call(name, arguments, results | empty, keep=True)
