"""The dtype in which mathematics is done, chosen without leaning on implicit promotion."""

from __future__ import annotations

import jax.numpy as jnp

from chainrule._base.spec import Array


def as_float(x: Array) -> Array:
    """``x`` as an array of floats: floats keep their dtype, integers and booleans become float32.

    Example:
        >>> import jax.numpy as jnp
        >>> as_float(jnp.arange(3)).dtype, as_float(jnp.ones(3, jnp.bfloat16)).dtype
        (dtype('float32'), dtype(bfloat16))
    """
    x = jnp.asarray(x)
    return x if jnp.issubdtype(x.dtype, jnp.floating) else x.astype(jnp.float32)
