"""Attention layers against loops over examples, heads, queries and keys in NumPy, float64."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import chainrule as cr
from chainrule._base.errors import ArgumentError, ArgumentTypeError, ShapeError
from chainrule.core import Context, Input, Variables
from chainrule.layers import AdditiveAttention, Attention, MultiHeadAttention


def weighted(scores, values, allowed):
    """One query: the weighted mean of the values that it may see, and the weights; zeros if it may see none."""
    weights = np.zeros(len(values))
    seen = [k for k in range(len(values)) if allowed[k]]
    if seen:
        found = np.exp([scores[k] - max(scores[j] for j in seen) for k in seen])
        weights[seen] = found / found.sum()
    return sum(w * v for w, v in zip(weights, values, strict=True)), weights


def loop(score, query, key, value, allowed):
    """Every query of every example by itself."""
    means, weights = [], []
    for b in range(len(query)):
        rows = [weighted([score(q, k) for k in key[b]], value[b], allowed[b, i]) for i, q in enumerate(query[b])]
        means.append([mean for mean, _ in rows])
        weights.append([weight for _, weight in rows])
    return np.array(means), np.array(weights)


def inputs(rng, batch=3, queries=4, keys=5, sizes=(6, 2, 6)):
    query, value, key = (
        rng.normal(size=(batch, steps, size)) for steps, size in zip((queries, keys, keys), sizes, strict=True)
    )
    mask, pairs = rng.uniform(size=(batch, keys)) < 0.7, rng.uniform(size=(batch, queries, keys)) < 0.7
    mask[0] = False  # a query that may look nowhere
    return query, value, key, mask, pairs


CASES = {
    "plain": (False, False, False),
    "keys": (True, False, False),
    "pairs": (False, True, False),
    "causal": (False, False, True),
    "all": (True, True, True),
}
every_mask = pytest.mark.parametrize("case", CASES)


def masks_of(case, mask, pairs):
    """The masks that are passed, and where each query may look."""
    has_keys, has_pairs, causal = CASES[case]
    allowed = np.ones(pairs.shape, bool)
    if has_keys:
        allowed &= mask[:, None]
    if has_pairs:
        allowed &= pairs
    if causal:
        allowed &= np.tri(*pairs.shape[1:], dtype=bool)
    return (mask if has_keys else None, pairs if has_pairs else None), allowed


def run(layer, params, *arrays):
    with jax.enable_x64(True):
        return layer.call(jax.tree.map(jnp.asarray, params), *(None if a is None else jnp.asarray(a) for a in arrays))


@every_mask
@pytest.mark.parametrize("kind", ["dot", "dot_scaled", "additive", "additive_plain"])
def test_single_attention_is_the_loop(kind, case):
    rng = np.random.default_rng(1)
    query, value, key, mask, pairs = inputs(rng)
    given, allowed = masks_of(case, mask, pairs)
    scale = rng.normal(size=6)
    options = {"use_causal_mask": CASES[case][2], "return_attention_scores": True}
    layer, params, score = {
        "dot": (Attention(**options), {}, lambda q, k: q @ k),
        "dot_scaled": (Attention(use_scale=True, **options), {"scale": np.array(0.3)}, lambda q, k: 0.3 * q @ k),
        "additive": (AdditiveAttention(**options), {"scale": scale}, lambda q, k: scale @ np.tanh(q + k)),
        "additive_plain": (AdditiveAttention(use_scale=False, **options), {}, lambda q, k: np.tanh(q + k).sum()),
    }[kind]
    for found, expected in zip(
        run(layer, params, query, value, key, *given), loop(score, query, key, value, allowed), strict=True
    ):
        np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-12)  # both in float64


@every_mask
@pytest.mark.parametrize("use_bias", [True, False])
def test_several_heads_are_the_loop_over_heads(case, use_bias):
    rng = np.random.default_rng(2)
    query, value, key, mask, pairs = inputs(rng, sizes=(6, 2, 3))
    given, allowed = masks_of(case, mask, pairs)
    layer = MultiHeadAttention(
        2,
        5,
        value_dim=4,
        use_bias=use_bias,
        output_shape=7,
        use_causal_mask=CASES[case][2],
        return_attention_scores=True,
    )
    wanted = layer.weights(*(Input(a.shape[1:]).spec for a in (query, value, key)))
    params = jax.tree.map(lambda w: rng.normal(size=w.shape), wanted, is_leaf=lambda w: hasattr(w, "init"))
    output, weights = run(layer, params, query, value, key, *given)
    expected = 0.0
    for head in range(2):
        q, k, v = (
            array @ params[name]["kernel"][:, head] + (params[name]["bias"][head] if use_bias else 0)
            for name, array in (("query", query), ("key", key), ("value", value))
        )
        means, own = loop(lambda q, k: q @ k / np.sqrt(5), q, k, v, allowed)
        expected = expected + means @ params["attention_output"]["kernel"][head]
        np.testing.assert_allclose(weights[:, head], own, rtol=1e-10, atol=1e-12)
    expected = expected + (params["attention_output"]["bias"] if use_bias else 0)
    np.testing.assert_allclose(output, expected, rtol=1e-10, atol=1e-12)


def test_a_sequence_attends_to_itself_when_nothing_else_is_given():
    rng = np.random.default_rng(3)
    x = rng.normal(size=(2, 3, 4))
    for layer in (Attention(), MultiHeadAttention(2, 3)):
        wanted = layer.weights(Input((3, 4)).spec)
        params = jax.tree.map(lambda w: rng.normal(size=w.shape), wanted, is_leaf=lambda w: hasattr(w, "init"))
        np.testing.assert_array_equal(run(layer, params, x), run(layer, params, x, x, x))


def test_kernels_start_with_the_fans_of_the_matrices_they_are():
    wanted = MultiHeadAttention(8, 16).weights(Input((3, 64)).spec)
    limits = {"query": np.sqrt(6 / (64 + 128)), "attention_output": np.sqrt(6 / (128 + 64))}
    for name, limit in limits.items():
        weight = wanted[name]["kernel"]
        drawn = np.abs(weight.init(jax.random.key(0), weight.shape, jnp.float32))
        assert 0.99 * limit < drawn.max() <= limit


def test_weights_are_dropped_in_training_alone():
    layer = Attention(dropout=0.5, return_attention_scores=False)
    query, value = jnp.zeros((6, 3, 2)), jnp.broadcast_to(jnp.eye(4), (6, 4, 4))
    training = Context(training=True, key=jax.random.key(0))
    output, _ = layer.apply(Variables({}, {}), query, value, jnp.zeros((6, 4, 2)), context=training)
    assert set(np.unique(output)) == {0.0, 0.5}  # four equal weights of 1/4, kept ones doubled
    np.testing.assert_allclose(layer.call({}, query, value, jnp.zeros((6, 4, 2))), 0.25)


def test_inputs_and_arguments_that_do_not_fit_are_refused():
    x = Input((3, 4))
    with pytest.raises(ArgumentError, match="num_heads must be an integer of at least 1; received 0"):
        MultiHeadAttention(0, 3)
    with pytest.raises(ArgumentError, match="dropout must be a finite number at least 0 and below 1"):
        Attention(dropout=1)
    with pytest.raises(ShapeError, match="must have 3 axes"):
        Attention()(Input(4))
    with pytest.raises(ShapeError, match="last axis of the input must be 4"):
        Attention()(x, Input((3, 5)))
    with pytest.raises(ArgumentTypeError, match=r"attention_mask must hold booleans.*received dtype float32"):
        MultiHeadAttention(1, 2)(x, x, attention_mask=Input((3, 3)))
    with pytest.raises(ArgumentTypeError, match=r"attention_mask must hold .*For a mask of padding, \[batch, keys\]"):
        MultiHeadAttention(1, 2)(x, x, attention_mask=Input(3, dtype="bool"))
    with pytest.raises(ShapeError, match=r"mask must have shape \[batch, time\], with the 3 steps"):
        MultiHeadAttention(1, 2)(x, x, mask=Input(5, dtype="bool"))


def test_inputs_go_by_place_or_by_name():
    layer, rng = MultiHeadAttention(2, 3, name="heads"), np.random.default_rng(5)
    shapes = {"query": (3, 4), "value": (5, 4), "key": (5, 4), "mask": (5,), "attention_mask": (3, 5)}
    symbols = {n: Input(s, name=n, dtype="bool" if "mask" in n else "float32") for n, s in shapes.items()}
    arrays = [rng.normal(size=(2, *s)) > 0 if "mask" in n else rng.normal(size=(2, *s)) for n, s in shapes.items()]
    models = [
        cr.Model(list(symbols.values()), made, seed=1)
        for made in (layer(*symbols.values()), layer(list(symbols.values())), layer(**symbols))
    ]
    first, *others = (model.predict(arrays) for model in models)
    for other in others:
        np.testing.assert_array_equal(other, first)
    with pytest.raises(ArgumentTypeError, match=r"heads .*received 'values'. Did you mean 'value'"):
        layer(symbols["query"], values=symbols["value"])
    with pytest.raises(ArgumentTypeError, match="called without an input"):
        layer()
