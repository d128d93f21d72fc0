import numpy as np

from chainrule._base.registry import from_config, to_config
from chainrule.data.prepare import PiecewiseLinear


def reference(x, edges):
    """Equation 1 of Gorishniy and others (2022), one number at a time."""
    out = []
    last = len(edges) - 1
    for t in range(1, last + 1):
        if x < edges[t - 1] and t > 1:
            out.append(0.0)
        elif x >= edges[t] and t < last:
            out.append(1.0)
        else:
            out.append((x - edges[t - 1]) / (edges[t] - edges[t - 1]))
    return out


def test_equation_1():
    x = np.random.default_rng(0).normal(size=(41, 2))
    fitted = PiecewiseLinear(bins=5).fit(x)
    new = np.random.default_rng(1).normal(size=(17, 2)) * 2
    expected = [[*reference(row[0], fitted.edges[0]), *reference(row[1], fitted.edges[1])] for row in new]
    np.testing.assert_allclose(fitted.transform(new), expected, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(fitted.edges[0], np.sort(x[:, 0])[[0, 8, 16, 24, 32, 40]], rtol=1e-12)
    assert from_config(to_config(fitted)) == fitted


def test_few_values_give_fewer_bins():
    fitted = PiecewiseLinear(bins=7).fit(np.array([[0.0, 3.0, np.nan], [1.0, 3.0, np.nan], [1.0, 3.0, np.nan]]))
    assert fitted.sizes == (1, 1, 1)
    assert fitted.transform(np.array([[1.0, 3.0, 0.0]])).tolist() == [[1.0, 0.0, 0.0]]
