import subprocess
import sys

import numpy as np
import pytest

from chainrule._base.errors import ShapeError
from chainrule.figures import style


def test_label_escapes_mathematics_and_flattens_lines():
    assert style.label("a $x$\n b\x00\u202e") == r"a \$x\$ b"


def test_label_cuts_before_escaping_so_no_half_escape_is_left():
    assert style.label("$" * 50, most=3) == r"\$\$…"


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.5, "0.5"), (0, "0"), (1234.5, "1,234"), (-0.25, "−0.25"), (1.5e-7, "1.5e-7"), (float("inf"), "∞")],
)
def test_number_reads_like_print(value, text):
    assert style.number(value) == text


def test_thin_keeps_both_ends_and_pairs():
    x = np.arange(10_001.0)
    a, b = style.thin(x, 2 * x)
    assert len(a) == style.MOST_POINTS
    assert (a[0], a[-1]) == (0, 10_000)
    np.testing.assert_array_equal(b, 2 * a)


def test_thin_leaves_short_arrays_alone():
    x = np.arange(7.0)
    assert style.thin(x)[0] is x


@pytest.mark.parametrize("bad", [[], [[1.0]], 3.0])
def test_one_dimensional_refuses_other_shapes(bad):
    with pytest.raises(ShapeError, match="one axis"):
        style.one_dimensional("x", bad, "test")


def test_unequal_lengths_are_told_by_name():
    with pytest.raises(ShapeError, match="a 1, b 2"):
        style.same_length("test", a=[1], b=[1, 2])


def test_colours_of_the_first_two_series_differ_in_grey_or_dashes():
    assert len(set(style.SERIES)) == len(style.SERIES)
    assert len({str(dash) for dash in style.DASHES}) == len(style.DASHES)


def test_figures_never_import_pyplot():
    code = "import chainrule.figures, sys; sys.exit('matplotlib.pyplot' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_importing_chainrule_does_not_import_matplotlib():
    code = "import chainrule, sys; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        ([1.0, 0.4], ["1.000", "0.400"]),
        ([-0.5, 0.25, float("nan")], ["−0.500", "0.250", "not finite"]),
        ([123.4, 5.67], ["123", "6"]),
        ([12.34, -5.67], ["12.3", "−5.7"]),
        ([0.0123, 0.004], ["0.0123", "0.0040"]),
        ([2e-7, 0.0], ["2e-7", "0"]),
    ],
)
def test_numbers_share_their_decimals(values, texts):
    assert style.numbers(values) == texts
