"""Backpropagation with every number on show: the forward pass, the chain rule of one weight, and three checks."""

from __future__ import annotations

import chainrule as cr
from chainrule import explain
from chainrule.layers import Dense, Input


def make_model() -> cr.Model:
    """Two inputs, two hidden tanh units, one sigmoid output, with weights one can follow by hand."""
    inputs = Input(2)
    hidden = Dense(2, activation="tanh", name="hidden")(inputs)
    model = cr.Model(inputs, Dense(1, activation="sigmoid", name="output")(hidden))
    model.set_weights(
        {
            "hidden/kernel": [[0.5, -0.6], [0.3, 0.8]],
            "hidden/bias": [0.1, 0.0],
            "output/kernel": [[1.2], [-0.7]],
            "output/bias": [0.2],
        }
    )
    model.compile(loss="binary_cross_entropy")
    return model


def main() -> None:
    """Forward, backward, and the same gradient by two other ways."""
    model, x, y = make_model(), [[1.0, 2.0]], [0.0]
    print("Forward\n")
    print(explain.forward(model, x))
    print("\nBackward: the weight from input 1 to hidden unit 0\n")
    print(explain.chain_rule(model, x, y, weight="hidden/kernel[1,0]"))
    print("\nNudge that weight\n")
    print(explain.nudge(model, x, y, weight="hidden/kernel[1,0]", epsilon=0.001))
    print("\nCheck all weights against differences\n")
    print(explain.check_gradients(model, x, y))


if __name__ == "__main__":
    main()
