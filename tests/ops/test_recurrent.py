"""LSTM, GRU and the simple recurrence against loops in double precision, and against their plain forms."""

import functools
import itertools
import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import export

from chainrule._base.errors import ShapeError
from chainrule.ops import gru, lstm, native, recurrent_native, recurrent_scan, simple_rnn

OPS = {"lstm": lstm, "gru": gru, "gru_before": functools.partial(gru, reset_after=False), "rnn": simple_rnn}
GATES = {"lstm": 4, "gru": 3, "gru_before": 3, "rnn": 1}


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def cell(kind, x, h, c, weights, dropout):
    """One step for one example, in double precision."""
    kernel, recurrent, bias = weights
    seen, n = h * dropout, h.size
    if kind == "rnn":
        return np.tanh(x @ kernel + seen @ recurrent + bias), c
    if kind == "lstm":
        i, f, g, o = np.split(x @ kernel + seen @ recurrent + bias, 4)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        return sigmoid(o) * np.tanh(c), c
    outer, inner = bias if kind == "gru" else (bias, np.zeros(3 * n))
    of_x, of_h = x @ kernel + outer, seen @ recurrent + inner
    z, r = sigmoid(of_x[:n] + of_h[:n]), sigmoid(of_x[n : 2 * n] + of_h[n : 2 * n])
    last = r * of_h[2 * n :] if kind == "gru" else (r * seen) @ recurrent[:, 2 * n :]
    return z * h + (1 - z) * np.tanh(of_x[2 * n :] + last), c


def reference(kind, a, *, reverse):
    """Outputs, last h, last c."""
    x = np.asarray(a["x"], float)
    batch, time, units = *x.shape[:2], a["recurrent"].shape[0]
    outputs, h, c = np.zeros((batch, time, units)), np.array(a["h"], float), np.array(a["c"], float)
    weights = [np.asarray(a[name], float) for name in ("kernel", "recurrent", "bias")]
    for row in range(batch):
        last = np.zeros(units)
        for t in reversed(range(time)) if reverse else range(time):
            if a["mask"][row, t]:
                h[row], c[row] = cell(kind, x[row, t], h[row], c[row], weights, np.asarray(a["dropout"][row], float))
                last = h[row]
            outputs[row, t] = last
    return outputs, h, c


def draw(kind, shape=(3, 5, 2, 7), seed=0):
    batch, time, features, units = shape
    columns = GATES[kind] * units
    random = np.random.default_rng(seed)

    def normal(*size):
        return random.normal(size=size).astype(np.float32)

    return {
        "x": normal(batch, time, features),
        "kernel": normal(features, columns) / 2,
        "recurrent": normal(units, columns) / 2,
        "bias": normal(*((2, columns) if kind == "gru" else (columns,))),
        "h": normal(batch, units),
        "c": normal(batch, units),
        "mask": np.arange(batch * time).reshape(batch, time) * 5 % 7 > 2,
        "dropout": (random.random((batch, units)) < 0.7).astype(np.float32) / np.float32(0.7),
    }


def run(kind, a, **options):
    """Outputs and states as one flat tuple."""
    initial = (a["h"], a["c"]) if kind == "lstm" else a["h"]
    outputs, state = OPS[kind](
        a["x"],
        a["kernel"],
        a["recurrent"],
        a["bias"],
        initial=initial,
        mask=a["mask"],
        recurrent_mask=a["dropout"],
        **options,
    )
    return outputs, *(state if kind == "lstm" else (state,))


def close(found, wanted, bound):
    """Within ``bound`` of the largest value: sums of products in single precision lose that much, not more."""
    found, wanted = np.asarray(found, float), np.asarray(wanted, float)
    assert found.shape == wanted.shape
    assert np.abs(found - wanted).max(initial=0) <= bound * max(np.abs(wanted).max(initial=0), 1e-3)


@pytest.mark.parametrize(("kind", "reverse"), list(itertools.product(OPS, (False, True))))
def test_values_of_masked_dropped_sequences(kind, reverse):
    a = draw(kind)
    for found, wanted in zip(run(kind, a, reverse=reverse), reference(kind, a, reverse=reverse), strict=False):
        close(found, wanted, 1e-5)


def objective(kind, a, weights, **options):
    return sum((result * weight).sum() for result, weight in zip(run(kind, a, **options), weights, strict=True))


@pytest.mark.parametrize("kind", ["lstm", "gru"])
def test_gradients_are_slopes(kind):
    """Of every argument, against central differences of the loops in double precision."""
    a = draw(kind)
    random = np.random.default_rng(1)
    weights = [random.normal(size=result.shape) for result in run(kind, a)]
    floats = {name: value for name, value in a.items() if name != "mask" and (kind == "lstm" or name != "c")}
    slope = jax.jit(jax.grad(lambda f: objective(kind, a | f, [jnp.float32(w) for w in weights])))(floats)

    def height(name, where, by):
        moved = np.array(a[name], float)
        moved[where] += by
        results = reference(kind, a | {name: moved}, reverse=False)
        return sum((result * weight).sum() for result, weight in zip(results, weights, strict=False))

    for name, value in floats.items():
        wanted = np.zeros(value.shape)
        for where in np.ndindex(value.shape):
            wanted[where] = (height(name, where, 1e-5) - height(name, where, -1e-5)) / 2e-5
        close(slope[name], wanted, 5e-5)


@pytest.mark.parametrize("kind", OPS)
def test_masked_steps_do_not_matter(kind):
    """Whatever stands in masked steps, even NaN, changes neither results nor gradients."""
    a = draw(kind, (4, 6, 2, 3))
    a["mask"] = np.array([[0, 0, 1, 1, 1, 1], [1, 1, 1, 0, 0, 0], [1, 0, 1, 0, 1, 0], [0] * 6], bool)
    spoiled = np.where(a["mask"][..., None], a["x"], np.float32("nan"))
    step = jax.jit(
        lambda x: jax.value_and_grad(
            lambda f: (sum(jnp.sum(r**2) for r in run(kind, a | f)), run(kind, a | f)), has_aux=True
        )({"x": x, "kernel": a["kernel"]})
    )
    clean, dirty = step(a["x"]), step(spoiled)
    assert jax.tree.all(jax.tree.map(lambda p, q: bool((p == q).all()), clean, dirty))
    outputs, h = clean[0][1][:2]
    assert (h[3] == a["h"][3]).all()
    assert (outputs[3] == 0).all()
    assert (outputs[0, :2] == 0).all()
    assert (outputs[1, 3:] == outputs[1, 2]).all()
    assert not clean[1]["x"][~a["mask"]].any()


@pytest.mark.parametrize("kind", OPS)
def test_padding_on_either_side_gives_the_same_state(kind):
    a = draw(kind, (2, 4, 3, 5))
    a["mask"] = np.ones((2, 4), bool)
    wanted = run(kind, a)[1]
    for low, high in ((3, 0), (0, 3)):
        pad = ((0, 0), (low, high))
        longer = a | {"x": np.pad(a["x"], (*pad, (0, 0)), constant_values=9), "mask": np.pad(a["mask"], pad)}
        close(run(kind, longer)[1], wanted, 1e-6)


@pytest.mark.parametrize("kind", OPS)
@pytest.mark.parametrize("shape", [(0, 5, 2, 3), (2, 0, 2, 3), (1, 1, 2, 3), (1, 6, 1, 1), (5, 4, 67, 33)])
def test_odd_sizes(kind, shape):
    a = draw(kind, shape)
    step = jax.jit(jax.value_and_grad(lambda x: sum(r.sum() for r in run(kind, a | {"x": x})), allow_int=False))
    total, slope = step(a["x"])
    assert slope.shape == a["x"].shape
    assert np.isfinite(slope).all()
    wanted = sum(r.sum() for r in reference(kind, a, reverse=False)[: 3 if kind == "lstm" else 2])
    close(total, wanted, 2e-5 * max(1, a["h"].size))  # sums of values of either sign


@pytest.mark.parametrize("kind", ["lstm", "gru"])
def test_without_bias_mask_and_state(kind):
    a = draw(kind)
    outputs, state = OPS[kind](a["x"], a["kernel"], a["recurrent"])
    plain = {
        "bias": 0 * a["bias"],
        "h": 0 * a["h"],
        "c": 0 * a["c"],
        "mask": a["mask"] | True,
        "dropout": 1 + 0 * a["h"],
    }
    wanted = reference(kind, a | plain, reverse=False)
    close(outputs, wanted[0], 1e-5)
    for found, state_wanted in zip(jax.tree.leaves(state), wanted[1:], strict=False):
        close(found, state_wanted, 1e-5)


@pytest.mark.parametrize("kind", ["lstm", "gru"])
def test_second_derivatives_are_those_of_the_plain_form(kind):
    a = draw(kind, (2, 4, 2, 3))
    initial = (a["h"], a["c"])[: 2 if kind == "lstm" else 1]
    given = recurrent_scan.Given(a["x"], a["kernel"], a["recurrent"], a["bias"], initial, a["mask"], a["dropout"])
    assert recurrent_native.runs(given) == native.enabled()
    plain = {"lstm": recurrent_scan.lstm, "gru": recurrent_scan.gru}[kind]

    def curvature(function):
        def bend(x, kernel):
            slopes = jax.grad(lambda x, k: jnp.sum(function(x, k) ** 2), argnums=(0, 1))(x, kernel)
            return sum(jnp.sum(slope**2) for slope in slopes)

        return jax.jit(jax.grad(bend, argnums=(0, 1)))(given.x, given.kernel)

    found = curvature(lambda x, kernel: run(kind, a | {"x": x, "kernel": kernel})[0])
    wanted = curvature(lambda x, kernel: plain(given._replace(x=x, kernel=kernel), reverse=False)[0])
    for one, other in zip(found, wanted, strict=True):
        close(one, other, 5e-5)


@pytest.mark.parametrize("kind", ["lstm", "gru"])
def test_under_transformations(kind):
    """vmap, scan and symbolic batch sizes give what a plain call gives."""
    a = draw(kind, (2, 4, 3, 5))
    alone = run(kind, a)[0]
    many = jax.vmap(lambda x: run(kind, a | {"x": x})[0])(np.stack([a["x"], 2 * a["x"]]))
    close(many[0], alone, 1e-6)
    close(many[1], run(kind, a | {"x": 2 * a["x"]})[0], 1e-6)
    _, scanned = jax.lax.scan(lambda s, x: (s, run(kind, a | {"x": x})[0]), 0, a["x"][None])
    close(scanned[0], alone, 1e-6)
    (batch,) = export.symbolic_shape("b")

    def simple(x):
        return OPS[kind](x, a["kernel"], a["recurrent"], a["bias"])[0]

    allowed = [export.DisabledSafetyCheck.custom_call(f"chainrule_{kind}")]
    exported = export.export(jax.jit(simple), disabled_checks=allowed)(jax.ShapeDtypeStruct((batch, 4, 3), jnp.float32))
    close(exported.call(a["x"]), simple(a["x"]), 1e-6)


@pytest.mark.parametrize("kind", OPS)
@pytest.mark.parametrize("dtype", [jnp.bfloat16, jnp.float16])
def test_other_dtypes_are_kept(kind, dtype):
    a = draw(kind)
    short = {name: value if name == "mask" else jnp.asarray(value, dtype) for name, value in a.items()}
    outputs = run(kind, short)[0]
    assert outputs.dtype == dtype
    close(outputs.astype(jnp.float32), reference(kind, a, reverse=False)[0], 0.1)  # 8 bits of precision, 5 steps


def test_gates_of_one_step():
    """One LSTM unit, one step: c = σ(1)·tanh(3) + σ(2)·c0, h = σ(4)·tanh(c)."""
    kernel, zeros = jnp.array([[1.0, 2.0, 3.0, 4.0]]), jnp.zeros((1, 4))
    ones = jnp.ones((1, 1))
    _, (h, c) = lstm(ones[None], kernel, zeros, initial=(ones, ones))
    cell_state = sigmoid(1) * np.tanh(3) + sigmoid(2)
    assert float(c[0, 0]) == pytest.approx(cell_state, rel=1e-6)
    assert float(h[0, 0]) == pytest.approx(sigmoid(4) * np.tanh(cell_state), rel=1e-6)


FITTING = {"x": (5, 6, 2), "kernel": (2, 12), "recurrent_kernel": (3, 12), "bias": (12,), "mask": (5, 6)}


@pytest.mark.parametrize(
    "change",
    [
        {"x": (6, 2)},
        {"x": (5, 6, 3)},
        {"kernel": (2, 11)},
        {"kernel": (24,)},
        {"recurrent_kernel": (4, 12)},
        {"recurrent_kernel": (3, 9)},
        {"bias": (2, 12)},
        {"mask": (6, 5)},
        {"initial": (3,)},
        {"initial": (1, 3)},
    ],
    ids=str,
)
def test_what_does_not_belong_together_is_refused_with_its_shapes(change):
    shapes = FITTING | {"initial": (5, 3)} | change
    arrays = {name: jnp.ones(shape) for name, shape in shapes.items()}
    arrays["initial"] = (arrays["initial"], jnp.ones((5, 3)))
    (received,) = change.values()
    with pytest.raises(ShapeError, match=r"lstm: .* must .*" + re.escape(str(received)) + r".* Check "):
        lstm(**arrays)


def test_a_bias_of_the_other_gru_is_refused():
    weights = jnp.ones((5, 6, 2)), jnp.ones((2, 9)), jnp.ones((3, 9))
    with pytest.raises(ShapeError, match=r"bias \[2, 3·units\].*and \(9,\)"):
        gru(*weights, jnp.ones(9))
    with pytest.raises(ShapeError, match=r"bias \[3·units\].*and \(2, 9\)"):
        gru(*weights, jnp.ones((2, 9)), reset_after=False)


def test_mixed_dtypes_are_promoted_and_gradients_keep_their_arrays_dtype():
    rng = np.random.default_rng(0)
    wide = [jnp.asarray(rng.normal(size=FITTING[name]), jnp.float32) for name in ("x", "kernel", "recurrent_kernel")]
    narrow = wide[0].astype(jnp.bfloat16), *wide[1:]
    y, pull = jax.vjp(lambda *a: lstm(*a)[0], *narrow)
    np.testing.assert_array_equal(y, lstm(narrow[0].astype(jnp.float32), *wide[1:])[0])
    assert [slope.dtype for slope in pull(y)] == [jnp.bfloat16, jnp.float32, jnp.float32]
    assert lstm(jnp.ones(FITTING["x"], int), *wide[1:])[0].dtype == jnp.float32
