"""Initial weights: moments, limits and shapes."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from chainrule import initializers
from chainrule._base.errors import ArgumentError, ArgumentTypeError, ShapeError, UnknownNameError
from chainrule._base.registry import from_config, to_config

KEY = jax.random.key(7)
SIZES = (60, 90)  # 5400 draws: a standard deviation is met within 4 · 1/√(2 · 5400) = 4 %


def test_random_normal_has_its_mean_and_deviation():
    """C111: w ~ N(mean, σ²), by moments and by the Kolmogorov-Smirnov test."""
    draws = np.asarray(initializers.RandomNormal(mean=1.5, stddev=0.2)(KEY, SIZES))
    assert draws.mean() == pytest.approx(1.5, abs=4 * 0.2 / math.sqrt(draws.size))
    assert draws.std() == pytest.approx(0.2, rel=0.04)
    assert stats.kstest(draws.ravel(), "norm", args=(1.5, 0.2)).pvalue > 1e-3


def test_random_uniform_fills_its_range():
    draws = np.asarray(initializers.RandomUniform(-0.5, 1.5)(KEY, SIZES))
    assert stats.kstest(draws.ravel(), "uniform", args=(-0.5, 2.0)).pvalue > 1e-3


def test_truncated_normal_is_cut_at_two_deviations():
    draws = np.asarray(initializers.TruncatedNormal(mean=1.0, stddev=0.5)(KEY, SIZES))
    assert np.abs(draws - 1.0).max() <= 1.0
    assert stats.kstest(draws.ravel(), "truncnorm", args=(-2, 2, 1.0, 0.5)).pvalue > 1e-3


def test_biases_begin_at_zero_or_a_small_constant():
    """C112: zeros, ones and constants."""
    assert initializers.get("zeros")(KEY, (3,), jnp.float32).tolist() == [0.0] * 3
    assert initializers.get("ones")(KEY, (3,), jnp.float32).tolist() == [1.0] * 3
    assert initializers.Constant(0.125)(KEY, (2, 1)).tolist() == [[0.125], [0.125]]


@pytest.mark.parametrize(
    ("start", "stay_equal"), [("zeros", True), (initializers.Constant(0.3), True), ("glorot_uniform", False)]
)
def test_hidden_units_that_begin_equal_stay_equal(start, stay_equal):
    """C113: with zero (or any equal) initial weights all hidden units get the same updates for ever."""
    x = np.random.default_rng(0).normal(size=(7, 3)).astype(np.float32)
    y = np.sin(x[:, :1])
    init = initializers.get(start)
    weights = init(jax.random.key(1), (3, 4), jnp.float32), init(jax.random.key(2), (4, 1), jnp.float32)

    @jax.jit
    def step(weights):
        def loss(weights):
            return jnp.mean((jax.nn.sigmoid(x @ weights[0]) @ weights[1] - y) ** 2)

        return jax.tree.map(lambda w, g: w - 0.5 * g, weights, jax.grad(loss)(weights))

    before = weights
    for _ in range(20):
        weights = step(weights)
    assert np.abs(weights[0] - before[0]).max() > 1e-3  # it learns, but as one unit
    spread = np.ptp(np.asarray(weights[0]), axis=1).max()
    assert (spread < 1e-6) == stay_equal


def test_glorot_limits():
    """C114: r = √(6 / (n_in + n_out)): 1.0 for 4 to 2, 0.0811107 for 784 to 128."""
    glorot = initializers.GlorotUniform()
    assert glorot.limit((4, 2)) == 1.0
    assert glorot.limit((784, 128)) == pytest.approx(0.0811107, abs=5e-8)
    draws = np.asarray(glorot(KEY, SIZES))
    limit = math.sqrt(6 / 150)
    assert stats.kstest(draws.ravel(), "uniform", args=(-limit, 2 * limit)).pvalue > 1e-3


@pytest.mark.parametrize(
    ("name", "variance"),
    [
        ("glorot_uniform", 2 / 150),
        ("glorot_normal", 2 / 150),
        ("he_uniform", 2 / 60),
        ("he_normal", 2 / 60),
        ("lecun_uniform", 1 / 60),
        ("lecun_normal", 1 / 60),
    ],
)
def test_variance_comes_from_the_fans(name, variance):
    """C114 C115: Glorot 2/(in + out), He 2/in, LeCun 1/in; the cut normals after their cut."""
    draws = np.asarray(initializers.get(name)(KEY, SIZES, jnp.float32))
    assert draws.var() == pytest.approx(variance, rel=0.08)
    assert abs(draws.mean()) < 4 * math.sqrt(variance / draws.size)
    theirs = getattr(jax.nn.initializers, name)()(KEY, SIZES, jnp.float32)
    assert np.abs(draws).max() == pytest.approx(float(jnp.abs(theirs).max()), rel=0.02)  # the same cut


def test_convolution_kernels_count_their_window():
    """C114: the fans of [3, 5, 2, 7] are 3·5·2 and 3·5·7."""
    assert initializers.fans((3, 5, 2, 7)) == (30, 105)
    assert initializers.fans((6, 2, 7)) == (12, 42)
    assert initializers.fans((5,)) == (5, 5)
    assert initializers.fans(()) == (1, 1)
    assert initializers.HeUniform().limit((3, 5, 2, 7)) == pytest.approx(math.sqrt(6 / 30))


@pytest.mark.parametrize("shape", [(5, 5), (6, 3), (3, 6), (2, 3, 4)])
def test_orthogonal_has_orthonormal_columns_or_rows(shape):
    """C115: lengths are kept, times the gain."""
    weight = np.asarray(initializers.Orthogonal(gain=3.0)(KEY, shape)).reshape(-1, shape[-1])
    gram = weight.T @ weight if weight.shape[0] >= weight.shape[1] else weight @ weight.T
    np.testing.assert_allclose(gram, 9 * np.eye(len(gram)), atol=1e-5)


def test_orthogonal_is_uniform_in_sign():
    """Without the sign fix of the QR factors the first entry would have one sign only."""
    first = jax.vmap(lambda key: initializers.Orthogonal()(key, (2, 2))[0, 0])(jax.random.split(KEY, 200))
    assert 70 < int((first > 0).sum()) < 130  # 100 ± 4 · √50


def test_identity():
    assert initializers.Identity(2.0)(KEY, (2, 3)).tolist() == [[2.0, 0.0, 0.0], [0.0, 2.0, 0.0]]


NAMES = list(initializers.initializers)


@pytest.mark.parametrize("dtype", [jnp.float32, jnp.bfloat16, jnp.float16])
@pytest.mark.parametrize("name", NAMES)
def test_shape_dtype_and_key_are_obeyed(name, dtype):
    init = initializers.get(name)
    with jax.numpy_dtype_promotion("strict"), jax.numpy_rank_promotion("raise"):
        weight = init(KEY, (3, 4), dtype)
        again = init(jax.random.key(7), (3, 4), dtype)
        other = init(jax.random.key(8), (3, 4), dtype)
    assert weight.shape == (3, 4)
    assert weight.dtype == dtype
    np.testing.assert_array_equal(weight, again)
    is_random = name not in ("zeros", "ones", "constant", "identity")
    assert np.array_equal(weight, other) != is_random


@pytest.mark.parametrize("name", NAMES)
def test_config_round_trip(name):
    init = initializers.get(name)
    assert from_config(to_config(init)) == init


def test_half_precision_is_a_rounded_float32():
    whole = initializers.GlorotUniform()(KEY, (3, 4), jnp.float32)
    np.testing.assert_array_equal(initializers.GlorotUniform()(KEY, (3, 4), jnp.bfloat16), whole.astype(jnp.bfloat16))


def test_lookup():
    assert initializers.get("xavier_uniform") == initializers.GlorotUniform()
    assert initializers.get("kaiming_normal") == initializers.HeNormal()
    assert initializers.get(jax.nn.initializers.ones) is jax.nn.initializers.ones
    assert initializers.get(initializers.HeNormal()) == initializers.HeNormal()


@pytest.mark.parametrize(
    ("make", "error", "text"),
    [
        (lambda: initializers.get("glorot_unifrom"), UnknownNameError, "Did you mean 'glorot_uniform'"),
        (lambda: initializers.get(initializers.HeNormal), ArgumentTypeError, "parentheses"),
        (lambda: initializers.get(0.1), ArgumentTypeError, "0.1"),
        (lambda: initializers.RandomNormal(stddev=-1.0), ArgumentError, "stddev"),
        (lambda: initializers.RandomUniform(1.0, 0.0), ArgumentError, "maxval"),
        (lambda: initializers.Orthogonal()(KEY, (3,)), ShapeError, r"\(3,\)"),
        (lambda: initializers.Identity()(KEY, (3, 3, 3)), ShapeError, "matrix"),
        (lambda: initializers.HeNormal()(KEY, (0, 3)), ArgumentError, r"\(0, 3\)"),
    ],
)
def test_errors_say_what_and_how(make, error, text):
    with pytest.raises(error, match=text):
        make()
