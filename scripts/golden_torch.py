"""Write tests/golden/torch_*.npz: values and gradients of PyTorch's layers, in the layout of chainrule's.

Run it where PyTorch is installed (it needs neither JAX nor chainrule):

    python scripts/golden_torch.py            # every family
    python scripts/golden_torch.py pooling    # one of them

To add a case, add a function to the family's dict that returns a :class:`Case`, and a layer of the same name to the
table of tests/layers/test_against_torch.py. PyTorch computes in float64; the files hold float32.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
from golden_file import write_families
from torch import nn

Tensors = dict[str, Any]  # Any: torch has no types here; names are paths, as params/kernel


class Case(NamedTuple):
    """One layer: its inputs and weights as chainrule holds them (leaves), and its output as a function of them."""

    inputs: list[Any]
    params: Tensors
    output: Callable[..., Any]


Maker = Callable[[torch.Generator], Case]


def draw(generator: torch.Generator, *shape: int) -> Any:
    """A leaf of float32 numbers held in float64, so that the file holds exactly what was used."""
    made = torch.randn(*shape, generator=generator, dtype=torch.float32).double()
    return made.requires_grad_(requires_grad=True)


def first(x: Any) -> Any:
    """Channels to the place where PyTorch has them."""
    return torch.movedim(x, -1, 1)


def last(x: Any) -> Any:
    """Channels to the place where chainrule has them."""
    return torch.movedim(x, 1, -1)


def conv(
    shape: tuple[int, ...], kernel: tuple[int, ...], *, relu: bool = False, reflect: int = 0, **options: Any
) -> Maker:
    """A convolution: kernel ``[*window, in / groups, filters]`` of chainrule is ``[filters, in / groups, *window]``."""

    def make(generator: torch.Generator) -> Case:
        rank = len(shape) - 2
        function = (nn.functional.conv1d, nn.functional.conv2d, nn.functional.conv3d)[rank - 1]

        def output(x: Any, params: Tensors) -> Any:
            x = first(x)
            if reflect:
                x = nn.functional.pad(x, (reflect,) * (2 * rank), mode="reflect")
            y = last(function(x, params["kernel"].permute(-1, -2, *range(rank)), params["bias"], **options))
            return torch.relu(y) if relu else y

        params = {"kernel": draw(generator, *kernel), "bias": draw(generator, kernel[-1])}
        return Case([draw(generator, *shape)], params, output)

    return make


def conv_transpose(shape: tuple[int, ...], kernel: tuple[int, ...], **options: Any) -> Maker:
    """A transposed convolution: ``[*window, filters, in]`` of chainrule is ``[in, filters, *window]``."""

    def make(generator: torch.Generator) -> Case:
        rank = len(shape) - 2
        names = (nn.functional.conv_transpose1d, nn.functional.conv_transpose2d, nn.functional.conv_transpose3d)

        def output(x: Any, params: Tensors) -> Any:
            weight = params["kernel"].permute(-1, -2, *range(rank))
            return last(names[rank - 1](first(x), weight, params["bias"], **options))

        params = {"kernel": draw(generator, *kernel), "bias": draw(generator, kernel[-2])}
        return Case([draw(generator, *shape)], params, output)

    return make


def as_groups(kernel: Any) -> Any:
    """``[height, width, channels, multiplier]`` as the weight of a convolution with as many groups as channels."""
    height, width, channels, multiplier = kernel.shape
    return kernel.permute(2, 3, 0, 1).reshape(channels * multiplier, 1, height, width)


def depthwise(generator: torch.Generator) -> Case:
    """Stride 2, dilation 1, two filters for each of three channels."""
    params = {"kernel": draw(generator, 3, 2, 3, 2), "bias": draw(generator, 6)}

    def output(x: Any, params: Tensors) -> Any:
        y = nn.functional.conv2d(first(x), as_groups(params["kernel"]), params["bias"], stride=2, groups=3)
        return last(y)

    return Case([draw(generator, 2, 7, 5, 3)], params, output)


def separable(generator: torch.Generator) -> Case:
    """Depthwise with padding 1, then pointwise to five filters."""
    params = {
        "depthwise_kernel": draw(generator, 3, 3, 4, 1),
        "pointwise_kernel": draw(generator, 1, 1, 4, 5),
        "bias": draw(generator, 5),
    }

    def output(x: Any, params: Tensors) -> Any:
        half = nn.functional.conv2d(first(x), as_groups(params["depthwise_kernel"]), padding=1, groups=4)
        return last(nn.functional.conv2d(half, params["pointwise_kernel"].permute(3, 2, 0, 1), params["bias"]))

    return Case([draw(generator, 2, 6, 5, 4)], params, output)


def without_weights(shape: tuple[int, ...], module: Any) -> Maker:
    """A module without weights, channels moved there and back."""

    def make(generator: torch.Generator) -> Case:
        return Case([draw(generator, *shape)], {}, lambda x, _: last(module(first(x))))

    return make


def columns(weight: Any, order: tuple[int, ...]) -> Any:
    """The gates' blocks of ``[in, gates · units]`` put into PyTorch's order, as ``[gates · units, in]``."""
    blocks = torch.chunk(weight, len(order), dim=-1)
    return torch.cat([blocks[i] for i in order], dim=-1).T


def recurrent(kind: str, order: tuple[int, ...], *, two_biases: bool = False) -> Maker:
    """A recurrent layer over five steps of three features to four units; gives the outputs of all steps."""

    def make(generator: torch.Generator) -> Case:
        width = 4 * len(order)
        bias = (2, width) if two_biases else (width,)
        params = {
            "kernel": draw(generator, 3, width),
            "recurrent_kernel": draw(generator, 4, width),
            "bias": draw(generator, *bias),
        }

        def output(x: Any, params: Tensors) -> Any:
            module = getattr(nn, kind)(3, 4, batch_first=True).double()
            inner, outer = (params["bias"][0], params["bias"][1]) if two_biases else (params["bias"], None)
            weights = {
                "weight_ih_l0": columns(params["kernel"], order),
                "weight_hh_l0": columns(params["recurrent_kernel"], order),
                "bias_ih_l0": columns(inner[None], order)[:, 0],
                "bias_hh_l0": torch.zeros(width).double() if outer is None else columns(outer[None], order)[:, 0],
            }
            return torch.func.functional_call(module, weights, (x,))[0]

        return Case([draw(generator, 2, 5, 3)], params, output)

    return make


def bidirectional(generator: torch.Generator) -> Case:
    """An LSTM in both directions over five steps of three features to two units; the outputs side by side."""
    module = nn.LSTM(3, 2, batch_first=True, bidirectional=True).double()
    params = {}
    for name in ("forward_layer", "backward_layer"):
        params[f"{name}/kernel"] = draw(generator, 3, 8)
        params[f"{name}/recurrent_kernel"] = draw(generator, 2, 8)
        params[f"{name}/bias"] = draw(generator, 8)

    def output(x: Any, params: Tensors) -> Any:
        weights = {}
        for name, ending in (("forward_layer", ""), ("backward_layer", "_reverse")):
            weights[f"weight_ih_l0{ending}"] = params[f"{name}/kernel"].T
            weights[f"weight_hh_l0{ending}"] = params[f"{name}/recurrent_kernel"].T
            weights[f"bias_ih_l0{ending}"] = params[f"{name}/bias"]
            weights[f"bias_hh_l0{ending}"] = torch.zeros(8).double()
        return torch.func.functional_call(module, weights, (x,))[0]

    return Case([draw(generator, 2, 5, 3)], params, output)


def multi_head_attention(generator: torch.Generator) -> Case:
    """Three heads of two over six features; four queries attend to five other steps."""
    heads, size, features = 3, 2, 6
    params = {}
    for name in ("query", "key", "value"):
        params[f"{name}/kernel"] = draw(generator, features, heads, size)
        params[f"{name}/bias"] = draw(generator, heads, size)
    params["attention_output/kernel"] = draw(generator, heads, size, features)
    params["attention_output/bias"] = draw(generator, features)

    def output(query: Any, value: Any, params: Tensors) -> Any:
        names = ("query", "key", "value")
        y, _ = nn.functional.multi_head_attention_forward(
            *(array.transpose(0, 1) for array in (query, value, value)),
            features,
            heads,
            torch.cat([params[f"{name}/kernel"].reshape(features, -1).T for name in names]),
            torch.cat([params[f"{name}/bias"].reshape(-1) for name in names]),
            None,
            None,
            False,
            0.0,
            params["attention_output/kernel"].reshape(-1, features).T,
            params["attention_output/bias"],
            need_weights=False,
        )
        return y.transpose(0, 1)

    return Case([draw(generator, 2, 4, features), draw(generator, 2, 5, features)], params, output)


FAMILIES: dict[str, dict[str, Maker]] = {
    "convolution": {
        "conv1d_stride": conv((2, 11, 3), (4, 3, 5), stride=3),
        "conv1d_dilation": conv((1, 9, 2), (3, 2, 4), dilation=2, padding=2),
        "conv2d_relu": conv((2, 5, 7, 3), (3, 2, 3, 4), relu=True, padding=(1, 0)),
        "conv2d_groups": conv((2, 7, 5, 4), (3, 3, 2, 6), groups=2, stride=(2, 1), padding=1),
        "conv2d_reflect": conv((2, 5, 6, 2), (3, 3, 2, 3), reflect=1),
        "conv2d_stride_above_kernel": conv((1, 11, 7, 2), (2, 1, 2, 3), stride=(5, 3)),
        "conv3d": conv((1, 4, 5, 3, 2), (2, 3, 2, 2, 3), padding=(0, 1, 1), stride=(1, 2, 1)),
        "conv1d_transpose": conv_transpose((2, 5, 3), (4, 2, 3), stride=3, padding=1, output_padding=2),
        "conv2d_transpose": conv_transpose((2, 3, 4, 3), (3, 2, 5, 3), stride=(2, 3), padding=(1, 0)),
        "conv2d_transpose_dilation": conv_transpose((1, 4, 3, 2), (2, 3, 3, 2), dilation=2),
        "conv3d_transpose": conv_transpose((1, 2, 3, 2, 2), (2, 2, 3, 3, 2), stride=2),
        "depthwise_conv2d": depthwise,
        "separable_conv2d": separable,
    },
    "pooling": {
        "max_pooling1d": without_weights((2, 9, 3), nn.MaxPool1d(3, 2, 1)),
        "max_pooling2d": without_weights((2, 7, 5, 3), nn.MaxPool2d((2, 3), (3, 1), (1, 0))),
        "max_pooling3d": without_weights((1, 5, 4, 6, 2), nn.MaxPool3d(2)),
        "average_pooling1d": without_weights((2, 9, 3), nn.AvgPool1d(3, 2, 1, count_include_pad=False)),
        "average_pooling2d_counted": without_weights((2, 7, 5, 3), nn.AvgPool2d(3, 2, 1)),
        "average_pooling3d": without_weights((1, 5, 4, 6, 2), nn.AvgPool3d((2, 1, 3))),
        "adaptive_average_pooling2d": without_weights((2, 7, 5, 3), nn.AdaptiveAvgPool2d((3, 2))),
        "adaptive_max_pooling2d": without_weights((2, 7, 5, 3), nn.AdaptiveMaxPool2d((2, 4))),
        "adaptive_average_pooling1d": without_weights((2, 5, 3), nn.AdaptiveAvgPool1d(3)),
        "up_sampling2d": without_weights((2, 3, 4, 3), nn.Upsample(scale_factor=2)),
        "up_sampling2d_bilinear": without_weights((2, 3, 4, 3), nn.Upsample(scale_factor=(2, 3), mode="bilinear")),
        "resizing": without_weights((2, 7, 5, 3), nn.Upsample(size=(3, 8), mode="bilinear")),
    },
    "recurrent": {
        "simple_rnn": recurrent("RNN", (0,)),
        "lstm": recurrent("LSTM", (0, 1, 2, 3)),
        "gru": recurrent("GRU", (1, 0, 2), two_biases=True),
        "multi_head_attention": multi_head_attention,
        "bidirectional": bidirectional,
    },
}


def run(case: Case, generator: torch.Generator) -> dict[str, np.ndarray]:
    """Inputs, weights, the output ``y`` and the gradients of ``Σ upstream · y``, by name."""
    y = case.output(*case.inputs, case.params)
    upstream = torch.randn(y.shape, generator=generator, dtype=torch.float32).double()
    leaves = {f"inputs/{i}": leaf for i, leaf in enumerate(case.inputs)}
    leaves |= {f"params/{name}": leaf for name, leaf in case.params.items()}
    gradients = torch.autograd.grad((y * upstream).sum(), list(leaves.values()))
    found = leaves | {"upstream": upstream, "y": y}
    found |= {f"gradient/{name}": value for name, value in zip(leaves, gradients, strict=True)}
    return {name: value.detach().numpy() for name, value in found.items()}


def of_case(family: str, name: str, number: int) -> dict[str, np.ndarray]:
    """The arrays of one case."""
    generator = torch.Generator().manual_seed(number)
    return run(FAMILIES[family][name](generator), generator)


if __name__ == "__main__":
    sys.exit(write_families("torch", torch.__version__, FAMILIES, of_case))
