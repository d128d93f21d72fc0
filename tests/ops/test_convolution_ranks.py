"""Convolutions over one and three axes are those over two of the arrays that are made of theirs."""

import jax.numpy as jnp
import numpy as np
import pytest

from chainrule.ops.convolution_plain import Geometry, lax_forward
from chainrule.ops.convolution_ranks import flat_geometry, flat_input, flat_kernel, full_output

GEOMETRIES = {
    "one": (Geometry((7,), (3,), (2,), ((1, 2),), (2,)), 3, 4),
    "two": (Geometry((5, 4), (2, 3), (1, 2), ((0, 1), (1, 1)), (2, 1)), 3, 4),
    "three": (Geometry((5, 4, 3), (2, 3, 1), (2, 1, 2), ((1, 0), (1, 1), (0, 0)), (3, 1, 2)), 3, 5),
    "three in groups": (Geometry((4, 3, 5), (3, 2, 2), (1, 2, 1), ((1, 1), (0, 0), (0, 1)), (1, 1, 2), 2), 4, 6),
    "one in groups": (Geometry((7,), (4,), (1,), ((3, 0),), (1,), 2), 6, 4),
}


@pytest.mark.parametrize("name", GEOMETRIES)
def test_the_flat_convolution_is_the_whole_one(name):
    geometry, channels, filters = GEOMETRIES[name]
    rng = np.random.default_rng(6)
    x = jnp.asarray(rng.standard_normal((2, *geometry.sizes, channels)), jnp.float32)
    kernel = jnp.asarray(rng.standard_normal((*geometry.window, channels // geometry.groups, filters)), jnp.float32)
    plane, cells = flat_geometry(geometry), flat_input(geometry, x)
    assert (len(plane.window), cells.ndim) == (2, 4)
    made = full_output(geometry, lax_forward(plane, cells, flat_kernel(geometry, kernel)))
    whole = lax_forward(geometry, x, kernel)
    assert made.shape == (2, *geometry.positions, filters)
    np.testing.assert_allclose(made, whole, atol=1e-5)  # the same products, summed in another order
