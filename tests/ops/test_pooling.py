import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.test_util import check_grads

from chainrule.errors import ArgumentError, ArgumentTypeError, ShapeError
from chainrule.ops import adaptive_avg_pool, avg_pool, max_pool, native
from chainrule.ops import pooling as room

DECK = np.array([[0, 0, 5, 1], [0, 2, 4, 0], [1, 0, 1, 0], [0, 0, 0, 3]], np.float32)[None, :, :, None]

# x shape, window, strides, padding: 1, 2 and 3 axes of space, overlaps, gaps, primes, odd channels
SETTINGS = [
    ((2, 7, 3), 2, None, "valid"),
    ((1, 5, 9), 3, 2, "same"),
    ((3, 6, 7, 5), (2, 3), None, "valid"),
    ((2, 7, 5, 17), (3, 2), (2, 1), "same"),
    ((1, 11, 4, 8), (2, 1), (5, 3), ((1, 0), (0, 0))),
    ((2, 5, 7, 1), (5, 3), 1, ((2, 4), (0, 1))),
    ((2, 4, 5, 3, 2), (2, 3, 2), (1, 2, 3), "same"),
    ((1, 1, 1, 3), 1, None, "valid"),
    ((0, 4, 4, 3), 2, None, "valid"),
]


def reference(x, window, strides, padding, kind, count_padding=False):
    """Every window looked at in turn, in float64."""
    rank = x.ndim - 2
    window = (window,) * rank if isinstance(window, int) else window
    strides = window if strides is None else (strides,) * rank if isinstance(strides, int) else strides
    sizes = x.shape[1:-1]
    if padding == "valid":
        pads = [(0, 0)] * rank
    elif padding == "same":
        pads = []
        for n, k, s in zip(sizes, window, strides, strict=True):
            total = max((-(-n // s) - 1) * s + k - n, 0)
            pads.append((total // 2, total - total // 2))
    else:
        pads = padding
    wide = np.pad(x.astype(np.float64), [(0, 0), *pads, (0, 0)], constant_values=np.nan)
    out = [(n + sum(p) - k) // s + 1 for n, p, k, s in zip(sizes, pads, window, strides, strict=True)]
    y = np.zeros((x.shape[0], *out, x.shape[-1]))
    for at in itertools.product(*map(range, out)):
        part = tuple(slice(i * s, i * s + k) for i, s, k in zip(at, strides, window, strict=True))
        cells = wide[(slice(None), *part)].reshape(x.shape[0], int(np.prod(window)), x.shape[-1])
        if kind == "max":
            y[(slice(None), *at)] = np.nanmax(cells, axis=1) if x.size else 0
        else:
            count = cells.shape[1] if count_padding else np.maximum((~np.isnan(cells)).sum(axis=1), 1)
            y[(slice(None), *at)] = np.nansum(cells, axis=1) / count
    return y


def draw(shape):
    return (
        np.random.default_rng(len(shape)).permutation(np.prod(shape, dtype=int)).reshape(shape).astype(np.float32) / 7
    )


def test_the_examples_of_the_lecture():
    """C170, C171, C172: the 4×4 example, its largest and mean values, its global mean."""
    assert max_pool(DECK, 2)[0, :, :, 0].tolist() == [[2, 5], [1, 3]]
    assert avg_pool(DECK, 2, padding="same")[0, :, :, 0].tolist() == [[0.5, 2.5], [0.25, 1]]
    assert adaptive_avg_pool(DECK, 1)[0, 0, 0, 0] == 1.0625


@pytest.mark.parametrize(("shape", "window", "strides", "padding"), SETTINGS)
def test_values_are_those_of_the_windows(shape, window, strides, padding):
    x = draw(shape)
    found = max_pool(x, window, strides=strides, padding=padding)
    np.testing.assert_array_equal(found, reference(x, window, strides, padding, "max").astype(np.float32))
    for count in (False, True):
        found = avg_pool(x, window, strides=strides, padding=padding, count_padding=count)
        # a sum of at most 15 floats
        np.testing.assert_allclose(found, reference(x, window, strides, padding, "mean", count), rtol=2e-6)


@pytest.mark.parametrize(("shape", "window", "strides", "padding"), SETTINGS)
@pytest.mark.parametrize("kind", ["max", "mean"])
def test_gradients_are_those_of_the_plain_form(shape, window, strides, padding, kind):
    """The plain form in float64 is differentiated by JAX; values are all different, so there are no ties."""

    def total(x, weights):
        pool = max_pool if kind == "max" else avg_pool
        return jnp.sum(jnp.sin(pool(x, window, strides=strides, padding=padding)) * weights)

    x = draw(shape)
    weights = np.random.default_rng(1).normal(size=reference(x, window, strides, padding, kind).shape)
    found = jax.grad(total)(x, jnp.asarray(weights, jnp.float32))
    with jax.enable_x64(True):
        wanted = jax.grad(total)(jnp.asarray(x, jnp.float64), jnp.asarray(weights))
        if x.size:
            check_grads(lambda x: total(x, weights), (jnp.asarray(x, jnp.float64),), order=1, modes=["rev"], eps=1e-6)
    np.testing.assert_allclose(found, wanted, atol=2e-5 * max(1, np.abs(np.asarray(wanted)).max(initial=0)))


@pytest.mark.parametrize("kind", ["max", "mean"])
def test_second_derivatives(kind):
    x = draw((2, 5, 6, 3))
    pool = max_pool if kind == "max" else avg_pool

    def total(x):
        return jnp.sum(pool(x, 3, strides=2, padding="same") ** 3) / 100

    def slope(x):
        return jnp.sum(jax.grad(total)(x) ** 2) / 100

    found = jax.grad(slope)(x)
    with jax.enable_x64(True):
        wanted = jax.grad(slope)(jnp.asarray(x, jnp.float64))
    np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-4 * np.abs(np.asarray(wanted)).max())


def test_inside_jit_scan_and_vmap():
    x = draw((3, 2, 4, 6, 5))
    wanted = np.stack([np.asarray(max_pool(one, 2)) for one in x])
    np.testing.assert_array_equal(jax.jit(jax.vmap(lambda x: max_pool(x, 2)))(x), wanted)
    np.testing.assert_array_equal(jax.lax.scan(lambda _, x: (None, max_pool(x, 2)), None, x)[1], wanted)
    each = jax.vmap(jax.grad(lambda x: jnp.sum(avg_pool(x, 2) ** 2)))(x)
    np.testing.assert_allclose(each[1], jax.grad(lambda x: jnp.sum(avg_pool(x, 2) ** 2))(x[1]), rtol=1e-6)


def test_a_symbolic_batch_traces():
    (b,) = jax.export.symbolic_shape("b")
    spec = jax.ShapeDtypeStruct((b, 6, 7, 3), jnp.float32)
    assert jax.eval_shape(lambda x: max_pool(x, 2), spec).shape == (b, 3, 3, 3)
    assert jax.eval_shape(jax.grad(lambda x: jnp.sum(avg_pool(x, (3, 2), padding="same"))), spec).shape == spec.shape


def test_nan_wins_and_padding_does_not():
    x = np.full((1, 3, 3, 9), -5, np.float32)
    assert (np.asarray(max_pool(x, 2, strides=1, padding="same")) == -5).all()
    x[0, 1, 1] = np.nan
    assert np.isnan(np.asarray(max_pool(x, 3))).all()


@pytest.mark.parametrize("dtype", [jnp.bfloat16, jnp.float16, jnp.int32])
def test_other_types_keep_their_own(dtype):
    x = jnp.arange(32).reshape(1, 4, 4, 2).astype(dtype)
    assert max_pool(x, 2).dtype == dtype
    assert max_pool(x, 2)[0, 0, 0].tolist() == [10, 11]


@pytest.mark.parametrize(
    ("dtype", "value", "given"),
    [
        ("uint8", 250, "float32"),
        ("int8", 100, "float32"),
        ("bool", 1, "float32"),
        ("int32", 2**30, "float32"),
        ("float16", 60000, "float16"),
    ],
)
@pytest.mark.parametrize("padding", ["valid", "same"])
def test_the_mean_of_equal_numbers_is_that_number_though_their_sum_is_beyond_the_type(dtype, value, given, padding):
    for shape, window in (((1, 5, 2), 3), ((1, 4, 3, 1), 2), ((2, 2, 3, 4, 1), 2), ((1, 9, 8, 1), (9, 8))):
        x = jnp.full(shape, value, dtype)
        found = avg_pool(x, window, padding=padding)
        assert found.dtype == given
        np.testing.assert_allclose(np.asarray(found, np.float64), value, rtol=1e-6)  # kernels multiply by 1 / cells


def test_narrow_numbers_are_summed_in_float32():
    """Added up in the type itself, 256 + 1 = 256 in bfloat16 and 2048 + 1 = 2048 in float16."""
    for dtype, large in ((jnp.bfloat16, 256), (jnp.float16, 2048)):
        x = jnp.full((1, 9, 1), 1, dtype).at[0, 0, 0].set(large)
        mean = (large + 8) / 9
        np.testing.assert_allclose(float(avg_pool(x, 9)[0, 0, 0]), mean, rtol=float(jnp.finfo(dtype).eps))
        slope = jax.grad(lambda x: avg_pool(x, 9)[0, 0, 0].astype(jnp.float32))(x)
        assert slope.dtype == dtype
        np.testing.assert_allclose(np.asarray(slope, np.float32), 1 / 9, rtol=float(jnp.finfo(dtype).eps))


def test_arrays_of_numpy_lists_and_booleans_are_taken():
    x = np.arange(6).reshape(1, 6, 1)
    assert x.dtype == np.int64
    assert max_pool(x, 2)[0, :, 0].tolist() == [1, 3, 5]
    assert max_pool(x - 7, 2, padding=((1, 1),))[0, :, 0].tolist() == [-7, -5, -3, -2]
    assert avg_pool(x.tolist(), np.int64(3))[0, :, 0].tolist() == [1, 4]
    assert max_pool(np.array([1, 0, 0, 0], bool).reshape(1, 4, 1), 2)[0, :, 0].tolist() == [True, False]
    for pool in (max_pool, avg_pool):
        with pytest.raises(
            ArgumentTypeError, match=r"pooling: x must be an array of numbers; received 'image' \(str\)"
        ):
            pool("image", 2)


def test_large_windows():
    x = draw((1, 20, 18, 2))
    np.testing.assert_array_equal(max_pool(x, (20, 18)), x.max(axis=(1, 2), keepdims=True))
    slope = jax.grad(lambda x: jnp.sum(max_pool(x, (20, 18))))(x)
    assert np.count_nonzero(slope) == 2
    assert slope.reshape(-1, 2)[x.reshape(-1, 2).argmax(0), [0, 1]].tolist() == [1, 1]


@pytest.mark.skipif(not native.enabled(), reason="needs the kernels")
def test_of_equal_values_the_first_takes_the_gradient():
    slope = jax.grad(lambda x: jnp.sum(max_pool(x, 2)))(np.zeros((1, 2, 2, 3), np.float32))
    assert slope[0, :, :, 0].tolist() == [[1, 0], [0, 0]]


def test_the_plain_form_shares_the_gradient_among_equals():
    window = room.Window((2, 2), (2, 2), ((0, 0), (0, 0)))
    slope = jax.grad(lambda x: jnp.sum(room._plain_max(x, window)))(jnp.zeros((1, 2, 2, 1)))
    assert float(jnp.sum(slope)) == 1
    assert (np.asarray(slope) >= 0).all()


@pytest.mark.parametrize(
    ("arguments", "error", "said"),
    [
        ({"window": 5}, ShapeError, "the window must fit into the input"),
        ({"window": 0}, ArgumentError, "window must be a positive integer or 2 of them; received 0"),
        ({"window": 2.5}, ArgumentError, "window must be a positive integer or 2 of them; received 2.5"),
        ({"window": 2, "strides": None, "padding": 0.5}, ArgumentError, "none negative; received 0.5"),
        ({"window": 2, "strides": (1, 2, 3)}, ArgumentError, "strides must be"),
        ({"window": 2, "padding": ((2, 0), (0, 0))}, ArgumentError, "padding must be smaller than the window"),
        ({"window": 2, "padding": "full"}, ArgumentError, "received 'full'"),
    ],
)
def test_mistakes_are_named(arguments, error, said):
    with pytest.raises(error, match=said):
        max_pool(np.zeros((1, 4, 4, 1), np.float32), **arguments)
    with pytest.raises(ShapeError, match="one to three axes of space"):
        avg_pool(np.zeros((2, 3), np.float32), 2)


@pytest.mark.parametrize("padding", ["reflect", "causal"])
def test_paddings_of_convolutions_only_are_refused(padding):
    for pool in (max_pool, avg_pool):
        with pytest.raises(ArgumentError, match="pooling: padding must be 'valid', 'same', or numbers of cells"):
            pool(jnp.ones((1, 5, 1)), 3, padding=padding)
