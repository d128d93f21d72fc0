"""Convolutions are NumPy's in float64: values, gradients and second derivatives, by the kernels and by plain JAX."""

import itertools
import re
import zlib

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from chainrule._base.errors import ArgumentError, ArgumentTypeError, ShapeError
from chainrule.ops import native
from chainrule.ops.convolution import conv, conv_transpose, transposed_sizes

# float32 against float64, relative to the largest value: sums of at most 100 products; Winograd's transforms, which 3x3
# windows of step 1 may take, lose a digit
FORWARD, GRADIENT = 1e-5, 5e-5


def padded_by(padding, sizes, window, strides, dilation):
    rank = len(window)
    if padding == "valid":
        return [(0, 0)] * rank
    if padding == "causal":
        return [(dilation[0] * (window[0] - 1), 0)]
    if padding in ("same", "reflect"):
        totals = [
            max((-(-n // s) - 1) * s + d * (k - 1) + 1 - n, 0)
            for n, k, s, d in zip(sizes, window, strides, dilation, strict=True)
        ]
        return [(t // 2, t - t // 2) for t in totals]
    return padding


def taps(x, window, positions, strides, dilation):
    """Each cell of the window with the inputs that it meets: index, [batch, *positions, channels]."""
    for tap in itertools.product(*map(range, window)):
        starts = [k * d for k, d in zip(tap, dilation, strict=True)]
        ranges = [slice(a, a + (m - 1) * s + 1, s) for a, m, s in zip(starts, positions, strides, strict=True)]
        yield tap, (slice(None), *ranges)


def numpy_conv(x, kernel, bias, *, strides, padding, dilation, groups, activation):
    rank = kernel.ndim - 2
    window, inside, filters = kernel.shape[:rank], kernel.shape[-2], kernel.shape[-1]
    pads = padded_by(padding, x.shape[1:-1], window, strides, dilation)
    padded = np.pad(x, [(0, 0), *pads, (0, 0)], mode="reflect" if padding == "reflect" else "constant")
    positions = [
        (n - d * (k - 1) - 1) // s + 1 for n, k, s, d in zip(padded.shape[1:-1], window, strides, dilation, strict=True)
    ]
    y = np.zeros((x.shape[0], *positions, filters))
    share = filters // groups
    for tap, where in taps(padded, window, positions, strides, dilation):
        for g in range(groups):
            mine = slice(g * share, (g + 1) * share)
            y[..., mine] += padded[where][..., g * inside : (g + 1) * inside] @ kernel[tap][:, mine]
    y += bias
    return np.maximum(y, 0) if activation == "relu" else y


def numpy_transposed(x, kernel, sizes, *, strides, low, dilation):
    """Every cell of x adds its multiple of the kernel, ``out[s·i + d·k - low] += x[i] @ kernel[k].T``."""
    rank = kernel.ndim - 2
    y = np.zeros((x.shape[0], *sizes, kernel.shape[-2]))
    for tap in itertools.product(*map(range, kernel.shape[:rank])):
        for cell in itertools.product(*map(range, x.shape[1:-1])):
            to = tuple(s * i + d * k - a for s, i, d, k, a in zip(strides, cell, dilation, tap, low, strict=True))
            if all(0 <= t < n for t, n in zip(to, sizes, strict=True)):
                y[(slice(None), *to)] += x[(slice(None), *cell)] @ kernel[tap].T
    return y


# sizes, window, channels, filters, strides, padding, dilation, groups, activation
CASES = {
    "3x3 same": ((6, 7), (3, 3), 4, 5, (1, 1), "same", (1, 1), 1, "relu"),
    "strided same, odd kernel": ((7, 5), (3, 2), 3, 11, (2, 3), "same", (1, 1), 1, "linear"),
    "step wider than the window": ((7, 9), (1, 2), 2, 3, (3, 4), "valid", (1, 1), 1, "relu"),
    "dilated": ((7, 9), (2, 3), 3, 2, (1, 2), "valid", (3, 2), 1, "linear"),
    "grouped": ((5, 6), (2, 3), 6, 9, (1, 2), "same", (1, 1), 3, "relu"),
    "explicit, one side": ((3, 4), (4, 3), 2, 7, (2, 1), ((3, 0), (1, 2)), (1, 1), 1, "linear"),
    "reflect": ((5, 4), (3, 3), 2, 3, (1, 1), "reflect", (1, 1), 1, "linear"),
    "pointwise": ((3, 5), (1, 1), 7, 6, (1, 1), "valid", (1, 1), 1, "relu"),
    "one axis, causal": ((9,), (3,), 4, 5, (2,), "causal", (2,), 1, "relu"),
    "one axis, one cell": ((1,), (1,), 1, 1, (1,), "valid", (1,), 1, "linear"),
    "three axes": ((4, 5, 3), (2, 3, 2), 2, 5, (1, 2, 1), "same", (1, 1, 1), 1, "relu"),
    "three axes, grouped, dilated": (
        (5, 3, 4),
        (2, 2, 3),
        4,
        6,
        (2, 1, 1),
        ((1, 0), (1, 1), (0, 2)),
        (2, 1, 1),
        2,
        "linear",
    ),
    "a window that reaches far": ((5, 6), (3, 2), 4, 6, (2, 1), ((90, 91), (3, 0)), (90, 2), 2, "relu"),
    "one axis, a window that reaches far": ((7,), (3,), 2, 5, (1,), "causal", (61,), 1, "linear"),
    "three axes, a window that reaches far": (
        (3, 4, 2),
        (2, 1, 2),
        2,
        3,
        (1, 1, 1),
        ((70, 78), (0, 0), (0, 0)),
        (149, 1, 1),
        1,
        "linear",
    ),
    "winograd's sizes": ((9, 11), (3, 3), 16, 17, (1, 1), "same", (1, 1), 1, "relu"),
}


def drawn(name, batch=2):
    sizes, window, channels, filters, *_, groups, _ = CASES[name]
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    shapes = ((batch, *sizes, channels), (*window, channels // groups, filters), (filters,))
    return [rng.standard_normal(shape).astype(np.float32) for shape in shapes]


def settings(name):
    *_, strides, padding, dilation, groups, activation = CASES[name]
    return {"strides": strides, "padding": padding, "dilation": dilation, "groups": groups, "activation": activation}


def assert_near(found, wanted, tolerance):
    largest = max(np.max(np.abs(wanted), initial=0), 1e-30)
    np.testing.assert_allclose(np.asarray(found) / largest, wanted / largest, rtol=0, atol=tolerance)


def slopes(function, arrays, direction):
    """Derivatives of ``Σ direction·function`` to every array, by central differences in float64, along random lines."""
    rng = np.random.default_rng(1)
    for at, array in enumerate(arrays):
        line = rng.standard_normal(array.shape)
        step = 1e-6
        ends = [[*arrays[:at], array + sign * step * line, *arrays[at + 1 :]] for sign in (1, -1)]
        yield line, np.sum(direction * (function(*ends[0]) - function(*ends[1]))) / (2 * step)


@pytest.mark.parametrize("name", CASES)
def test_values_and_gradients_are_numpys(name):
    """C162, C164: strides, dilation, groups and every padding, over one to three axes."""
    options, arrays = settings(name), drawn(name)
    wide = [array.astype(np.float64) for array in arrays]
    reference = numpy_conv(*wide, **options)
    direction = np.random.default_rng(2).standard_normal(reference.shape).astype(np.float32)

    @jax.jit
    def run(x, kernel, bias):
        y, pull = jax.vjp(lambda *a: conv(*a, **options), x, kernel, bias)
        return y, pull(jnp.asarray(direction))

    y, gradients = run(*arrays)
    assert_near(y, reference, FORWARD)
    along = slopes(lambda *a: numpy_conv(*a, **options), wide, direction.astype(np.float64))
    for gradient, (line, slope) in zip(gradients, along, strict=True):
        scale = np.sqrt(np.sum(np.square(gradient, dtype=np.float64)) * np.sum(line**2))
        assert abs(np.sum(gradient * line) - slope) <= GRADIENT * max(scale, 1e-3)


@pytest.mark.parametrize("name", ["strided same, odd kernel", "grouped", "one axis, causal", "three axes"])
def test_second_derivatives_are_those_of_the_lax_form(name):
    options, (x, kernel, bias) = settings(name), drawn(name)
    rank = kernel.ndim - 2
    space = "DHW"[3 - rank :]
    pads = padded_by(options["padding"], x.shape[1:-1], kernel.shape[:-2], options["strides"], options["dilation"])

    def lax_form(x, kernel, bias):
        y = jax.lax.conv_general_dilated(
            x,
            kernel,
            options["strides"],
            pads,
            rhs_dilation=options["dilation"],
            dimension_numbers=(f"N{space}C", f"{space}IO", f"N{space}C"),
            feature_group_count=options["groups"],
        )
        return jax.nn.relu(y + bias) if options["activation"] == "relu" else y + bias

    def curvature(function):
        def length(*arrays):
            first = jax.grad(lambda *a: jnp.sum(jnp.sin(function(*a))), (0, 1, 2))(*arrays)
            return sum(jnp.sum(part**2) for part in first)

        return jax.jit(jax.grad(length, (0, 1, 2)))

    found = curvature(lambda *a: conv(*a, **options))(x, kernel, bias)
    for ours, theirs in zip(found, curvature(lax_form)(x, kernel, bias), strict=True):
        assert_near(ours, np.asarray(theirs), 2e-4)  # two float32 computations of sums of sums


def test_no_bias_and_no_relu_are_plain_sums():
    x, kernel, _ = drawn("3x3 same")
    options = settings("3x3 same") | {"activation": "linear"}
    wanted = numpy_conv(x.astype(np.float64), kernel.astype(np.float64), 0.0, **options)
    assert_near(conv(x, kernel, **options), wanted, FORWARD)


@pytest.mark.parametrize(
    ("sizes", "window", "options"),
    [
        ((3, 4), (2, 2), {"strides": 2}),
        ((3, 4), (3, 2), {"strides": (2, 3), "padding": "same"}),
        ((4, 3), (3, 3), {"strides": 2, "padding": ((1, 1), (0, 1)), "output_padding": 1}),
        ((3, 2), (2, 3), {"strides": 1, "padding": 1, "dilation": 2}),
        ((3, 4), (1, 2), {"strides": (3, 1)}),
        ((5,), (4,), {"strides": 3, "padding": "same"}),
        ((3, 4), (2, 3), {"strides": (2, 1), "padding": ((70, 72), (1, 0)), "dilation": (145, 1)}),
        ((2, 3, 2), (2, 3, 1), {"strides": (2, 1, 2)}),
    ],
)
def test_transposed_values_and_gradients_are_numpys(sizes, window, options):
    """C162: a transposed convolution spreads every cell by the kernel."""
    rng = np.random.default_rng(4)
    rank = len(window)
    x = rng.standard_normal((2, *sizes, 5)).astype(np.float32)
    kernel = rng.standard_normal((*window, 3, 5)).astype(np.float32)
    bias = rng.standard_normal(3).astype(np.float32)
    steps, spread = (np.broadcast_to(options.get(name, 1), rank) for name in ("strides", "dilation"))
    larger, pads = transposed_sizes(
        sizes,
        window,
        tuple(map(int, steps)),
        tuple(map(int, spread)),
        padding=options.get("padding", "valid"),
        output_padding=options.get("output_padding"),
    )

    def reference(x, kernel, bias):
        low = [a for a, _ in pads]
        return numpy_transposed(x, kernel, larger, strides=steps, low=low, dilation=spread) + bias

    wide = [array.astype(np.float64) for array in (x, kernel, bias)]
    wanted = reference(*wide)
    direction = rng.standard_normal(wanted.shape).astype(np.float32)
    y, pull = jax.vjp(lambda *a: conv_transpose(*a, **options), x, kernel, bias)
    assert_near(y, wanted, FORWARD)
    along = slopes(reference, wide, direction.astype(np.float64))
    for gradient, (line, slope) in zip(pull(jnp.asarray(direction)), along, strict=True):
        scale = np.sqrt(np.sum(np.square(gradient, dtype=np.float64)) * np.sum(line**2))
        assert abs(np.sum(gradient * line) - slope) <= GRADIENT * scale


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"strides": 2, "output_padding": 2}, "output_padding must be below the stride, 2; received 2"),
        ({"strides": (3, 2), "output_padding": (2, 2)}, "below the stride, 2; received 2"),
        ({"strides": 1, "dilation": 3, "output_padding": 3}, "below the dilation, 3; received 3"),
        ({"strides": 2, "output_padding": -1}, "output_padding must be an integer of at least 0; received -1"),
        ({"strides": 2, "output_padding": (1, 1, 1)}, "one number for each of 2 axes; received 3"),
    ],
)
def test_output_padding_that_no_convolution_comes_back_from(options, message):
    with pytest.raises(ArgumentError, match=message):
        conv_transpose(jnp.ones((1, 4, 4, 2)), jnp.ones((3, 3, 1, 2)), padding=1, **options)


def test_same_with_output_padding_is_as_keras_has_it():
    """Its rule: of ``k + k % 2 − 2 + extra`` cells the larger half before, so many of ``k − 1`` are not cut off."""
    for window, stride, added in itertools.product((1, 2, 3, 4, 5), (2, 3), (0, 1, 2)):
        if added < stride and 3 * stride + window % 2 + added > 0:
            sizes, ((low, _),) = transposed_sizes(
                (4,), (window,), (stride,), (1,), padding="same", output_padding=added
            )
            around = window + window % 2 - 2 + added
            before = min((around + 1) // 2, window - 1)
            assert sizes == (3 * stride + window % 2 + added,)
            assert low == window - 1 - before, (window, stride, added)


@pytest.mark.parametrize(("stride", "dilation", "added"), [(3, 1, 2), (1, 3, 2), (2, 3, 2), (3, 2, 1)])
def test_output_padding_up_to_the_larger_of_stride_and_dilation(stride, dilation, added):
    """The sizes that it chooses among all go back to the size of the input; the values are those without it."""
    x, kernel = jnp.arange(8.0).reshape(1, 4, 2), jnp.arange(6.0).reshape(3, 1, 2)
    options = {"strides": stride, "dilation": dilation, "padding": 2}
    plain, larger = (conv_transpose(x, kernel, **options, output_padding=extra) for extra in (0, added))
    assert larger.shape[1] == plain.shape[1] + added
    np.testing.assert_allclose(larger[:, : plain.shape[1]], plain, rtol=1e-6)


def test_vmap_and_scan_run_the_same_convolution():
    x, kernel, bias = drawn("3x3 same", batch=3)
    options = settings("3x3 same")
    once = conv(x, kernel, bias, **options)
    mapped = jax.vmap(lambda one: conv(one[None], kernel, bias, **options)[0])(x)
    np.testing.assert_allclose(mapped, once, rtol=1e-6, atol=1e-6)  # blocks may be cut elsewhere
    _, scanned = jax.lax.scan(lambda carry, one: (carry, conv(one[None], kernel, bias, **options)[0]), 0, x)
    rounding = 0 if native.enabled() else 1e-5  # XLA may sum in another order inside a loop
    np.testing.assert_allclose(scanned, mapped, rtol=rounding, atol=rounding)
    kernels = np.stack([kernel, 2 * kernel])
    slope = jax.vmap(jax.grad(lambda k: jnp.sum(conv(x, k, **options))))(kernels)
    np.testing.assert_allclose(slope[0], slope[1], rtol=1e-5, atol=1e-4)  # the ReLU's mask is the same for both


def test_a_symbolic_batch_is_exported_and_runs_at_any_size():
    x, kernel, bias = drawn("strided same, odd kernel", batch=3)
    options = settings("strided same, odd kernel")
    if native.enabled():
        native.register("conv_forward")
    checks = [jax.export.DisabledSafetyCheck.custom_call("chainrule_conv_forward")]
    batch = jax.export.symbolic_shape("b")[0]
    spec = jax.ShapeDtypeStruct((batch, *x.shape[1:]), jnp.float32)
    exported = jax.export.export(jax.jit(lambda x: conv(x, kernel, bias, **options)), disabled_checks=checks)(spec)
    for count in (1, 3):
        np.testing.assert_array_equal(exported.call(x[:count]), conv(x[:count], kernel, bias, **options))


def test_a_varying_length_is_inferred():
    batch, time = jax.export.symbolic_shape("b, t")
    spec = jax.ShapeDtypeStruct((batch, time, 4), jnp.float32)
    shape = jax.eval_shape(lambda x: conv(x, jnp.ones((3, 4, 5)), padding="causal"), spec).shape
    assert shape == (batch, time, 5)


@pytest.mark.parametrize("dtype", [jnp.bfloat16, jnp.float16])
@pytest.mark.parametrize("name", ["dilated", "a window that reaches far"])
def test_narrow_dtypes_are_summed_wide_and_given_back_narrow(dtype, name):
    x, kernel, bias = (jnp.asarray(array, dtype) for array in drawn(name))
    y = conv(x, kernel, bias, **settings(name))
    wanted = numpy_conv(*(np.asarray(a, np.float64) for a in (x, kernel, bias)), **settings(name))
    assert y.dtype == dtype
    assert_near(np.asarray(y, np.float64), wanted, 2 * float(jnp.finfo(dtype).eps))


@pytest.mark.parametrize(
    ("x", "kernel", "shape"),
    [
        ((0, 5, 4, 3), (2, 2, 3, 4), (0, 4, 3, 4)),
        ((2, 5, 4, 0), (2, 2, 0, 4), (2, 4, 3, 4)),
        ((2, 5, 4, 3), (2, 2, 3, 0), (2, 4, 3, 0)),
    ],
)
def test_empty_axes_give_empty_results_or_the_bias(x, kernel, shape):
    y, pull = jax.vjp(lambda *a: conv(*a), jnp.ones(x), jnp.ones(kernel), jnp.full(kernel[-1], 2.0))
    assert y.shape == shape
    np.testing.assert_array_equal(y, 2.0)
    by_x, by_kernel, by_bias = pull(jnp.ones(shape))
    assert not by_x.any()
    assert not by_kernel.any()
    np.testing.assert_array_equal(by_bias, np.prod(shape[:-1]))


def test_mixed_dtypes_are_promoted_and_gradients_keep_their_arrays_dtype():
    x, kernel, bias = (jnp.asarray(array) for array in drawn("dilated"))
    narrow = x.astype(jnp.bfloat16), kernel, bias.astype(jnp.float16)
    options = settings("dilated")
    y, pull = jax.vjp(lambda *a: conv(*a, **options), *narrow)
    assert y.dtype == jnp.float32
    assert_near(y, numpy_conv(*(np.asarray(a, np.float64) for a in narrow), **options), FORWARD)
    assert [slope.dtype for slope in pull(y)] == [jnp.bfloat16, jnp.float32, jnp.float16]
    turned = jnp.swapaxes(kernel, -1, -2)
    assert conv_transpose(narrow[0], turned).dtype == jnp.float32


def test_the_fused_relu_has_slope_zero_at_zero():
    """As :func:`chainrule.ops.activations.relu` has; black borders of images meet it at the first step."""
    slope = jax.grad(lambda b: conv(jnp.zeros((1, 3, 3, 2)), jnp.ones((2, 2, 2, 5)), b, activation="relu").sum())
    assert not slope(jnp.zeros(5)).any()


@pytest.mark.parametrize(("groups", "filters"), [(1, 0), (3, 0), (1, 3), (3, 3)])
def test_three_axes_without_batch_or_filters(groups, filters):
    x, kernel = jnp.ones((0, 4, 5, 3, 3)), jnp.ones((2, 2, 3, 3 // groups, filters))
    y, pull = jax.vjp(lambda x, k: conv(x, k, groups=groups), x, kernel)
    assert y.shape == (0, 3, 4, 1, filters)
    assert not pull(y)[1].any()


def test_a_transposed_convolution_refuses_what_it_does_not_know():
    x, kernel = jnp.ones((1, 1, 1)), jnp.ones((2, 1, 1))
    for padding in ("reflect", "causal"):
        with pytest.raises(ArgumentError, match=r"conv_transpose: padding must be 'valid', 'same', or numbers"):
            conv_transpose(x, kernel, padding=padding)
    with pytest.raises(ShapeError, match=r"leave at least one cell.*received padding=3.*\(-4,\)"):
        conv_transpose(x, kernel, padding=3)


@pytest.mark.parametrize("transposed", [False, True])
def test_a_window_that_reaches_far_costs_no_more_than_what_it_meets(transposed):
    """Laid out, three cells 3000 apart over two axes are 36 million cells of padding, and 144 MB."""
    x, kernel = jnp.ones((1, 8, 8, 1)), jnp.ones((3, 3, 1, 1))
    run = conv_transpose if transposed else conv
    step = jax.jit(jax.grad(lambda x, k: jnp.sum(run(x, k, padding=3000, dilation=3000) ** 2), (0, 1)))
    compiled = step.lower(x, kernel).compile()
    assert "chainrule_conv" not in compiled.as_text()
    assert compiled.memory_analysis().temp_size_in_bytes < 1e6
    by_x, by_kernel = compiled(x, kernel)
    np.testing.assert_array_equal(by_x, 2.0)  # of the nine cells of the window only the middle one meets the input
    np.testing.assert_array_equal(by_kernel[..., 0, 0], np.pad([[128.0]], 1))


def test_a_bias_is_one_number_for_each_filter():
    x, kernel = jnp.ones((2, 5, 3)), jnp.ones((2, 3, 4))
    for shape in ((3,), (1,), (0,), (), (1, 4), (5,)):
        said = rf"of 4 filters, of shape \(4,\); received shape {re.escape(str(shape))}\. Leave it out"
        with pytest.raises(ShapeError, match="conv: bias must be one number for each " + said):
            conv(x, kernel, jnp.ones(shape))
        with pytest.raises(ShapeError, match="conv_transpose: bias must be one number for each " + said):
            conv_transpose(x, jnp.swapaxes(kernel, 1, 2), jnp.ones(shape))


def test_activations_that_are_not_fused_are_refused():
    x, kernel = jnp.ones((2, 5, 3)), jnp.ones((2, 3, 4))
    with pytest.raises(ArgumentError, match=r"'linear', 'relu'; received 'relu6' \(str\)\. Did you mean 'relu'\?"):
        conv(x, kernel, activation="relu6")
    for wrong in ("tanh", None, jax.nn.relu):
        with pytest.raises(ArgumentError, match="conv: activation must be one of 'linear', 'relu'; received"):
            conv(x, kernel, activation=wrong)


def test_lists_and_arrays_of_numpy_are_taken():
    x, kernel = np.arange(6).reshape(1, 6, 1), np.array([1, 0, -1]).reshape(3, 1, 1)
    assert conv(x.tolist(), kernel.tolist(), [5])[0, :, 0].tolist() == [3, 3, 3, 3]
    assert conv(x, kernel, strides=np.int64(3))[0, :, 0].tolist() == [-2, -2]
    spread = [0, 1, 2, 2, 2, 2, -4, -5]  # i at place i, and -i two places on
    assert conv_transpose(x, kernel)[0, :, 0].tolist() == spread
    assert conv_transpose(x.tolist(), kernel.tolist(), [0.5])[0, :, 0].tolist() == [s + 0.5 for s in spread]
    for run in (conv, conv_transpose):
        for given, name in ((("image", kernel), "x"), ((x, None), "kernel"), ((x, kernel, "b"), "bias")):
            with pytest.raises(ArgumentTypeError, match=f"{run.__name__}: {name} must be an array of numbers"):
                run(*given)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"strides": 1.5}, "strides must be a positive integer or 2 of them; received 1.5"),
        ({"dilation": (1, 0.5)}, "dilation must be a positive integer or 2 of them"),
        ({"padding": 0.5}, "padding must name cells for 2 axes.* received 0.5"),
        ({"padding": None}, "padding must name cells for 2 axes.* received None"),
    ],
)
def test_sizes_that_are_no_integers(options, message):
    x, kernel = jnp.ones((2, 5, 4, 3)), jnp.ones((2, 2, 3, 3))
    for run in (conv, conv_transpose):
        with pytest.raises(ArgumentError, match=f"{run.__name__}: {message}"):
            run(x, kernel, **options)
    with pytest.raises(ArgumentTypeError, match=r"groups must be an integer of at least 1; received 1\.5"):
        conv(x, kernel, groups=1.5)
    with pytest.raises(ArgumentTypeError, match="output_padding must be an integer"):
        conv_transpose(x, kernel, strides=2, output_padding=0.5)


@pytest.mark.parametrize("window", [(0, 2), (2, 0), (0, 0)])
def test_a_window_of_no_cells_is_refused(window):
    for run in (conv, conv_transpose):
        with pytest.raises(
            ShapeError, match=rf"{run.__name__}: kernel must have a window.* received shape \({window[0]}"
        ):
            run(jnp.ones((1, 5, 4, 3)), jnp.ones((*window, 3, 3)))


@pytest.mark.parametrize("shape", [(), (3,), (3, 4), (1, 1, 1, 1, 3, 4)])
def test_kernels_of_too_few_or_many_axes(shape):
    for run in (conv, conv_transpose):
        with pytest.raises(ShapeError, match=f"{run.__name__}: input .* must belong together"):
            run(jnp.ones(shape), jnp.ones(shape))


def test_errors_say_what_was_received():
    x, kernel = jnp.ones((2, 5, 4, 3)), jnp.ones((2, 2, 3, 4))
    with pytest.raises(ShapeError, match=r"received shapes \(2, 5, 4, 3\) and \(2, 2, 2, 4\)"):
        conv(x, kernel[:, :, :2])
    with pytest.raises(ShapeError, match="groups=2"):
        conv(x, kernel, groups=2)
    with pytest.raises(ShapeError, match=r"conv_transpose.*Check the last axis"):
        conv_transpose(x, kernel)
    with pytest.raises(ShapeError, match="a window over 9 cells and an axis of 4"):
        conv(x, kernel, dilation=(1, 8))
    with pytest.raises(ArgumentError, match="strides must be"):
        conv(x, kernel, strides=0)


@pytest.mark.skipif(not native.enabled(), reason="needs the kernels")
def test_the_compiled_program_holds_the_kernels_and_no_convolution_of_xla():
    x, kernel, bias = drawn("3x3 same")
    step = jax.jit(jax.grad(lambda k, b: jnp.sum(conv(x, k, b, **settings("3x3 same")) ** 2), (0, 1)))
    text = step.lower(kernel, bias).compile().as_text()
    assert " convolution(" not in text
    for handler in ("conv_forward", "conv_relu_gradient", "conv_kernel_gradient"):
        assert f"chainrule_{handler}" in text
    assert "chainrule_conv_input_gradient" not in text  # nobody asked for it


@pytest.mark.skipif(not native.enabled(), reason="needs the kernels")
def test_the_highest_precision_is_the_direct_sum():
    """Winograd's transforms lose about a digit; the matmul precision of JAX switches them off."""
    rng = np.random.default_rng(7)
    x, kernel = rng.standard_normal((1, 40, 40, 32)), rng.standard_normal((3, 3, 32, 32))
    options = {"strides": (1, 1), "padding": "same", "dilation": (1, 1), "groups": 1, "activation": "linear"}
    wanted = numpy_conv(x.astype(np.float32).astype(float), kernel.astype(np.float32).astype(float), 0.0, **options)
    arrays = jnp.asarray(x, jnp.float32), jnp.asarray(kernel, jnp.float32)
    with jax.default_matmul_precision("highest"):
        assert_near(conv(*arrays, **options), wanted, 1e-6)
    assert_near(conv(*arrays, **options), wanted, FORWARD)
