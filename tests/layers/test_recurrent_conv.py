"""ConvLSTM against SciPy's correlation and a loop over the steps, float64."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.signal import correlate

import chainrule as cr
from chainrule._base.errors import ArgumentError, ShapeError
from chainrule.layers import (
    LSTM,
    Conv2D,
    ConvLSTM1D,
    ConvLSTM2D,
    Dense,
    GlobalAveragePooling2D,
    Input,
    TimeDistributed,
)


def convolve(x, kernel, mode):
    """``[*space, in]`` with ``[*window, in, out]``; "same" pads with the surplus at the end."""
    window = kernel.shape[:-2]
    if mode == "same":
        x = np.pad(x, [((k - 1) // 2, k - 1 - (k - 1) // 2) for k in window] + [(0, 0)])
    return np.stack(
        [
            sum(correlate(x[..., c], kernel[..., c, f], mode="valid", method="direct") for c in range(x.shape[-1]))
            for f in range(kernel.shape[-1])
        ],
        axis=-1,
    )


def loop(x, p, mode, stride):
    outputs = []
    for row in x:
        h = c = None
        made = []
        for frame in row:
            z = convolve(frame, p["kernel"], mode) + p["bias"]
            z = z[tuple(slice(None, None, s) for s in stride)]
            if h is not None:
                z = z + convolve(h, p["recurrent_kernel"], "same")
            i, f, g, o = np.split(z, 4, axis=-1)
            i, f, o = (1 / (1 + np.exp(-v)) for v in (i, f, o))
            c = i * np.tanh(g) + (0 if c is None else f * c)
            h = o * np.tanh(c)
            made.append(h)
        outputs.append(made)
    return np.array(outputs)


CASES = [
    (ConvLSTM1D, (7,), 3, "valid", (1,)),
    (ConvLSTM1D, (6,), 4, "same", (1,)),
    (ConvLSTM2D, (5, 4), (2, 3), "valid", (2, 1)),
    (ConvLSTM2D, (4, 3), 3, "same", (1, 1)),
]


@pytest.mark.parametrize("case", range(len(CASES)))
def test_convolutional_lstm_is_the_loop(case):
    cls, space, window, padding, stride = CASES[case]
    rng = np.random.default_rng(case)
    layer = cls(2, window, strides=stride, padding=padding, return_sequences=True)
    wanted = layer.weights(Input((4, *space, 3)).spec)
    params = {n: rng.normal(size=w.shape) * 0.5 for n, w in wanted.items()}
    x = rng.normal(size=(2, 4, *space, 3))
    with jax.enable_x64(True):
        found = layer.call(jax.tree.map(jnp.asarray, params), jnp.asarray(x))
    np.testing.assert_allclose(found, loop(x, params, padding, stride), rtol=1e-10, atol=1e-10)  # both in float64


def test_arguments_that_do_not_fit_are_refused():
    with pytest.raises(ArgumentError, match="filters must be an integer of at least 1"):
        ConvLSTM2D(0, 3)
    with pytest.raises(ArgumentError, match="kernel_size must be a positive integer or 2 of them"):
        ConvLSTM2D(2, (3, 3, 3))
    with pytest.raises(ShapeError, match="5 axes"):
        ConvLSTM2D(2, 3)(Input((4, 5, 3)))


def moving_dots(number, steps=4, size=5):
    """Clips of a dot that moves right (1) or left (0); no single frame tells."""
    rng = np.random.default_rng(0)
    clips, labels = np.zeros((number, steps, size, size, 1), "float32"), rng.integers(0, 2, number)
    for clip, label, row, start in zip(
        clips, labels, rng.integers(0, size, number), rng.integers(0, size, number), strict=True
    ):
        for t, frame in enumerate(clip):
            frame[row, (start + (t if label else -t)) % size] = 1
    return clips, labels


@pytest.mark.parametrize("kind", ["cnn_per_frame", "conv_lstm"])
def test_video_is_a_sequence_of_images(kind):
    """C195: a CNN on each frame and an LSTM over them, or a ConvLSTM, tell left from right; one frame could not."""
    x, y = moving_dots(128)
    video = Input((4, 5, 5, 1))
    if kind == "cnn_per_frame":
        frame = Input((5, 5, 1))
        look = cr.Model(frame, cr.layers.Flatten()(Conv2D(4, 3, padding="same", activation="relu")(frame)))
        seen = LSTM(16)(TimeDistributed(look.graph)(video))
    else:
        seen = GlobalAveragePooling2D()(ConvLSTM2D(6, 3, padding="same")(video))
    model = cr.Model(video, Dense(2)(seen), seed=1)
    model.compile(cr.optimizers.Adam(0.02), "cross_entropy", ["accuracy"])
    model.fit(x, y, epochs=60, batch_size=32, verbose=0, until="accuracy>0.97", train_metrics="same")
    assert model.evaluate(x, y)["accuracy"] > 0.95


def test_both_windows_count_all_axes():
    shapes = {n: w.shape for n, w in ConvLSTM2D(2, (2, 3)).weights(Input((4, 5, 6, 3)).spec).items()}
    assert shapes == {"kernel": (2, 3, 3, 8), "recurrent_kernel": (2, 3, 2, 8), "bias": (8,)}
