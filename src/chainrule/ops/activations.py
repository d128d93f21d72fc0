"""Activation functions: elementwise bends (and softmax) between the affine maps of a network.

Every function maps an array of any shape to one of the same shape and dtype; integers become floats, and NaN stays
NaN. Without one of these between them, a chain of affine layers collapses into a single affine map.

:func:`get` finds one by name, so layers take ``activation="relu"``. Functions with a parameter also exist as small
objects: ``LeakyRelu(0.2)``, ``Elu(0.5)``, ``Threshold(1.5)``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import jax
import jax.numpy as jnp

from chainrule._base.checks import check_number, describe
from chainrule._base.errors import ArgumentTypeError
from chainrule._base.policy import widen
from chainrule._base.registry import Registry, register_class, register_function
from chainrule._base.spec import Array
from chainrule.ops import stable
from chainrule.ops.precision import as_float

Activation = Callable[[Array], Array]

registry: Registry[Activation] = Registry("activation")

LEAKY_SLOPE = 0.1


def get(activation: str | Activation | None) -> Activation:
    """The activation given by name, by function or by object; ``None`` is ``linear``.

    Raises:
        UnknownNameError: the name is not registered; the message suggests the nearest.
        ArgumentTypeError: it is neither a name nor something that can be called.

    Example:
        >>> import jax.numpy as jnp
        >>> get("relu")(jnp.array([-1.0, 2.0])).tolist()
        [0.0, 2.0]
    """
    if activation is None:
        return linear
    if isinstance(activation, str):
        return registry[activation]
    if not callable(activation):
        raise ArgumentTypeError(
            f"activation must be a name, a function or an activation object; received {describe(activation)}. "
            f"Known names: {', '.join(registry)}."
        )
    return activation


def names() -> list[str]:
    """The registered names, in alphabetical order.

    Example:
        >>> names()[:3]
        ['elu', 'exponential', 'gelu']
    """
    return list(registry)


def linear(x: Array) -> Array:
    """The identity ``f(z) = z``: no activation, for regression outputs and for logits.

    Example:
        >>> import jax.numpy as jnp
        >>> linear(jnp.array([-2.0, 2.0])).tolist()
        [-2.0, 2.0]
    """
    return as_float(x)


def sigmoid(x: Array) -> Array:
    """``σ(z) = 1 / (1 + exp(−z))`` in (0, 1); slope ``σ(1 − σ)``, at most 1/4 at 0.

    Example:
        >>> import jax.numpy as jnp
        >>> [round(v, 4) for v in sigmoid(jnp.array([-1.0, 0.0, 1.0])).tolist()]
        [0.2689, 0.5, 0.7311]
    """
    return jax.nn.sigmoid(as_float(x))


def tanh(x: Array) -> Array:
    """``tanh z = (exp z − exp(−z)) / (exp z + exp(−z))`` in (−1, 1); slope ``1 − tanh² z``.

    A sigmoid stretched to be zero-centred: ``tanh z = 2 σ(2z) − 1``. It is a function of its own; calling the
    sigmoid where the formula of tanh stands is a mistake seen in print.

    Example:
        >>> import jax.numpy as jnp
        >>> [round(v, 4) for v in tanh(jnp.array([-1.0, 0.0, 1.0])).tolist()]
        [-0.7616, 0.0, 0.7616]
    """
    return jnp.tanh(as_float(x))


def relu(x: Array) -> Array:
    """``max(0, z)``; slope 1 for z > 0 and 0 for z ≤ 0 (at 0 by convention, as in other frameworks).

    Example:
        >>> import jax.numpy as jnp
        >>> relu(jnp.array([-2.0, 0.0, 2.0])).tolist()
        [0.0, 0.0, 2.0]
    """
    return jax.nn.relu(as_float(x))


def swish(x: Array) -> Array:
    """``z · σ(z)``, also called SiLU; smooth, dips to −0.278 at z = −1.278.

    References:
        Ramachandran, Zoph, Le, "Searching for Activation Functions", 2017, https://arxiv.org/abs/1710.05941.

    Example:
        >>> import jax.numpy as jnp
        >>> [round(v, 4) for v in swish(jnp.array([-2.0, 0.0, 2.0])).tolist()]
        [-0.2384, 0.0, 1.7616]
    """
    return jax.nn.silu(as_float(x))


def leaky_relu(x: Array, slope: float = LEAKY_SLOPE) -> Array:
    """``max(slope · z, z)`` for a slope in [0, 1]: z for z ≥ 0, slope · z below.

    The default slope 0.1 is the one of introductory courses; PyTorch's is 0.01, Keras's layer has 0.3 and its
    function 0.2. The derivative at 0 is 1.

    References:
        Maas, Hannun, Ng, "Rectifier Nonlinearities Improve Neural Network Acoustic Models", 2013.

    Example:
        >>> import jax.numpy as jnp
        >>> [round(v, 4) for v in leaky_relu(jnp.array([-2.0, 0.0, 2.0])).tolist()]
        [-0.2, 0.0, 2.0]
    """
    return jax.nn.leaky_relu(as_float(x), slope)


def elu(x: Array, alpha: float = 1.0) -> Array:
    """``z`` for z ≥ 0, ``α (exp(z) − 1)`` below; tends to −α. With α = 1 its slope is continuous.

    References:
        Clevert, Unterthiner, Hochreiter, "Fast and Accurate Deep Network Learning by Exponential Linear Units",
        2016, https://arxiv.org/abs/1511.07289.

    Example:
        >>> import jax.numpy as jnp
        >>> [round(v, 4) for v in elu(jnp.array([-1.0, 0.0, 2.0])).tolist()]
        [-0.6321, 0.0, 2.0]
    """
    return jax.nn.elu(as_float(x), alpha)


def selu(x: Array) -> Array:
    """``1.0507 · elu(z, 1.6733)``: keeps mean 0 and variance 1 through layers with LeCun-normal weights.

    References:
        Klambauer et al., "Self-Normalizing Neural Networks", 2017, https://arxiv.org/abs/1706.02515, eq. 2.

    Example:
        >>> import jax.numpy as jnp
        >>> [round(v, 4) for v in selu(jnp.array([-1.0, 0.0, 1.0])).tolist()]
        [-1.1113, 0.0, 1.0507]
    """
    return jax.nn.selu(as_float(x))


def gelu(x: Array) -> Array:
    """``z · Φ(z)`` with the normal distribution function Φ (exact, as Keras and PyTorch by default; JAX differs).

    References:
        Hendrycks, Gimpel, "Gaussian Error Linear Units", 2016, https://arxiv.org/abs/1606.08415.

    Example:
        >>> import jax.numpy as jnp
        >>> [round(v, 4) for v in gelu(jnp.array([-1.0, 0.0, 1.0])).tolist()]
        [-0.1587, 0.0, 0.8413]
    """
    return jax.nn.gelu(as_float(x), approximate=False)


def gelu_tanh(x: Array) -> Array:
    """``z/2 · (1 + tanh(√(2/π) (z + 0.044715 z³)))``: GELU's approximation, within 5e-4 of :func:`gelu`.

    Example:
        >>> import jax.numpy as jnp
        >>> bool(abs(gelu_tanh(jnp.array(1.0)) - gelu(jnp.array(1.0))) < 5e-4)
        True
    """
    return jax.nn.gelu(as_float(x), approximate=True)


def softplus(x: Array) -> Array:
    """``log(1 + exp z)``: a smooth ReLU, always positive; its slope is the sigmoid.

    Example:
        >>> import jax.numpy as jnp
        >>> [round(v, 4) for v in softplus(jnp.array([-100.0, 0.0, 100.0])).tolist()]
        [0.0, 0.6931, 100.0]
    """
    return stable.softplus(as_float(x))


def softsign(x: Array) -> Array:
    """``z / (1 + |z|)`` in (−1, 1): like tanh, but it saturates slowly.

    Example:
        >>> import jax.numpy as jnp
        >>> softsign(jnp.array([-3.0, 0.0, 1.0])).tolist()
        [-0.75, 0.0, 0.5]
    """
    return jax.nn.soft_sign(as_float(x))


def hard_sigmoid(x: Array) -> Array:
    """``min(max(z/6 + 1/2, 0), 1)``, straight pieces in place of a sigmoid (Keras 3; Keras 2 had slope 0.2).

    Example:
        >>> import jax.numpy as jnp
        >>> hard_sigmoid(jnp.array([-3.0, 0.0, 3.0])).tolist()
        [0.0, 0.5, 1.0]
    """
    return jax.nn.hard_sigmoid(as_float(x))


def mish(x: Array) -> Array:
    """``z · tanh(softplus(z))``.

    References:
        Misra, "Mish: A Self Regularized Non-Monotonic Activation Function", 2019,
        https://arxiv.org/abs/1908.08681.

    Example:
        >>> import jax.numpy as jnp
        >>> [round(v, 4) for v in mish(jnp.array([-1.0, 0.0, 1.0])).tolist()]
        [-0.3034, 0.0, 0.8651]
    """
    return jax.nn.mish(as_float(x))


def exponential(x: Array) -> Array:
    """``exp z``: positive outputs such as rates of counts; grows fast.

    Example:
        >>> import jax.numpy as jnp
        >>> [round(v, 4) for v in exponential(jnp.array([0.0, 1.0])).tolist()]
        [1.0, 2.7183]
    """
    return jnp.exp(as_float(x))


def step(x: Array, threshold: float = 0.0) -> Array:
    """1 where z > threshold, else 0 (also at equality): the classic perceptron's output.

    Its slope is 0 wherever it exists, so gradient descent cannot train through it; the perceptron has a rule of
    its own. Putting the threshold into the sum gives the bias form: ``threshold = −bias``.

    References:
        Rosenblatt, "The Perceptron", 1958.

    Example:
        >>> import jax.numpy as jnp
        >>> step(jnp.array([-1.0, 0.0, 1.0])).tolist()
        [0.0, 0.0, 1.0]
    """
    x = as_float(x)
    return jnp.where(jnp.isnan(x), x, (x > threshold).astype(x.dtype))


def softmax(x: Array, axis: int = -1) -> Array:
    """``exp(z_i) / Σ_j exp(z_j)`` along ``axis``: positive numbers that sum to 1.

    ``i`` is the class asked for and ``j`` runs over all of them; formulas that use one letter for both are
    misprints. Adding a constant to all z changes nothing, and large z do not overflow. Sums are formed in float32
    at least.

    Example:
        >>> import jax.numpy as jnp
        >>> [round(v, 4) for v in softmax(jnp.array([1.0, 2.0, 3.0])).tolist()]
        [0.09, 0.2447, 0.6652]
    """
    x = as_float(x)
    return stable.softmax(widen(x), axis).astype(x.dtype)


def log_softmax(x: Array, axis: int = -1) -> Array:
    """``z_i − log Σ_j exp(z_j)`` along ``axis``, finite where the softmax itself rounds to 0.

    Example:
        >>> import jax.numpy as jnp
        >>> log_softmax(jnp.array([0.0, 200.0])).tolist()
        [-200.0, 0.0]
    """
    x = as_float(x)
    return stable.log_softmax(widen(x), axis).astype(x.dtype)


@dataclass(frozen=True)
class LeakyRelu:
    """:func:`leaky_relu` with a slope of your own, usable wherever an activation is asked for.

    Example:
        >>> import jax.numpy as jnp
        >>> LeakyRelu(0.5)(jnp.array([-2.0, 2.0])).tolist()
        [-1.0, 2.0]
    """

    slope: float = LEAKY_SLOPE

    def __post_init__(self) -> None:
        check_number("slope", self.slope, self, at_least=0)

    def __call__(self, x: Array) -> Array:
        """Apply it to an array of any shape."""
        return leaky_relu(x, self.slope)


@dataclass(frozen=True)
class Elu:
    """:func:`elu` with a scale of your own below 0.

    Example:
        >>> import jax.numpy as jnp
        >>> Elu(2.0)(jnp.array([-50.0, 3.0])).tolist()
        [-2.0, 3.0]
    """

    alpha: float = 1.0

    def __post_init__(self) -> None:
        check_number("alpha", self.alpha, self, at_least=0)

    def __call__(self, x: Array) -> Array:
        """Apply it to an array of any shape."""
        return elu(x, self.alpha)


@dataclass(frozen=True)
class Threshold:
    """:func:`step` at a threshold of your own: 1 above it, 0 at it and below.

    Example:
        >>> import jax.numpy as jnp
        >>> Threshold(1.5)(jnp.array([1.0, 1.5, 2.0])).tolist()
        [0.0, 0.0, 1.0]
    """

    value: float = 0.0

    def __post_init__(self) -> None:
        check_number("value", self.value, self)

    def __call__(self, x: Array) -> Array:
        """Apply it to an array of any shape."""
        return step(x, self.value)


_SYNONYMS = {
    "linear": ("identity", "none"),
    "swish": ("silu",),
    "gelu_tanh": ("gelu_approximate",),
    "softsign": ("soft_sign",),
    "step": ("threshold", "heaviside"),
    "exponential": ("exp",),
    "leaky_relu": ("leakyrelu",),
}


def _register(*functions: Activation) -> None:
    for function in functions:
        name = function.__name__
        registry.register(function, name, synonyms=_SYNONYMS.get(name, ()))
        register_function(function, f"activations.{name}")  # so that models given the function itself can be saved


_register(linear, sigmoid, tanh, relu, swish, leaky_relu, elu, selu, gelu, gelu_tanh, softplus, softsign)
_register(hard_sigmoid, mish, exponential, step, softmax, log_softmax)

for _parametric in (LeakyRelu, Elu, Threshold):  # layers of nearly the same names exist
    register_class(_parametric, f"activations.{_parametric.__name__}")

silu = swish
