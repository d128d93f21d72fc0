"""Schedules against closed forms in NumPy and against Optax."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from chainrule._base.errors import ArgumentError, ArgumentTypeError
from chainrule._base.registry import from_config, to_config
from chainrule.optimizers import SGD
from chainrule.optimizers.schedules import (
    CosineDecay,
    ExponentialDecay,
    InverseTimeDecay,
    OneCycle,
    PiecewiseConstant,
    PolynomialDecay,
    StepDecay,
    Warmup,
    values,
)

T = np.arange(30, dtype=np.float64)
# schedule, closed form over T, Optax's (or None)
TABLE = {
    "step": (StepDecay(0.8, every=7, factor=0.3), 0.8 * 0.3 ** (T // 7), None),
    "piecewise": (
        PiecewiseConstant((5, 11), (1.0, 0.5, 0.1)),
        np.select([T < 5, T < 11], [1.0, 0.5], 0.1),
        optax.piecewise_constant_schedule(1.0, {5: 0.5, 11: 0.2}),
    ),
    "exponential": (
        ExponentialDecay(0.8, 7, 0.3),
        0.8 * 0.3 ** (T / 7),
        optax.exponential_decay(0.8, 7, 0.3),
    ),
    "staircase": (
        ExponentialDecay(0.8, 7, 0.3, staircase=True),
        0.8 * 0.3 ** (T // 7),
        optax.exponential_decay(0.8, 7, 0.3, staircase=True),
    ),
    "inverse_time": (InverseTimeDecay(0.8, 7, 0.3), 0.8 / (1 + 0.3 * T / 7), None),
    "inverse_stairs": (InverseTimeDecay(0.8, 7, 0.3, staircase=True), 0.8 / (1 + 0.3 * (T // 7)), None),
    "polynomial": (
        PolynomialDecay(0.8, 20, 0.1, power=2.0),
        0.1 + 0.7 * (1 - np.minimum(T, 20) / 20) ** 2,
        optax.polynomial_schedule(0.8, 0.1, 2.0, 20),
    ),
    "cosine": (
        CosineDecay(0.8, 20, alpha=0.1),
        0.8 * (0.1 + 0.9 * 0.5 * (1 + np.cos(np.pi * np.minimum(T, 20) / 20))),
        optax.cosine_decay_schedule(0.8, 20, 0.1),
    ),
    "warmup": (Warmup(0.8, 5, start=0.2), np.minimum(0.2 + 0.6 * T / 5, 0.8), optax.linear_schedule(0.2, 0.8, 5)),
    "warmup_cosine": (
        Warmup(CosineDecay(0.8, 15), 5),
        np.where(T < 5, 0.8 * T / 5, 0.4 * (1 + np.cos(np.pi * np.clip(T - 5, 0, 15) / 15))),
        optax.warmup_cosine_decay_schedule(0.0, 0.8, 5, 20),
    ),
    "one_cycle": (
        OneCycle(0.8, 20, rise=0.25, div_factor=10, final_div_factor=100),
        np.where(
            T < 5,
            0.08 + 0.72 * 0.5 * (1 - np.cos(np.pi * T / 5)),
            0.0008 + 0.7992 * 0.5 * (1 + np.cos(np.pi * np.clip(T - 5, 0, 15) / 15)),
        ),
        optax.cosine_onecycle_schedule(20, 0.8, 0.25, 10, 100),
    ),
}


@pytest.mark.parametrize("case", TABLE)
def test_values_table(case):
    """C105: 30 rates of every schedule equal their closed form and Optax, to float32's rounding."""
    schedule, closed, theirs = TABLE[case]
    curve = values(schedule, 30)
    assert isinstance(curve, np.ndarray)
    np.testing.assert_allclose(curve, closed, rtol=1e-5, atol=1e-7)  # powers and cosines of float32
    if theirs is not None:
        np.testing.assert_allclose(curve, [float(theirs(step)) for step in range(30)], rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("case", TABLE)
def test_step_may_be_a_number_or_an_int32_array_under_strict_promotion(case):
    schedule, closed, _ = TABLE[case]
    with jax.numpy_dtype_promotion("strict"), jax.numpy_rank_promotion("raise"):
        traced = jax.jit(schedule)(jnp.int32(13))
        eager = schedule(13)
    assert traced.dtype == jnp.float32
    assert traced.shape == ()
    np.testing.assert_allclose([traced, eager], closed[13], rtol=1e-5)


@pytest.mark.parametrize("case", TABLE)
def test_config_round_trip(case):
    assert from_config(to_config(TABLE[case][0])) == TABLE[case][0]


def test_the_first_update_uses_the_rate_of_step_0():
    """C105: an optimizer asks its schedule with the number of updates done."""
    optimizer, weights = SGD(PiecewiseConstant((1,), (0.5, 0.25))), jnp.array([0.0])
    path = []
    for step in range(3):
        weights, _ = optimizer.apply_gradients(jnp.array([-1.0]), {}, weights, step=step)
        path.append(float(weights[0]))
    assert path == [0.5, 0.75, 1.0]
    assert float(optimizer.rate(0)) == 0.5


def test_values_of_numbers_and_functions():
    assert values(0.5, 3).tolist() == [0.5] * 3
    assert values(lambda step: 1.0 / (step + 1), 2).tolist() == [1.0, 0.5]


@pytest.mark.parametrize(
    ("make", "error", "text"),
    [
        (lambda: StepDecay(0.1, 0), ArgumentError, "every"),
        (lambda: StepDecay(0.1, 1.5), ArgumentTypeError, "every"),
        (lambda: PiecewiseConstant((5, 3), (1.0, 0.5, 0.1)), ArgumentError, r"must rise; received \(5, 3\)"),
        (lambda: PiecewiseConstant((5,), (1.0,)), ArgumentError, "one more than boundaries, 2; received 1"),
        (lambda: CosineDecay(-0.1, 5), ArgumentError, "initial_learning_rate"),
        (lambda: CosineDecay(0.1, 5, alpha=2.0), ArgumentError, "alpha"),
        (lambda: OneCycle(0.1, 5, rise=1.0), ArgumentError, "rise"),
        (lambda: Warmup("0.1", 5), ArgumentTypeError, "schedule"),
        (lambda: values(0.1, 0), ArgumentError, "num_steps"),
    ],
)
def test_errors_say_what_and_how(make, error, text):
    with pytest.raises(error, match=text):
        make()
