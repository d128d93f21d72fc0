"""Every optimizer against a NumPy float64 loop written from the paper, and against Optax, over 100 steps."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from chainrule import optimizers as cro

STEPS = 100
SHAPES = {"kernel": (3, 2), "bias": (2,)}
START = {name: np.random.default_rng(3).normal(0, 0.3, shape) for name, shape in SHAPES.items()}
# sizes from 0.01 to 10, so that the adaptive rules have something to adapt to
GRADS = {
    name: np.random.default_rng(4).normal(0, 1, (STEPS, *shape))
    * 10.0 ** np.random.default_rng(5).uniform(-2, 1, shape)
    for name, shape in SHAPES.items()
}


def sgd(w, g, s, t, *, rate, mu=0.0, nesterov=False, decay=0.0):
    g = g + decay * w
    s["a"] = mu * s.get("a", 0) + g
    return w - rate * (g + mu * s["a"] if nesterov else s["a"])


def adam(w, g, s, t, *, rate, b1=0.9, b2=0.999, eps=1e-8, decay=0.0, amsgrad=False, vectors=True):
    s["m"] = b1 * s.get("m", 0) + (1 - b1) * g
    s["v"] = b2 * s.get("v", 0) + (1 - b2) * g**2
    s["top"] = np.maximum(s.get("top", 0), s["v"])
    second = (s["top"] if amsgrad else s["v"]) / (1 - b2**t)
    lam = decay if vectors or w.ndim > 1 else 0.0
    return w - rate * (s["m"] / (1 - b1**t) / (np.sqrt(second) + eps) + lam * w)


def adamax(w, g, s, t, *, rate, b1=0.9, b2=0.999, eps=1e-8):
    s["m"] = b1 * s.get("m", 0) + (1 - b1) * g
    s["u"] = np.maximum(b2 * s.get("u", 0), abs(g))
    return w - rate / (1 - b1**t) * s["m"] / (s["u"] + eps)


def nadam(w, g, s, t, *, rate, b1=0.9, b2=0.999, eps=1e-8):
    s["m"] = b1 * s.get("m", 0) + (1 - b1) * g
    s["v"] = b2 * s.get("v", 0) + (1 - b2) * g**2
    ahead = b1 * s["m"] / (1 - b1 ** (t + 1)) + (1 - b1) * g / (1 - b1**t)
    return w - rate * ahead / (np.sqrt(s["v"] / (1 - b2**t)) + eps)


def lion(w, g, s, t, *, rate, b1=0.9, b2=0.99, decay=0.0):
    m = s.get("m", 0)
    s["m"] = b2 * m + (1 - b2) * g
    return w - rate * (np.sign(b1 * m + (1 - b1) * g) + decay * w)


def rmsprop(w, g, s, t, *, rate, rho=0.9, mu=0.0, eps=1e-8, centered=False):
    s["v"] = rho * s.get("v", 0) + (1 - rho) * g**2
    s["m"] = rho * s.get("m", 0) + (1 - rho) * g
    variance = s["v"] - s["m"] ** 2 if centered else s["v"]
    s["a"] = mu * s.get("a", 0) + g / (np.sqrt(variance) + eps)
    return w - rate * s["a"]


def adagrad(w, g, s, t, *, rate, start=0.0, eps=1e-10):
    s["G"] = s.get("G", start) + g**2
    return w - rate * g / (np.sqrt(s["G"]) + eps)


def adadelta(w, g, s, t, *, rate=1.0, rho=0.95, eps=1e-6):
    s["v"] = rho * s.get("v", 0) + (1 - rho) * g**2
    step = -np.sqrt(s.get("d", 0) + eps) / np.sqrt(s["v"] + eps) * g
    s["d"] = rho * s.get("d", 0) + (1 - rho) * step**2
    return w + rate * step


# (ours, the paper's rule, its settings, Optax's, or None where Optax defines it otherwise)
TABLE = {
    "sgd": (cro.SGD(0.01), sgd, {"rate": 0.01}, optax.sgd(0.01)),
    "momentum": (cro.SGD(0.002, momentum=0.9), sgd, {"rate": 0.002, "mu": 0.9}, optax.sgd(0.002, momentum=0.9)),
    "nesterov": (
        cro.SGD(0.002, momentum=0.8, nesterov=True),
        sgd,
        {"rate": 0.002, "mu": 0.8, "nesterov": True},
        optax.sgd(0.002, momentum=0.8, nesterov=True),
    ),
    "sgd_decay": (
        cro.SGD(0.01, momentum=0.5, weight_decay=0.3),
        sgd,
        {"rate": 0.01, "mu": 0.5, "decay": 0.3},
        optax.chain(optax.add_decayed_weights(0.3), optax.sgd(0.01, momentum=0.5)),
    ),
    "adam": (cro.Adam(0.01), adam, {"rate": 0.01}, optax.adam(0.01)),
    "adam_settings": (
        cro.Adam(0.01, beta_1=0.7, beta_2=0.95, epsilon=0.01),
        adam,
        {"rate": 0.01, "b1": 0.7, "b2": 0.95, "eps": 0.01},
        optax.adam(0.01, b1=0.7, b2=0.95, eps=0.01),
    ),
    "amsgrad": (cro.Adam(0.01, beta_2=0.9, amsgrad=True), adam, {"rate": 0.01, "b2": 0.9, "amsgrad": True}, None),
    "adamw": (
        cro.AdamW(0.01, weight_decay=0.2),
        adam,
        {"rate": 0.01, "decay": 0.2},
        optax.adamw(0.01, weight_decay=0.2),
    ),
    "adamw_matrices": (
        cro.AdamW(0.01, weight_decay=0.2, exclude_vectors=True),
        adam,
        {"rate": 0.01, "decay": 0.2, "vectors": False},
        optax.adamw(0.01, weight_decay=0.2, mask={"kernel": True, "bias": False}),
    ),
    "adamax": (cro.Adamax(0.01), adamax, {"rate": 0.01}, optax.adamax(0.01)),
    "nadam": (cro.Nadam(0.01), nadam, {"rate": 0.01}, optax.nadam(0.01)),
    "lion": (cro.Lion(0.001, 0.3), lion, {"rate": 0.001, "decay": 0.3}, optax.lion(0.001, weight_decay=0.3)),
    "rmsprop": (
        cro.RMSProp(0.01),
        rmsprop,
        {"rate": 0.01},
        optax.rmsprop(0.01, decay=0.9, eps=1e-8, eps_in_sqrt=False),
    ),
    "rmsprop_momentum": (
        cro.RMSProp(0.002, rho=0.8, momentum=0.7),
        rmsprop,
        {"rate": 0.002, "rho": 0.8, "mu": 0.7},
        optax.rmsprop(0.002, decay=0.8, eps=1e-8, momentum=0.7, eps_in_sqrt=False),
    ),
    # a large epsilon: right after the start the variance is a difference of nearly equal numbers
    "rmsprop_centered": (
        cro.RMSProp(0.01, centered=True, epsilon=0.1),
        rmsprop,
        {"rate": 0.01, "centered": True, "eps": 0.1},
        optax.rmsprop(0.01, decay=0.9, eps=0.1, centered=True, eps_in_sqrt=False),
    ),
    "adagrad": (
        cro.Adagrad(0.1),
        adagrad,
        {"rate": 0.1},
        optax.adagrad(0.1, initial_accumulator_value=0.0, eps=1e-14),
    ),
    "adagrad_start": (
        cro.Adagrad(0.1, initial_accumulator_value=0.5),
        adagrad,
        {"rate": 0.1, "start": 0.5},
        optax.adagrad(0.1, initial_accumulator_value=0.5, eps=1e-10),
    ),
    "adadelta": (cro.Adadelta(), adadelta, {}, optax.adadelta(1.0, rho=0.95, eps=1e-6)),
    "adadelta_rate": (
        cro.Adadelta(0.3, rho=0.8, epsilon=1e-3),
        adadelta,
        {"rate": 0.3, "rho": 0.8, "eps": 1e-3},
        optax.adadelta(0.3, rho=0.8, eps=1e-3),
    ),
}


def descend(optimizer, dtype):
    """The weights after each step, in one compiled loop."""

    def body(carry, inputs):
        params, state = carry
        step, grads = inputs
        params, state = optimizer.apply_gradients(grads, state, params, step=step)
        return (params, state), params

    params = jax.tree.map(lambda a: jnp.asarray(a, dtype), START)
    grads = jax.tree.map(lambda a: jnp.asarray(a, dtype), GRADS)
    carry = (params, optimizer.init(params))
    return jax.jit(lambda carry: jax.lax.scan(body, carry, (jnp.arange(STEPS, dtype=jnp.int32), grads))[1])(carry)


def reference(rule, settings):
    """The same in NumPy float64."""
    path = {name: [] for name in START}
    for name, weight in START.items():
        slots = {}
        for t in range(STEPS):
            weight = rule(weight, GRADS[name][t], slots, t + 1, **settings)
            path[name].append(weight)
    return path


@pytest.mark.parametrize("case", TABLE)
def test_float32_is_within_1e_6_of_numpy_over_100_steps(case):
    """C100 C101 C102 C103 C104: the weights after each of 100 steps."""
    ours, rule, settings, _ = TABLE[case]
    path, expected = descend(ours, jnp.float32), reference(rule, settings)
    for name in SHAPES:
        assert np.abs(expected[name][-1] - START[name]).max() > 0.005  # it went somewhere
        # weights are about 1: 100 additions round by at most 100 · 6e-8, in practice a tenth of it
        np.testing.assert_allclose(path[name], expected[name], rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("case", TABLE)
def test_float64_equals_numpy_and_optax_over_100_steps(case):
    """C100 C101 C102 C103 C104: without rounding in the way, the same numbers as the papers' rules and Optax."""
    ours, rule, settings, theirs = TABLE[case]
    expected = reference(rule, settings)
    with jax.enable_x64(True):
        path = descend(ours, jnp.float64)
        other = path if theirs is None else descend(cro.get(theirs), jnp.float64)
    for name in SHAPES:
        assert path[name].dtype == np.float64
        np.testing.assert_allclose(path[name], expected[name], rtol=1e-12, atol=1e-12)
        # Optax has Adagrad's epsilon inside of the root and Adamax's inside of the maximum: 1e-8 of small gradients
        np.testing.assert_allclose(path[name], other[name], rtol=1e-6, atol=1e-6)


def test_every_registered_optimizer_is_in_the_table():
    from_table = {type(row[0]) for row in TABLE.values()}
    names = ("sgd", "adam", "adamw", "adamax", "nadam", "lion", "rmsprop", "adagrad", "adadelta")
    assert {type(cro.get(name)) for name in names} == from_table
