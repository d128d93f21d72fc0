import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import ndimage

from chainrule.ops.warping import FILL_MODES, warp_axes, warp_points

SCIPY = {"reflect": "reflect", "nearest": "nearest", "wrap": "grid-wrap", "constant": "grid-constant"}
RNG = np.random.default_rng(0)
X = RNG.normal(size=(2, 5, 7, 3))
# positions far outside on both sides, halves, and whole pixels
ROWS = RNG.uniform(-9, 14, (2, 4)).round(1)
COLUMNS = RNG.uniform(-12, 19, (2, 6)).round(1)


def by_scipy(x, rows, columns, mode, order, fill):
    """One image and channel at a time, by SciPy's spline interpolation of order 0 or 1."""
    out = np.empty((*rows.shape, x.shape[-1]))
    for image in range(x.shape[0]):
        for channel in range(x.shape[-1]):
            out[image, ..., channel] = ndimage.map_coordinates(
                x[image, ..., channel], [rows[image], columns[image]], order=order, mode=SCIPY[mode], cval=fill
            )
    return out


@pytest.mark.parametrize("mode", FILL_MODES)
@pytest.mark.parametrize("fill", [0.0, 2.5])
def test_both_ways_agree_with_scipy(mode, fill):
    rows, columns = (np.broadcast_to(a, (2, 4, 6)) for a in (ROWS[:, :, None], COLUMNS[:, None, :]))
    expected = by_scipy(X, rows, columns, mode, 1, fill)
    options = {"fill_mode": mode, "fill_value": fill}
    found = jax.jit(lambda x, r, c: warp_axes(x, r, c, **options))(X.astype("f4"), ROWS, COLUMNS)
    np.testing.assert_allclose(found, expected, atol=2e-5)  # float32 positions up to 19: steps of 1e-6, times values
    found = jax.jit(lambda x, r, c: warp_points(x, r, c, **options))(X.astype("f4"), rows, columns)
    np.testing.assert_allclose(found, expected, atol=2e-5)


@pytest.mark.parametrize("mode", FILL_MODES)
def test_the_nearest_pixel(mode):
    rows, columns = ROWS + 0.03, COLUMNS + 0.03  # never halfway between two
    grid = [np.broadcast_to(a, (2, 4, 6)) for a in (rows[:, :, None], columns[:, None, :])]
    expected = by_scipy(X, *grid, mode, 0, 0.0)
    found = warp_axes(jnp.float32(X), jnp.float32(rows), jnp.float32(columns), fill_mode=mode, interpolation="nearest")
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_gradients_flow_to_the_pixels_that_were_read():
    def total(x):
        return warp_axes(x, jnp.array([[0.25]]), jnp.array([[1.0]]))[0, 0, 0, 0]

    gradient = jax.grad(total)(jnp.ones((1, 2, 3, 1)))[0, :, :, 0]
    np.testing.assert_allclose(gradient, [[0, 0.75, 0], [0, 0.25, 0]], atol=1e-7)
