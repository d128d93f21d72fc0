"""The input that excites one channel of a layer most, found by climbing the gradient."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt

from chainrule._base.checks import check_int, check_number, check_positive_int
from chainrule._base.errors import ArgumentError, did_you_mean
from chainrule._base.rng import root_key
from chainrule._base.spec import Array
from chainrule.core import Context, Graph, Variables
from chainrule.models.model import Model


class Maximized(NamedTuple):
    """An input and how it came about.

    Args:
        image: the input found, without batch axis, in the input's own units.
        activations: the channel's mean activation before the first step and after each.
    """

    image: npt.NDArray[np.float32]
    activations: npt.NDArray[np.float64]


def maximize_activation(
    model: Model,
    path: str,
    channel: int,
    *,
    steps: int = 64,
    rate: float = 0.1,
    decay: float = 0.01,
    size: Sequence[int] | None = None,
    seed: int = 0,
) -> Maximized:
    """Climb from faint noise to an input on which one channel of a layer is large: what that channel looks for.

    Each step adds ``rate`` times the gradient of the channel's mean, divided by the gradient's root mean square, and
    takes off a share of the input. Channels near the input answer to edges and colours, later ones to parts of things.

    Args:
        model: a network with one input.
        path: a layer, as in ``Model.intermediate``.
        channel: which number of the last axis of its output.
        steps: how many.
        rate: length of a step, as a root mean square over the input's numbers.
        decay: share of the input taken off at each step, which keeps needless numbers small.
        size: shape of the input without batch, for a network with sizes that vary.
        seed: of the noise.

    Raises:
        ArgumentError: there is no such layer or channel, or the input's size varies and ``size`` is not given.

    Example:
        >>> import chainrule as cr
        >>> from chainrule.layers import Conv2D, Input
        >>> model = cr.Sequential([Input((8, 8, 1)), Conv2D(3, 3, activation="relu")])
        >>> found = maximize_activation(model, "conv2d", 1, steps=8)
        >>> found.image.shape, bool(found.activations[-1] > found.activations[0])
        ((8, 8, 1), True)

    References:
        Erhan et al., "Visualizing Higher-Layer Features of a Deep Network", 2009. Olah, Mordvintsev, Schubert, "Feature
        Visualization", Distill 2017, https://doi.org/10.23915/distill.00007.
    """
    check_int("channel", channel, "maximize_activation", minimum=0)
    check_positive_int("steps", steps, "maximize_activation")
    check_number("rate", rate, "maximize_activation", above=0)
    check_number("decay", decay, "maximize_activation", at_least=0, below=1)
    start = 0.1 * jax.random.normal(root_key(seed), (1, *_shape(model, size)))
    mean = functools.partial(_mean, model.graph, model.variables, path, channel)

    @jax.jit
    def climb(image: Array) -> tuple[Array, Array]:
        def step(image: Array, _: None) -> tuple[Array, Array]:
            value, slope = jax.value_and_grad(mean)(image)
            scale = jnp.sqrt(jnp.mean(jnp.square(slope))) + 1e-8
            return (1 - decay) * image + rate * slope / scale, value

        best, values = jax.lax.scan(step, image, length=steps)
        return best, jnp.append(values, mean(best))

    image, values = climb(start)
    return Maximized(np.asarray(image[0], np.float32), np.asarray(values, np.float64))


def _mean(graph: Graph, variables: Variables, path: str, channel: int, x: Array) -> Array:
    record: dict[str, Any] = {}
    graph.apply(variables, x, context=Context(record=record))
    if path not in record:
        raise ArgumentError(f"maximize_activation: no layer is at {path!r}.{did_you_mean(path, record)}")
    channels = record[path].shape[-1]
    if channel >= channels:
        raise ArgumentError(
            f"maximize_activation: channel must be below the {channels} channels of {path}; received {channel}. "
            "Count from 0."
        )
    return jnp.mean(record[path][..., channel])


def _shape(model: Model, size: Sequence[int] | None) -> tuple[int, ...]:
    inputs = model.graph.inputs
    wanted = tuple(inputs[0].shape[1:]) if size is None else tuple(size)
    if len(inputs) != 1 or not all(isinstance(n, int) for n in wanted) or len(wanted) != len(inputs[0].shape) - 1:
        raise ArgumentError(
            f"maximize_activation: the model must have one input of known size; received {len(inputs)} input(s), the "
            f"first of shape {inputs[0].shape}, and size={size}. Pass size=(height, width, channels)."
        )
    return wanted
