"""Convolution and pooling in float64, as plain loops over positions and cells: an independent truth for the layers."""

import itertools
import math

import numpy as np


def pads_of(padding, sizes, window, strides, dilation):
    """Cells before and after each axis."""
    if padding == "valid":
        return [(0, 0)] * len(window)
    if padding == "causal":
        return [(d * (k - 1), 0) for k, d in zip(window, dilation, strict=True)]
    if padding in ("same", "reflect"):
        found = []
        for n, k, s, d in zip(sizes, window, strides, dilation, strict=True):
            last = (math.ceil(n / s) - 1) * s + d * (k - 1)  # the last cell that the last window touches
            total = max(last - (n - 1), 0)
            found.append((total // 2, total - total // 2))
        return found
    return list(padding)


def _walk(padded, window, strides, dilation):
    """Every position, every cell of its window, and where that cell lies in the padded input."""
    counts = [(n - d * (k - 1) - 1) // s + 1 for n, k, s, d in zip(padded, window, strides, dilation, strict=True)]
    for position in itertools.product(*map(range, counts)):
        for cell in itertools.product(*map(range, window)):
            place = tuple(s * p + d * c for p, c, s, d in zip(position, cell, strides, dilation, strict=True))
            yield position, cell, place


def _padded(x, pads, mode="constant"):
    return np.pad(np.asarray(x, np.float64), [(0, 0), *pads, (0, 0)], mode=mode)


def conv(x, kernel, strides, padding, dilation, groups=1):
    """``y[p, f] = Σ x[s·p + d·k, c] kernel[k, c, f]``, the groups one after another."""
    *window, inside, filters = kernel.shape
    pads = pads_of(padding, x.shape[1:-1], window, strides, dilation)
    padded = _padded(x, pads, "reflect" if padding == "reflect" else "constant")
    space = padded.shape[1:-1]
    counts = [(n - d * (k - 1) - 1) // s + 1 for n, k, s, d in zip(space, window, strides, dilation, strict=True)]
    y = np.zeros((len(x), *counts, filters))
    each = filters // groups
    for position, cell, place in _walk(space, window, strides, dilation):
        for group in range(groups):
            taken = padded[(slice(None), *place, slice(group * inside, (group + 1) * inside))]
            own = slice(group * each, (group + 1) * each)
            y[(slice(None), *position, own)] += taken @ kernel[(*cell, slice(None), own)]
    return y


def conv_gradients(x, kernel, strides, padding, dilation, groups, upstream):
    """The gradients of ``Σ upstream · y`` to input and kernel (paddings other than reflect)."""
    *window, inside, filters = kernel.shape
    pads = pads_of(padding, x.shape[1:-1], window, strides, dilation)
    padded = _padded(x, pads)
    by_x, by_kernel = np.zeros_like(padded), np.zeros(kernel.shape)
    each = filters // groups
    for position, cell, place in _walk(padded.shape[1:-1], window, strides, dilation):
        for group in range(groups):
            channels = slice(group * inside, (group + 1) * inside)
            own = slice(group * each, (group + 1) * each)
            signal = upstream[(slice(None), *position, own)]
            by_x[(slice(None), *place, channels)] += signal @ kernel[(*cell, slice(None), own)].T
            by_kernel[(*cell, slice(None), own)] += padded[(slice(None), *place, channels)].T @ signal
    inner = tuple(slice(low, low + n) for n, (low, _) in zip(x.shape[1:-1], pads, strict=True))
    return by_x[(slice(None), *inner)], by_kernel


def conv_transpose(x, kernel, strides, dilation, low, sizes):
    """Every input cell adds its kernel at ``s·i − low``; what falls outside ``sizes`` is dropped."""
    *window, filters, _ = kernel.shape
    y = np.zeros((len(x), *sizes, filters))
    for place in itertools.product(*map(range, x.shape[1:-1])):
        for cell in itertools.product(*map(range, window)):
            axes = zip(place, cell, strides, dilation, low, strict=True)
            target = tuple(s * i + d * c - cut for i, c, s, d, cut in axes)
            if all(0 <= t < n for t, n in zip(target, sizes, strict=True)):
                y[(slice(None), *target)] += np.asarray(x, np.float64)[(slice(None), *place)] @ kernel[cell].T
    return y


def depthwise(x, kernel, strides, padding, dilation):
    """Each channel convolved by itself with each of its filters, in the order channel, filter."""
    channels, multiplier = kernel.shape[-2:]
    made = [
        conv(x[..., c : c + 1], kernel[..., c : c + 1, j : j + 1], strides, padding, dilation)
        for c in range(channels)
        for j in range(multiplier)
    ]
    return np.concatenate(made, axis=-1)


def pool(x, window, strides, padding, kind, count_padding=False):
    """The largest value, or the mean, of each window; padding never wins, and counts only if told so."""
    ones = (1,) * len(window)
    pads = pads_of(padding, x.shape[1:-1], window, strides, ones)
    padded = np.pad(np.asarray(x, np.float64), [(0, 0), *pads, (0, 0)], constant_values=np.nan)
    space = padded.shape[1:-1]
    counts = [(n - k) // s + 1 for n, k, s in zip(space, window, strides, strict=True)]
    y = np.zeros((len(x), *counts, x.shape[-1]))
    for position in itertools.product(*map(range, counts)):
        corner = zip(position, window, strides, strict=True)
        view = padded[(slice(None), *(slice(s * p, s * p + k) for p, k, s in corner))]
        flat = view.reshape(len(x), -1, x.shape[-1])
        if kind == "max":
            y[(slice(None), *position)] = np.nanmax(flat, axis=1)
        else:
            count = flat.shape[1] if count_padding else (~np.isnan(flat)).sum(axis=1)
            y[(slice(None), *position)] = np.nansum(flat, axis=1) / count
    return y


def close(actual, expected):
    """Equal up to float32 rounding of sums of at most a few hundred products: 1e-5 of the largest value."""
    expected = np.asarray(expected)
    largest = np.abs(expected).max(initial=1.0)
    np.testing.assert_allclose(actual, expected, rtol=1e-5, atol=1e-5 * largest)
