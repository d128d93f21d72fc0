"""The zoo: published sizes, the structure of its pieces, and that every network computes and learns."""

import jax.numpy as jnp
import numpy as np
import pytest

from chainrule import Model, Variables
from chainrule._base import tree as trees
from chainrule._base.errors import ShapeError
from chainrule.core.layer import abstract_variables
from chainrule.layers import Input
from chainrule.models import summarize, zoo

RNG = np.random.default_rng(3)


def drawn(model):
    """The model with weights drawn by NumPy, which compiles nothing; biases and running means differ from 0."""
    rng = np.random.default_rng(5)

    def array(path, spec):
        if path.endswith(("gamma", "moving_variance")):
            return jnp.asarray(rng.uniform(0.8, 1.2, spec.shape), jnp.float32)
        taps = spec.shape[:2] if "depthwise" in path else spec.shape[:-1]
        scale = (2 / np.prod(taps)) ** 0.5 if len(spec.shape) > 1 else 0.1
        return jnp.asarray(scale * rng.normal(size=spec.shape), jnp.float32)

    found = [trees.flatten(tree) for tree in abstract_variables(model.graph.weights())]
    arrays = [trees.unflatten({path: array(path, spec) for path, spec in tree.items()}) for tree in found]
    model.restore(Variables(*arrays), None)
    return model


# trained parameters as published: papers, PyTorch's and Keras's documentation; see each builder
PUBLISHED = {
    "lenet5": (zoo.lenet5, 61_706),
    "alexnet_small": (zoo.alexnet_small, 2_472_266),
    "vgg11": (zoo.vgg11, 132_863_336),
    "vgg16": (zoo.vgg16, 138_357_544),
    "googlenet": (zoo.googlenet, 6_998_552),
    "resnet18": (zoo.resnet18, 11_689_512),
    "resnet20": (zoo.resnet20, 269_722),
    "resnet32": (lambda: zoo.resnet20(blocks=5), 464_154),
    "resnet50": (zoo.resnet50, 25_557_032),
    "densenet121": (zoo.densenet, 7_978_856),
    "unet": (zoo.unet, 31_030_658),
    "fcn": (zoo.fcn, 134_489_759),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_number_of_parameters(name):
    """C183: the published architectures have the published numbers of parameters."""
    build, expected = PUBLISHED[name]
    assert f"{expected:,} parameters" in repr(build())  # counted from shapes; no weights are made


def test_mobilenet_has_keras_number_once_statistics_are_added():
    """C182: 4,231,976 trained and 21,888 running numbers, together Keras's 4,253,864."""
    summary = summarize(zoo.mobilenet_v1((32, 32, 3)).graph)
    assert (summary.parameters, summary.state) == (4_231_976, 21_888)
    assert summary.parameters + summary.state == 4_253_864


def test_projection_shortcuts_add_their_convolutions_and_norms():
    with_projections = summarize(zoo.resnet20(shortcut="projection").graph).parameters
    assert with_projections - 269_722 == (16 * 32 + 32 * 64) + 2 * (32 + 64)


def test_text_networks_have_the_sizes_of_their_formulas():
    v, c, w = 11, 3, 6
    text = summarize(zoo.text_cnn(v, c, length=9, width=w, filters=4, windows=(2, 5)).graph).parameters
    assert text == v * w + 4 * (2 * w + 1 + 5 * w + 1) + (2 * 4 + 1) * c
    lstm = summarize(zoo.lstm_classifier(v, c, length=9, width=w, units=5, bidirectional=True).graph).parameters
    assert lstm == v * w + 2 * 4 * 5 * (w + 5 + 1) + (2 * 5 + 1) * c
    options = {"length": 9, "width": w, "heads": 2, "hidden": 7, "blocks": 2}
    attends = summarize(zoo.transformer_classifier(v, c, **options).graph).parameters
    block = 4 * (w * w + w) + 2 * w * 7 + 7 + w + 4 * w
    assert attends == (v + 9) * w + 2 * block + 2 * w + (w + 1) * c
    both = summarize(zoo.seq2seq_attention(11, 13, source_length=4, target_length=5, width=w, units=7).graph).parameters
    assert both == (11 + 13) * w + 2 * 4 * 7 * (w + 7 + 1) + (14 * 7 + 7) + (7 + 1) * 13


def conv(x, kernel, bias):
    """Convolution of images ``[height, width, in]`` with an odd window, padded "same", and a rectifier, in float64."""
    window = kernel.shape[0]
    padded = np.pad(x.astype(np.float64), ((window // 2,) * 2, (window // 2,) * 2, (0, 0)))
    out = np.zeros((*x.shape[:2], kernel.shape[-1]))
    for i, j in np.ndindex(*x.shape[:2]):
        out[i, j] = np.tensordot(padded[i : i + window, j : j + window], kernel.astype(np.float64), 3) + bias
    return np.maximum(out, 0)


def test_inception_module_joins_its_four_branches_in_the_papers_order():
    """C179: 1×1; 1×1 then 3×3; 1×1 then 5×5; 3×3 max-pooling then 1×1."""
    inputs = Input((5, 4, 3))
    model = drawn(Model(inputs, zoo.inception_module(inputs, (2, 3, 4, 1, 5, 6), "m")))
    x = RNG.normal(size=(1, 5, 4, 3)).astype(np.float32)
    weights = model.get_weights()

    def layer(name, y):
        return conv(y, weights[f"m_{name}/kernel"], weights[f"m_{name}/bias"])

    padded = np.pad(x[0], ((1, 1), (1, 1), (0, 0)), constant_values=-np.inf)
    pooled = np.array([[padded[i : i + 3, j : j + 3].max((0, 1)) for j in range(4)] for i in range(5)])
    branches = [
        layer("1x1", x[0]),
        layer("3x3", layer("3x3_reduce", x[0])),
        layer("5x5", layer("5x5_reduce", x[0])),
        layer("pool_proj", pooled),
    ]
    expected = np.concatenate(branches, axis=-1)
    assert expected.shape == (5, 4, 2 + 4 + 5 + 6)
    # sums of up to 75 products: float32 loses up to 1e-5 of the largest
    np.testing.assert_allclose(model.predict(x)[0], expected, atol=1e-5 * expected.max())


@pytest.mark.parametrize("block", [zoo.basic_block, zoo.bottleneck_block])
def test_residual_block_without_its_residual_is_the_rectified_input(block):
    """C177: the skip connection adds the input itself where shapes agree."""
    inputs = Input((3, 5, 8))
    filters = 8 if block is zoo.basic_block else 2
    model = drawn(Model(inputs, block(inputs, filters, strides=1, name="b")))
    last = "b_2_norm/gamma" if block is zoo.basic_block else "b_3_norm/gamma"
    x = RNG.normal(size=(2, 3, 5, 8)).astype(np.float32)
    assert not np.allclose(model.predict(x), np.maximum(x, 0), atol=0.1)
    model.set_weights({last: np.zeros(8), last.replace("gamma", "beta"): np.zeros(8)})
    np.testing.assert_allclose(model.predict(x), np.maximum(x, 0), atol=1e-6)


def test_identity_shortcut_takes_every_second_pixel_and_adds_zero_channels():
    """C177: option A of the paper, seen where all residuals are switched off."""
    model = drawn(zoo.resnet20((6, 4, 3), 3, filters=2, blocks=1))
    weights = model.get_weights()
    model.set_weights(
        {path: np.zeros_like(w) for path, w in weights.items() if "_2_norm/" in path and "moving" not in path}
    )
    x = RNG.normal(size=(1, 6, 4, 3)).astype(np.float32)
    seen = model.intermediate(x)
    stem = np.asarray(seen["stem_norm"])
    picked = stem[:, ::2, ::2]
    expected = np.concatenate([picked, np.zeros_like(picked)], axis=-1)
    np.testing.assert_allclose(seen["stage2_block1_relu"], expected, atol=1e-6)
    np.testing.assert_allclose(seen["stage3_block1_relu"][..., :4], expected[:, ::2, ::2], atol=1e-6)
    assert not np.any(seen["stage3_block1_relu"][..., 4:])


def test_dense_block_keeps_all_that_came_before():
    inputs = Input((3, 2, 5))
    model = drawn(Model(inputs, zoo.dense_block(inputs, 2, 4, "d")))
    x = RNG.normal(size=(1, 3, 2, 5)).astype(np.float32)
    found = model.predict(x)
    assert found.shape == (1, 3, 2, 5 + 2 * 4)
    np.testing.assert_array_equal(found[..., :5], x)
    seen = model.intermediate(x, "d_layer1_2_conv")
    np.testing.assert_allclose(found[..., 5:9], seen, atol=1e-6)


def test_encoder_block_adds_two_parts_to_its_input():
    inputs = Input((5, 6))
    model = drawn(Model(inputs, zoo.encoder_block(inputs, None, heads=3, hidden=7)))
    x = RNG.normal(size=(2, 5, 6)).astype(np.float32)
    seen = model.intermediate(x)
    np.testing.assert_allclose(
        model.predict(x), x + seen["block_attention"] + seen["block_dense2"], atol=1e-5
    )  # float32 sums
    assert np.abs(seen["block_attention"]).max() > 0.01


def test_residual_network_takes_images_of_any_size():
    """C178: without a dense layer over pixels the size of the image is free."""
    model = drawn(zoo.resnet20((None, None, 3), 4, filters=2, blocks=1))
    small, large = (RNG.normal(size=(2, *size, 3)).astype(np.float32) for size in ((8, 12), (20, 16)))
    assert model.predict(small).shape == model.predict(large).shape == (2, 4)


TINY = {
    "alexnet_small": lambda: zoo.alexnet_small((32, 32, 2), 3, filters=2),
    "densenet": lambda: zoo.densenet((32, 32, 2), 3, blocks=(1, 2), growth=2),
    "fcn": lambda: zoo.fcn((32, 64, 2), 3, filters=1, head=4),
    "googlenet": lambda: zoo.googlenet((32, 32, 2), 3, width=1 / 32),
    "mobilenet_v1": lambda: zoo.mobilenet_v1((32, 32, 2), 3, width=1 / 8),
    "resnet18": lambda: zoo.resnet18((32, 32, 2), 3, filters=1),
    "resnet50": lambda: zoo.resnet50((32, 32, 2), 3, filters=1),
    "vgg11": lambda: zoo.vgg11((32, 32, 2), 3, filters=3, dense_units=9),
    "vgg16": lambda: zoo.vgg16((32, 32, 2), 3, filters=3, dense_units=9),
}


@pytest.mark.parametrize("name", TINY)
def test_network_gives_logits_that_depend_on_the_image(name):
    model = drawn(TINY[name]())
    shape = tuple(model.graph.inputs[0].shape[1:])
    x = RNG.normal(size=(3, *shape)).astype(np.float32)
    logits = model.predict(x)
    assert logits.shape == ((3, 32, 64, 3) if name == "fcn" else (3, 3))
    assert np.isfinite(logits).all()
    assert np.ptp(logits, axis=0).max() > 0


IMAGES = RNG.normal(size=(6, 16, 16, 1)).astype(np.float32)
TOKENS = np.array([[3, 1, 4, 1, 5], [2, 6, 5, 3, 0], [5, 0, 0, 0, 0], [7, 7, 1, 0, 0]], np.int32)
CLASSES = np.array([0, 2, 1, 0, 2, 1])
LEARNING = {
    "lenet5": (lambda: zoo.lenet5((16, 16, 1), 3), IMAGES, CLASSES),
    "resnet20": (lambda: zoo.resnet20((16, 16, 1), 3, filters=2, blocks=1), IMAGES, CLASSES),
    "unet": (lambda: zoo.unet((16, 16, 1), 2, filters=2, levels=1), IMAGES, (IMAGES[..., 0] > 0).astype(np.int32)),
    "text_cnn": (lambda: zoo.text_cnn(8, 3, width=4, filters=3, dropout=0), TOKENS, CLASSES[:4]),
    "lstm_classifier": (lambda: zoo.lstm_classifier(8, 3, width=4, units=3, dropout=0), TOKENS, CLASSES[:4]),
    "seq2seq_attention": (
        lambda: zoo.seq2seq_attention(8, 8, width=4, units=3),
        (TOKENS, TOKENS[:, :3]),
        TOKENS[:, :3],
    ),
    "transformer_classifier": (
        lambda: zoo.transformer_classifier(8, 3, length=5, width=4, heads=2, blocks=1, dropout=0),
        TOKENS,
        CLASSES[:4],
    ),
}


@pytest.mark.parametrize("name", LEARNING)
def test_training_lowers_the_loss(name):
    build, x, y = LEARNING[name]
    model = drawn(build())
    model.compile("adam", "cross_entropy")
    history = model.fit(
        list(x) if isinstance(x, tuple) else x, y, epochs=12, batch_size="full", verbose=0, train_metrics="running"
    )
    losses = history["loss"]
    assert losses[-1] < losses[0] - 1e-3  # twelve steps of 1e-3 on up to six examples


def test_skips_of_the_unet_carry_the_image_past_the_bottom():
    model = drawn(zoo.unet((4, 8, 1), 2, filters=2, levels=1))
    weights = model.get_weights()
    model.set_weights({path: np.zeros_like(w) for path, w in weights.items() if path.startswith("bottom")})
    x = RNG.normal(size=(1, 4, 8, 1)).astype(np.float32)
    assert np.ptp(model.predict(x)[..., 0]) > 1e-3


@pytest.mark.parametrize("name", ["text_cnn", "lstm_classifier"])
def test_padding_changes_no_logits(name):
    model = drawn(LEARNING[name][0]())
    longer = np.concatenate([TOKENS, np.zeros((4, 3), np.int32)], axis=1)
    np.testing.assert_allclose(model.predict(longer), model.predict(TOKENS), atol=1e-6)


def test_padding_of_the_source_changes_no_translation():
    model = drawn(LEARNING["seq2seq_attention"][0]())
    longer = np.concatenate([TOKENS, np.zeros((4, 3), np.int32)], axis=1)
    expected = model.predict([TOKENS, TOKENS[:, :3]])
    np.testing.assert_allclose(model.predict([longer, TOKENS[:, :3]]), expected, atol=1e-6)
    assert expected.shape == (4, 3, 8)


def test_transformer_looks_at_no_padding():
    model = drawn(LEARNING["transformer_classifier"][0]())
    changed = dict(model.get_weights())
    table = changed["embedding/embeddings"].copy()
    table[0] = 9.0  # what stands for padding
    expected = model.predict(TOKENS)
    model.set_weights({"embedding/embeddings": table})
    np.testing.assert_allclose(model.predict(TOKENS), expected, atol=1e-6)
    table[1] = 9.0
    model.set_weights({"embedding/embeddings": table})
    assert np.abs(model.predict(TOKENS) - expected).max() > 1e-3


def test_seed_decides_the_weights():
    first, second, same = (zoo.lenet5((16, 16, 1), 3, seed=seed).get_weights() for seed in (1, 2, 1))
    kernel = "conv1/kernel"
    assert jnp.array_equal(first[kernel], same[kernel])
    assert not jnp.array_equal(first[kernel], second[kernel])


@pytest.mark.parametrize(
    ("build", "shape", "message"),
    [
        (zoo.unet, (65, 63, 3), r"unet: height must be a multiple of 16; received 65 .* that fit are 64 and 80\."),
        (zoo.unet, (64, 63, 3), r"unet: width must be a multiple of 16; received 63 .* that fit are 48 and 64\."),
        (zoo.unet, (None, None, 3), r"height must be a multiple of 16; received None .* Give the sizes, such as \(128"),
        (zoo.fcn, (64, 63, 3), r"fcn: width must be a multiple of 32; received 63 .* that fit are 32 and 64\."),
        (zoo.fcn, (20, 64, 3), r"fcn: height must be a multiple of 32; received 20 .* smallest that fits is 32\."),
        (zoo.fcn, (64, None, 3), "fcn: width must be a multiple of 32; received None"),
    ],
)
def test_sizes_that_cannot_be_halved_and_doubled_are_refused_with_those_that_can(build, shape, message):
    with pytest.raises(ShapeError, match=message):
        build(shape)


def test_fewer_levels_of_a_u_net_take_smaller_multiples():
    assert zoo.unet((12, 20, 1), 3, filters=2, levels=2).graph.outputs[0].shape[1:] == (12, 20, 3)
    with pytest.raises(ShapeError, match="height must be a multiple of 8; received 12"):
        zoo.unet((12, 24, 1), 3, filters=2, levels=3)
