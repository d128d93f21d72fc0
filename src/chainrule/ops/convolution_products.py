"""The three products of a convolution over two axes, each the others' derivative, in compiled kernels.

A convolution is linear in its input and in its kernel, so that all its derivatives are again a
:func:`forward`, an :func:`input_gradient` or a :func:`kernel_gradient`. Other platforms than the CPU take their ``lax``
forms. Reverse mode reaches every order; for forward mode (``jax.jvp``, ``jax.hessian``) the kernels must be switched
off, with ``CHAINRULE_NATIVE=0``.
"""

from __future__ import annotations

import functools
from typing import Any

import jax
import jax.numpy as jnp

from chainrule._base.spec import Array
from chainrule.ops import native
from chainrule.ops.convolution_plain import Geometry, lax_forward, pulled

_KERNEL_DTYPES = ("float32", "bfloat16", "float16")  # the kernels compute in float32
_Kept = tuple[Array, ...]
_static = functools.partial(jax.custom_vjp, nondiff_argnums=(0,))


def usable(*arrays: Array) -> bool:
    """Whether the compiled kernels know the arrays' dtype, and are there.

    Example:
        >>> usable(jnp.zeros(1, jnp.int32))
        False
    """
    return native.enabled() and all(array.dtype.name in _KERNEL_DTYPES for array in arrays)


@_static
def forward(geometry: Geometry, x: Array, kernel: Array) -> Array:
    """``y[p, f] = Σ x[s·p + d·k, c] · kernel[k, c, f]``.

    Shapes:
        ``x: [batch, h, w, channels]``, ``kernel: [*window, channels / groups, filters]``
        ``-> [batch, *positions, filters]``

    Example:
        >>> import jax.numpy as jnp
        >>> geometry = Geometry((1, 3), (1, 2), (1, 1), ((0, 0), (0, 0)), (1, 1))
        >>> forward(geometry, jnp.arange(3.0).reshape(1, 1, 3, 1), jnp.ones((1, 2, 1, 1))).ravel().tolist()
        [1.0, 3.0]
    """
    return _forward(geometry, x, kernel, jnp.zeros(0, x.dtype), relu=False)


@_static
def input_gradient(geometry: Geometry, dy: Array, kernel: Array) -> Array:
    """``dx``, of which ``Σ dx·x = Σ dy·y`` for all ``x``.

    Shapes:
        ``dy: [batch, *positions, filters]``, ``kernel: [*window, channels / groups, filters]``
        ``-> [batch, h, w, channels]``

    Example:
        >>> import jax.numpy as jnp
        >>> geometry = Geometry((1, 3), (1, 2), (1, 1), ((0, 0), (0, 0)), (1, 1))
        >>> input_gradient(geometry, jnp.ones((1, 1, 2, 1)), jnp.ones((1, 2, 1, 1))).ravel().tolist()
        [1.0, 2.0, 1.0]
    """
    return _input_gradient(geometry, dy, kernel, jnp.zeros(0, dy.dtype))


@_static
def kernel_gradient(geometry: Geometry, x: Array, dy: Array) -> Array:
    """``dk``, of which ``Σ dk·kernel = Σ dy·y`` for all kernels.

    Shapes:
        ``x: [batch, h, w, channels]``, ``dy: [batch, *positions, filters]``
        ``-> [*window, channels / groups, filters]``

    Example:
        >>> import jax.numpy as jnp
        >>> geometry = Geometry((1, 3), (1, 2), (1, 1), ((0, 0), (0, 0)), (1, 1))
        >>> kernel_gradient(geometry, jnp.arange(3.0).reshape(1, 1, 3, 1), jnp.ones((1, 1, 2, 1))).ravel().tolist()
        [1.0, 3.0]
    """
    shape = (*geometry.window, x.shape[-1] // geometry.groups, dy.shape[-1])

    def compiled(x: Array, dy: Array) -> Array:
        dk: Array = _call("conv_kernel_gradient", native.result(shape, x), x, dy, **_attributes(geometry))
        return dk

    def plain(x: Array, dy: Array) -> Array:
        return pulled(lambda kernel: lax_forward(geometry, x, kernel), shape, dy)

    dkernel: Array = native.on_cpu(compiled, plain, x, dy)
    return dkernel


forward.defvjp(
    lambda geometry, x, kernel: (forward(geometry, x, kernel), (x, kernel)),
    lambda geometry, kept, dy: (input_gradient(geometry, dy, kept[1]), kernel_gradient(geometry, kept[0], dy)),
)
input_gradient.defvjp(
    lambda geometry, dy, kernel: (input_gradient(geometry, dy, kernel), (dy, kernel)),
    lambda geometry, kept, dx: (forward(geometry, dx, kept[1]), kernel_gradient(geometry, dx, kept[0])),
)
kernel_gradient.defvjp(
    lambda geometry, x, dy: (kernel_gradient(geometry, x, dy), (x, dy)),
    lambda geometry, kept, dk: (input_gradient(geometry, kept[1], dk), forward(geometry, kept[0], dk)),
)


@functools.partial(jax.custom_vjp, nondiff_argnums=(0, 1))
def finished(geometry: Geometry, relu: bool, x: Array, kernel: Array, bias: Array) -> Array:  # noqa: FBT001  # static
    """:func:`forward` with a bias (of no elements for none) and, with ``relu``, its negative values made 0."""
    return _forward(geometry, x, kernel, bias, relu=relu)


def _finished(geometry: Geometry, relu: bool, x: Array, kernel: Array, bias: Array) -> tuple[Array, _Kept]:  # noqa: FBT001
    y = finished(geometry, relu, x, kernel, bias)
    return y, (x, kernel, bias, *((y,) if relu else ()))


def _unfinished(geometry: Geometry, relu: bool, kept: _Kept, dy: Array) -> _Kept:  # noqa: FBT001
    x, kernel, bias = kept[:3]
    g, sums = masked(dy, kept[3]) if relu else (dy, _bias_gradient(dy, bias))
    by_bias = sums if bias.size else jnp.zeros(0, bias.dtype)
    return input_gradient(geometry, g, kernel), kernel_gradient(geometry, x, g), by_bias


finished.defvjp(_finished, _unfinished)


@_static
def transposed(geometry: Geometry, x: Array, kernel: Array, bias: Array) -> Array:
    """:func:`input_gradient` of ``x``, with a bias (of no elements for none)."""
    return _input_gradient(geometry, x, kernel, bias)


def _untransposed(geometry: Geometry, kept: _Kept, dy: Array) -> _Kept:
    x, kernel, bias = kept
    return forward(geometry, dy, kernel), kernel_gradient(geometry, dy, x), _bias_gradient(dy, bias)


transposed.defvjp(
    lambda geometry, x, kernel, bias: (transposed(geometry, x, kernel, bias), (x, kernel, bias)), _untransposed
)


@jax.custom_vjp
def masked(dy: Array, y: Array) -> tuple[Array, Array]:
    """``dy`` where ``y > 0`` and 0 elsewhere, and its sum over all axes but the last, in one pass.

    Example:
        >>> import jax.numpy as jnp
        >>> [part.tolist() for part in masked(jnp.ones((2, 2)), jnp.array([[1.0, 0], [2.0, 3.0]]))]
        [[[1.0, 0.0], [1.0, 1.0]], [2.0, 1.0]]
    """

    def compiled(dy: Array, y: Array) -> tuple[Array, Array]:
        results = (native.result(dy.shape, dy), native.result(dy.shape[-1:], dy))
        g, total = _call("conv_relu_gradient", results, dy, y)
        return g, total

    def plain(dy: Array, y: Array) -> tuple[Array, Array]:
        g = jnp.where(y > 0, dy, 0)
        return g, _sums(g)

    pair: tuple[Array, Array] = native.on_cpu(compiled, plain, dy, y)
    return pair


masked.defvjp(
    lambda dy, y: (masked(dy, y), y),
    lambda y, cotangents: (jnp.where(y > 0, cotangents[0] + cotangents[1], 0), jnp.zeros_like(y)),
)


@jax.custom_vjp
def sums(dy: Array) -> Array:
    """The sum over all axes but the last.

    Example:
        >>> import jax.numpy as jnp
        >>> sums(jnp.ones((2, 3, 4))).tolist()
        [6.0, 6.0, 6.0, 6.0]
    """

    def compiled(dy: Array) -> Array:
        total: Array = _call("conv_sums", native.result(dy.shape[-1:], dy), dy)
        return total

    total: Array = native.on_cpu(compiled, _sums, dy)
    return total


sums.defvjp(lambda dy: (sums(dy), dy), lambda dy, total: (jnp.broadcast_to(total, dy.shape),))


def _sums(dy: Array) -> Array:
    return jnp.sum(dy, axis=tuple(range(dy.ndim - 1)))


def _bias_gradient(dy: Array, bias: Array) -> Array:
    return sums(dy) if bias.size else jnp.zeros(0, bias.dtype)


def _forward(geometry: Geometry, x: Array, kernel: Array, bias: Array, *, relu: bool) -> Array:
    def compiled(x: Array, kernel: Array, bias: Array) -> Array:
        shape = (x.shape[0], *geometry.positions, kernel.shape[-1])
        spec = native.result(shape, x)
        y: Array = _call("conv_forward", spec, x, kernel, bias, relu=relu, **_attributes(geometry))
        return y

    def plain(x: Array, kernel: Array, bias: Array) -> Array:
        y = lax_forward(geometry, x, kernel)
        y = y + bias[None, None, None] if bias.size else y
        return jnp.maximum(y, 0) if relu else y

    y: Array = native.on_cpu(compiled, plain, x, kernel, bias)
    return y


def _input_gradient(geometry: Geometry, dy: Array, kernel: Array, bias: Array) -> Array:
    shape = (dy.shape[0], *geometry.sizes, kernel.shape[-2] * geometry.groups)

    def compiled(dy: Array, kernel: Array, bias: Array) -> Array:
        spec = native.result(shape, dy)
        dx: Array = _call("conv_input_gradient", spec, dy, kernel, bias, **_attributes(geometry))
        return dx

    def plain(dy: Array, kernel: Array, bias: Array) -> Array:
        dx = pulled(lambda x: lax_forward(geometry, x, kernel), shape, dy)
        return dx + bias[None, None, None] if bias.size else dx

    dx: Array = native.on_cpu(compiled, plain, dy, kernel, bias)
    return dx


def _attributes(geometry: Geometry) -> dict[str, Any]:  # Any: numbers, tuples of them
    return {
        "strides": geometry.strides,
        "padding": tuple(cells for pair in geometry.padding for cells in pair),
        "dilation": geometry.dilation,
        "groups": geometry.groups,
        "precise": jax.config.jax_default_matmul_precision in ("float32", "highest"),  # type: ignore[attr-defined]
    }


def _call(name: str, results: Any, *arrays: Array, **attributes: Any) -> Any:  # Any: specs; numbers, tuples of them
    """The handler on arrays made float32, its results in the dtype they are wanted in."""
    wide = jax.tree.map(lambda spec: jax.ShapeDtypeStruct(spec.shape, jnp.float32), results)
    found = native.call(name, wide, *(array.astype(jnp.float32) for array in arrays), **attributes)
    return jax.tree.map(lambda value, spec: value.astype(spec.dtype), found, results)
