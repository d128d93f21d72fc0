import numpy as np
import pytest

from chainrule.optimizers.schedules import values
from chainrule.tasks.images.figures import seven_changes
from chainrule.tasks.images.network import augmentation, build_network, make_optimizer
from chainrule.tasks.images.settings import ImageConfig, default_images_config


@pytest.mark.parametrize("shape", [(4, 4, 1), (5, 9, 3), (28, 28, 1), (32, 32, 3), (64, 96, 3)])
@pytest.mark.parametrize("network", ["plain", "residual"])
def test_images_of_every_size_find_a_network(shape, network):
    model = build_network(ImageConfig(network=network, width=2), shape, 7)
    assert model.graph.outputs[0].shape[1:] == (7,)
    assert model.graph.inputs[0].dtype == np.uint8


def test_the_residual_network_for_small_colours_is_resnet_20():
    """ResNet-20 of the paper has 0.27 million parameters; projections where sizes change add a few."""
    config = default_images_config(9_000, (32, 32, 3))
    model = build_network(config, (32, 32, 3), 10)
    names = [name for name in model.get_weights() if name.startswith("conv") and name.endswith("kernel")]
    assert len(names) == 19  # and the output layer is the twentieth
    params = sum(w.size for name, w in model.get_weights().items() if "moving" not in name)
    # 3x3 convolutions 267,696, their 2 x 688 normalisation weights, output 650; projections 512 + 2,048 and 2 x 96
    assert params == 267_696 + 1_376 + 650 + 2_560 + 192


def test_the_rate_rises_then_falls_to_nothing():
    optimizer = make_optimizer(ImageConfig(epochs=10, batch_size=10, learning_rate=0.5), 100)
    rates = values(optimizer.learning_rate, 100)
    assert rates.argmax() == 10
    assert rates.max() == 0.5
    assert (np.diff(rates[:11]) > 0).all()
    assert (np.diff(rates[10:]) < 0).all()
    assert rates[-1] < 1e-3


def test_no_augmentation_is_no_layer_and_more_is_more():
    counts = [len(augmentation(kind, (8, 8, 3))) for kind in ("none", "shift", "flip", "strong")]
    assert counts == sorted(set(counts))
    assert counts[0] == 0


def test_the_seven_changes_are_what_they_are_called():
    """C141: seven named transforms, for the contact sheet "original + each"."""
    image = np.random.default_rng(0).integers(30, 200, (8, 10, 3)).astype(np.uint8)
    changed = seven_changes(image)
    assert len(changed) == 7
    assert all(copy.shape == image.shape and not np.array_equal(copy, image) for copy in changed.values())
    np.testing.assert_array_equal(changed["mirrored"], image[:, ::-1])
    np.testing.assert_allclose(changed["brighter"], np.clip(image + 0.25 * 255, 0, 255), atol=1e-3)
    assert changed["less contrast"].std() < 0.99 * image.std()
    assert (changed["noise"].astype(float) - image).std() == pytest.approx(25, rel=0.3)
