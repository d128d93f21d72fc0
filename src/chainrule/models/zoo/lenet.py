"""LeNet-5: convolutions for digits."""

from __future__ import annotations

from chainrule.core import Input
from chainrule.layers import AveragePooling2D, Conv2D, Dense, Flatten
from chainrule.models.model import Model
from chainrule.models.zoo._parts import Shape


def lenet5(
    input_shape: Shape = (32, 32, 1),
    classes: int = 10,
    *,
    activation: str = "tanh",
    name: str = "lenet5",
    seed: int = 0,
) -> Model:
    """LeNet-5 of 1998: two convolutions with average pooling, then three dense layers. 61,706 parameters.

    The paper's subsampling has a trained factor and bias for each map, its third layer sees only some of the maps,
    and its outputs are distances to drawn digits; as nearly everywhere, plain pooling, full connections and logits
    stand here instead. Images of 28 × 28 are padded to 32 × 32 in the paper.

    Args:
        input_shape: height, width and channels; at least 16 × 16.
        classes: number of outputs (logits).
        activation: after every layer but the last; the paper's is a scaled tanh.
        name: name of the model.
        seed: initial weights hang on it.

    References:
        LeCun, Bottou, Bengio, Haffner, "Gradient-Based Learning Applied to Document Recognition", 1998, section II.B.

    Example:
        >>> from chainrule.models import zoo
        >>> zoo.lenet5()
        <Model 'lenet5': (b, 32, 32, 1) → (b, 10), 61,706 parameters>
    """
    inputs = Input(input_shape)
    x = Conv2D(6, 5, activation=activation, name="conv1")(inputs)
    x = AveragePooling2D(name="pool1")(x)
    x = Conv2D(16, 5, activation=activation, name="conv2")(x)
    x = Flatten(name="flatten")(AveragePooling2D(name="pool2")(x))
    x = Dense(120, activation, name="dense1")(x)
    x = Dense(84, activation, name="dense2")(x)
    return Model(inputs, Dense(classes, name="logits")(x), name=name, seed=seed)
