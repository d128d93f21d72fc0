"""Calls with arguments that a class does not have: refused with what to type, other frameworks' names among them."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from chainrule._base.errors import ArgumentTypeError, did_you_mean

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])

_SIZE = "Leave it out: sizes are taken from the input when the layer is called."
_BEGIN = "Begin the model with Input(shape) instead, without the batch axis: Sequential([Input(13), Dense(3)])."
_SEED = "Leave it out: the randomness of all layers comes from the model's seed."
_TRAINING = "Leave it out: fit() runs layers in training mode, predict() and evaluate() do not."
_KERNEL = "Leave it out: chainrule chooses how to compute it."
_CLIP = "Wrap the optimizer: Clip(optimizer, norm=1.0), or its value=, or its global_norm=."
_DENSE = "Leave it out: inputs are dense arrays; pad rows to one length, and mask what is padding: PaddingMask()(x)."
_JUDGED = "Leave it out: after every epoch all validation examples are judged, in batches of at most 1,024."
_MASKED = "Make the mask and pass it as an input: mask = PaddingMask()(tokens), then LSTM(32)(x, mask=mask)."

# Arguments of Keras and PyTorch that have no counterpart here -> what to do instead.
_ELSEWHERE = {
    "input_shape": _BEGIN,
    "batch_input_shape": _BEGIN,
    "batch_shape": _BEGIN,
    "input_dim": _BEGIN,
    "input_length": "Leave it out: a length is part of Input(shape).",
    "in_channels": _SIZE,
    "in_features": _SIZE,
    "input_size": _SIZE,
    "num_features": _SIZE,
    "normalized_shape": _SIZE,
    "embed_dim": "Sizes of the input are taken from it; give key_dim, the size of one head.",
    "mask_zero": f"Embedding makes no mask. {_MASKED}",
    "padding_idx": _MASKED,
    "data_format": "Leave it out: channels are always the last axis. Permute((2, 3, 1)) moves them there.",
    "batch_first": "Leave it out: the batch is always the first axis.",
    "time_major": "Leave it out: the axes are always [batch, time, features].",
    "dtype": "Leave it out: the dtype of Input and the policy of the model decide: Model(..., policy='float32').",
    "device": "Leave it out: jax.default_device(...) decides.",
    "trainable": "Leave it out, and freeze the layer by its name: model.freeze('name').",
    "weights": "Leave it out, and set the weights of the model: model.set_weights(...).",
    "activity_regularizer": "Weights have regularizers here (kernel_regularizer); outputs have none.",
    "seed": _SEED,
    "training": _TRAINING,
    "track_running_stats": _TRAINING,
    "unroll": _KERNEL,
    "implementation": _KERNEL,
    "use_cudnn": _KERNEL,
    "flash_attention": _KERNEL,
    "inplace": _KERNEL,
    "bidirectional": "Wrap the layer: Bidirectional(LSTM(32)).",
    "num_layers": "Write one layer after another, or RNN(StackedRNNCells(...)).",
    "groups": "Leave it out: only Conv1D, Conv2D, Conv3D and GroupNormalization have groups.",
    "batch_size": (
        "Leave it out: a model takes batches of any size; stateful layers are told theirs: "
        "LSTM(32, stateful=True, batch_size=8)."
    ),
    "sparse": _DENSE,
    "ragged": _DENSE,
    "shuffle": "Leave it out: fit() deals the examples anew every epoch; only for stateful layers they stay in order.",
    "initial_epoch": "Leave it out: a second fit() goes on where the first ended.",
    "steps_per_epoch": "Leave it out: an epoch is one pass over the examples.",
    "validation_batch_size": _JUDGED,
    "validation_steps": _JUDGED,
    "validation_freq": _JUDGED,
    "return_dict": "Leave it out: evaluate() always returns a dict.",
    "verbose": "Leave it out: only fit() prints.",
    "callbacks": "Leave it out: only fit() has callbacks.",
    "steps": "Leave it out, and pass the examples meant, such as x[:1000].",
    "weighted_metrics": "Give them as metrics: all metrics are weighted with sample_weight.",
    "run_eagerly": "Leave it out: steps are always compiled; model.intermediate(x) shows what the layers give.",
    "jit_compile": "Leave it out: steps are always compiled.",
    "steps_per_execution": "Give it to fit() instead, as steps_per_call.",
    "clipnorm": _CLIP,
    "clipvalue": _CLIP,
    "global_clipnorm": _CLIP,
}
# ... and those that are called otherwise here -> our names, of which the class's own is told.
_RENAMED = {
    "out_channels": ("filters",),
    "validation_data": ("validation",),
    "validation_split": ("validation",),
    "out_features": ("units",),
    "hidden_size": ("units",),
    "hidden_dim": ("units",),
    "num_embeddings": ("input_dim",),
    "embedding_dim": ("output_dim",),
    "kernel": ("kernel_size",),
    "window": ("kernel_size", "pool_size"),
    "dilation": ("dilation_rate",),
    "bias": ("use_bias",),
    "nonlinearity": ("activation",),
    "p": ("rate", "dropout"),
    "alpha": ("negative_slope",),
    "eps": ("epsilon",),
    "elementwise_affine": ("scale",),
    "lr": ("learning_rate",),
    "affine": ("scale",),
    "decay": ("weight_decay",),
    "num_groups": ("groups",),
    "n_heads": ("num_heads",),
    "causal": ("use_causal_mask",),
    "inputs": ("x",),
    "input": ("x",),
    "sequences": ("x",),
    "sequence": ("x",),
    "data": ("x",),
    "key_mask": ("mask",),
    "value_mask": ("mask",),
    "key_padding_mask": ("mask",),
    "attn_mask": ("attention_mask",),
    "states": ("carry",),
}
_OF_THE_CALL = ("mask", "attention_mask", "initial_state")


def what_to_type(name: str, known: Sequence[str]) -> str:
    """What to write instead of the argument ``name`` where ``known`` are those that exist; may be empty.

    Example:
        >>> what_to_type("stride", ["filters", "strides"])
        "Did you mean 'strides'?"
        >>> what_to_type("out_channels", ["filters", "strides"])
        "It is called 'filters' here."
        >>> what_to_type("in_channels", ["filters", "strides"])
        'Leave it out: sizes are taken from the input when the layer is called.'
    """
    renamed = next((own for own in _RENAMED.get(name, ()) if own in known), None)
    if renamed is not None:
        return f"It is called {renamed!r} here."
    return _ELSEWHERE.get(name) or did_you_mean(name, known).strip()


def check_arguments(cls: type[T]) -> type[T]:
    """Let ``cls(...)`` refuse arguments that it does not have, or misses, with what to type; signatures stay.

    Example:
        >>> from dataclasses import dataclass
        >>> @check_arguments
        ... @dataclass(frozen=True)
        ... class Window:
        ...     strides: int
        >>> try:
        ...     Window(stride=2)
        ... except TypeError as error:
        ...     print(error)
        Window: must be called with its own arguments (strides); received 'stride'. Did you mean 'strides'?
    """
    made = cls.__init__
    checked = functools.partial(_check_call, inspect.signature(made))

    @functools.wraps(made)
    def __init__(self: Any, *args: Any, **named: Any) -> None:  # Any: as the class's own
        checked(type(self).__name__, (self, *args), named)
        made(self, *args, **named)

    cls.__init__ = __init__  # type: ignore[method-assign]  # the same signature
    return cls


def check_function(function: F) -> F:
    """Let ``function(...)`` refuse arguments that it does not have, or misses, with what to type.

    Example:
        >>> @check_function
        ... def area(kernel_size):
        ...     return kernel_size**2
        >>> try:
        ...     area(window=2)
        ... except TypeError as error:
        ...     print(error)
        area: must be called with its own arguments (kernel_size); received 'window'. It is called 'kernel_size' here.
    """
    checked = functools.partial(_check_call, inspect.signature(function))

    @functools.wraps(function)
    def call(*args: Any, **named: Any) -> Any:  # Any: as the function's own
        try:
            return function(*args, **named)
        except TypeError:  # looked at only now, as binding the arguments takes a third of the shortest prediction
            checked(function.__name__, args, named)
            raise

    return call  # type: ignore[return-value]  # the same signature


def _check_call(signature: inspect.Signature, owner: str, args: tuple[Any, ...], named: dict[str, Any]) -> None:
    try:
        signature.bind(*args, **named)
    except TypeError as error:
        own = [name for name in signature.parameters if name != "self"]
        takes_all = any(parameter.kind is parameter.VAR_KEYWORD for parameter in signature.parameters.values())
        strange = [] if takes_all else [name for name in named if name not in own]
        if strange:
            raise ArgumentTypeError(_strange(owner, strange[0], own)) from None
        raise ArgumentTypeError(
            f"{owner}: must be called with its own arguments ({', '.join(own)}); received a call with this fault: "
            f"{error}. Type {owner}({_required(signature)})."
        ) from None


def _strange(owner: str, name: str, own: Sequence[str]) -> str:
    known = ", ".join(own) or "none"
    advice = what_to_type(name, own) or f"Leave it out, or see help({owner})."
    if name in _OF_THE_CALL:
        advice = f"It is an input of the call: {owner}(...)(x, {name}={name})."
    return f"{owner}: must be called with its own arguments ({known}); received {name!r}. {advice}"


def _required(signature: inspect.Signature) -> str:
    parameters = [parameter for name, parameter in signature.parameters.items() if name != "self"]
    needed = [p.name for p in parameters if p.default is p.empty and p.kind is p.POSITIONAL_OR_KEYWORD]
    return ", ".join([*needed, "..."] if len(needed) < len(parameters) else needed)
