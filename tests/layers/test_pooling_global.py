"""Global and adaptive pooling: any size in, one size out."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from window_reference import close

import chainrule as cr
from chainrule import layers
from chainrule._base.errors import ArgumentError, ShapeError
from chainrule.core import Input


def draw(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize(("rank", "shape"), [(1, (2, 5, 3)), (2, (2, 5, 4, 3)), (3, (2, 5, 4, 1, 3))])
def test_global_pooling_reduces_all_of_space(rank, shape, keepdims):
    """C172."""
    x, axes = draw(*shape), tuple(range(1, rank + 1))
    mean = getattr(layers, f"GlobalAveragePooling{rank}D")(keepdims).call({}, jnp.asarray(x))
    largest = getattr(layers, f"GlobalMaxPooling{rank}D")(keepdims).call({}, jnp.asarray(x))
    close(mean, x.astype(np.float64).mean(axes, keepdims=keepdims))
    np.testing.assert_array_equal(largest, x.max(axes, keepdims=keepdims))


def test_worked_example():
    """C172: the mean of the sixteen numbers of the pooling example is 1.0625."""
    x = jnp.array([[0, 0, 5, 1], [0, 2, 4, 0], [1, 0, 1, 0], [0, 0, 0, 3.0]])[None, :, :, None]
    assert layers.GlobalAveragePooling2D().call({}, x).tolist() == [[1.0625]]


MASK = np.array([[1, 1, 0, 0, 0], [0, 0, 1, 1, 1], [1, 0, 1, 0, 1], [0, 0, 0, 0, 0]], bool)


@pytest.mark.parametrize("kind", ["Average", "Max"])
@pytest.mark.parametrize("keepdims", [False, True])
def test_masked_steps_do_not_count_whatever_stands_there(kind, keepdims):
    layer = getattr(layers, f"Global{kind}Pooling1D")(keepdims)
    x = draw(4, 5, 3)
    reduce = {"Average": np.mean, "Max": np.max}[kind]
    expected = np.stack(
        [reduce(row[real], axis=0) if real.any() else np.zeros(3) for row, real in zip(x, MASK, strict=True)]
    )

    @jax.jit
    def run(x):
        value = layer.call({}, x, jnp.asarray(MASK))
        return value, jax.grad(lambda x: jnp.sum(layer.call({}, x, jnp.asarray(MASK)) ** 2))(x)

    for rubbish in (np.inf, np.nan, 1e30):
        value, slope = run(np.where(MASK[..., None], x, np.float32(rubbish)))
        close(value, expected[:, None] if keepdims else expected)
        assert np.isfinite(slope).all()
        assert not np.asarray(slope)[~MASK].any()


def test_mask_is_an_input_of_the_graph():
    x, mask = Input((None, 3)), Input((None,), dtype="bool")
    model = cr.Model([x, mask], layers.GlobalMaxPooling1D()(x, mask=mask))
    given = draw(4, 5, 3)
    expected = [row[real].max(0) if real.any() else np.zeros(3) for row, real in zip(given, MASK, strict=True)]
    np.testing.assert_array_equal(model.predict([given, MASK]), expected)


@pytest.mark.parametrize(("size", "wanted"), [(1, 1), (1, 3), (5, 2), (7, 3), (6, 3), (3, 5), (7, 7)])
def test_adaptive_pooling_covers_the_axis_with_the_stated_windows(size, wanted):
    """C172: window i of m over n cells is [⌊i·n/m⌋, ⌈(i + 1)·n/m⌉)."""
    x = draw(2, size, 3)
    starts = [i * size // wanted for i in range(wanted)]
    ends = [-(-(i + 1) * size // wanted) for i in range(wanted)]
    windows = [x[:, start:end] for start, end in zip(starts, ends, strict=True)]
    mean = layers.AdaptiveAveragePooling1D(wanted).call({}, jnp.asarray(x))
    largest = layers.AdaptiveMaxPooling1D(wanted).call({}, jnp.asarray(x))
    close(mean, np.stack([w.mean(1) for w in windows], 1))
    np.testing.assert_array_equal(largest, np.stack([w.max(1) for w in windows], 1))


def test_adaptive_pooling_of_images_goes_axis_by_axis():
    x = draw(2, 5, 7, 3)
    rows = [x[:, 0:3], x[:, 2:5]]
    expected = np.stack(
        [np.stack([row[:, :, a:b].mean((1, 2)) for a, b in ((0, 3), (2, 5), (4, 7))], 1) for row in rows], 1
    )
    close(layers.AdaptiveAveragePooling2D((2, 3)).call({}, jnp.asarray(x)), expected)


@pytest.mark.parametrize(
    "head", [[layers.GlobalAveragePooling2D()], [layers.AdaptiveMaxPooling2D((2, 1)), layers.Flatten()]]
)
def test_one_network_accepts_two_image_sizes(head):
    """C172: the same weights on 9 × 7 and on 6 × 11; each gives what a network made for that size gives."""
    body = [
        layers.Conv2D(4, 3, padding="same", activation="relu"),
        layers.MaxPooling2D(2, padding="same"),
        layers.Conv2D(5, 3, strides=2, padding="same"),
        layers.BatchNormalization(),
    ]
    model = cr.Sequential([Input((None, None, 3)), *body, *head, layers.Dense(2)], seed=1)
    for height, width in ((9, 7), (6, 11)):
        x = draw(3, height, width, 3, seed=height)
        fixed = cr.Sequential([Input((height, width, 3)), *body, *head, layers.Dense(2)], seed=1)
        np.testing.assert_allclose(model.predict(x), fixed.predict(x), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    "head",
    [[layers.GlobalMaxPooling1D()], [layers.AdaptiveMaxPooling1D(2), layers.Flatten()]],
    ids=["global", "adaptive"],
)
def test_a_convolution_over_sequences_of_any_length_is_followed_by_a_maximum(head):
    """Lengths after it are ``max(t − 2, 0)``, of which nothing says that they are not 0."""
    tokens = np.random.default_rng(0).integers(0, 10, (4, 7)).astype(np.int32)
    body = [layers.Embedding(10, 4), layers.Conv1D(8, 3), *head, layers.Dense(1)]
    model = cr.Sequential([Input((None,), dtype="int32"), *body], seed=1)
    for length in (5, 7):
        fixed = cr.Sequential([Input((length,), dtype="int32"), *body], seed=1)
        close(model.predict(tokens[:, :length]), fixed.predict(tokens[:, :length]))
    model.compile("sgd", "mse")
    for length in (5, 7):
        before = np.square(model.predict(tokens[:, :length]) - 1).mean()
        model.fit(tokens[:, :length], np.ones((4, 1)), epochs=3, verbose=0)
        assert np.square(model.predict(tokens[:, :length]) - 1).mean() < before
    with pytest.raises(ShapeError, match="must hold at least 3 cells"):
        model.predict(tokens[:, :2])


def test_images_of_any_size_after_a_convolution():
    x = draw(2, 5, 6, 3)
    model = cr.Sequential([Input((None, None, 3)), layers.Conv2D(4, 3), layers.GlobalMaxPooling2D()], seed=1)
    fixed = cr.Sequential([Input((5, 6, 3)), layers.Conv2D(4, 3), layers.GlobalMaxPooling2D()], seed=1)
    close(model.predict(x), fixed.predict(x))


def test_integers_and_narrow_floats():
    """Masked and not: means are no integers and do not overflow, maxima keep the type."""
    mask = jnp.array([[True, True, False]])
    x = jnp.array([250, 251, 9], jnp.uint8).reshape(1, 3, 1)
    assert layers.GlobalAveragePooling1D().call({}, x, mask).tolist() == [[250.5]]
    assert layers.GlobalAveragePooling1D().call({}, x).tolist() == [[170.0]]
    assert layers.AveragePooling1D(2).call({}, x).tolist() == [[[250.5]]]
    assert layers.GlobalMaxPooling1D().call({}, x - 252, mask).tolist() == [[255]]
    low = jnp.array([-3, -2, 9], jnp.int8).reshape(1, 3, 1)
    found = layers.GlobalMaxPooling1D().call({}, low, mask)
    assert found.dtype == jnp.int8
    assert found.tolist() == [[-2]]
    half = jnp.full((1, 3, 1), 60000, jnp.float16)
    assert layers.GlobalAveragePooling1D().call({}, half, mask).tolist() == [[60000.0]]


def test_wrong_arguments_and_shapes_say_what_to_do():
    with pytest.raises(ArgumentError, match="AdaptiveMaxPooling1D: output_size must be an integer of at least 1"):
        layers.AdaptiveMaxPooling1D(0)
    with pytest.raises(ShapeError, match=r"4 axes, \[batch, height, width, channels\].*\(b, 5, 3\)"):
        layers.GlobalAveragePooling2D()(Input((5, 3)))
    with pytest.raises(
        ShapeError, match=r"mask must be \[batch, time\] as the input, \(b, 5\); received shape \(b, 4\)"
    ):
        layers.GlobalMaxPooling1D()(Input((5, 3)), mask=Input(4, dtype="bool"))
