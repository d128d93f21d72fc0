import math

import pytest

from chainrule.tasks.images import default_images_config

GREY, COLOUR = (28, 28, 1), (32, 32, 3)


@pytest.mark.parametrize("shape", [GREY, COLOUR])
@pytest.mark.parametrize("count", [35, 42, 199, 200, 999])
def test_few_images_get_many_small_steps_and_late_weights(count, shape):
    config = default_images_config(count, shape)
    assert math.ceil(count / config.batch_size) >= 5
    assert config.optimizer == "adamw"
    assert config.learning_rate == 1e-3
    assert config.keep_from == 0.75
    assert (1 - config.keep_from) * config.epochs <= config.patience, "nothing stops before the rate has fallen"


@pytest.mark.parametrize(("count", "batch"), [(1_000, 32), (4_999, 32), (5_000, 128)])
def test_many_images_choose_among_all_epochs(count, batch):
    config = default_images_config(count, COLOUR)
    assert (config.batch_size, config.optimizer, config.keep_from) == (batch, "sgd", 0.0)
    assert default_images_config(count, GREY).keep_from == 0.0
