"""From what users pass (lists, NumPy, JAX, data frames, dicts) to checked arrays, one for each input or output."""

from __future__ import annotations

import numbers
from collections.abc import Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from chainrule._base.checks import check_number, describe
from chainrule._base.errors import ArgumentError, ArgumentTypeError, DataError, ShapeError, did_you_mean
from chainrule._base.spec import shape_text
from chainrule.core import Graph, check_values
from chainrule.losses import balanced_class_weight, check_targets

Arrays = tuple[np.ndarray, ...]


def require(**given: Any) -> None:  # Any: whatever the user passes
    """Refuse a missing ``x`` or ``y``."""
    words = {"x": "inputs", "y": "expected outputs"}
    for name, value in given.items():
        if value is None:
            raise ArgumentError(
                f"{name} is missing: learning needs inputs x, expected outputs y and a measure of error (the "
                f"loss). Pass the {words[name]}: model.fit(x, y)."
            )


def as_inputs(graph: Graph, x: Any) -> Arrays:  # Any: whatever the user passes
    """One array for each input of ``graph``, checked: shape, dtype, equal lengths, no NaN or Inf.

    Raises:
        ShapeError, DataError, ArgumentTypeError: with the input's name and what to do.
    """
    if len(graph.inputs) == 1 and _is_ready(graph.inputs[0], x):
        return (x,)
    named = {name: _array(f"x[{name}]", item) for name, item in _by_name(graph.input_names, x, "x").items()}
    given = [(name, symbol, array) for symbol, (name, array) in zip(graph.inputs, named.items(), strict=True)]
    for name, symbol, array in given:
        _check_shape(name, symbol, array)
        _check_finite(name, array)
    if len(named) > 1:
        _check_lengths(named)
    arrays = tuple(_as_dtype(name, symbol.dtype, array) for name, symbol, array in given)
    check_values(graph, arrays, [f"x[{name}]" for name in named])
    return arrays


def _is_ready(symbol: Any, x: Any) -> bool:  # Any: a Symbol; whatever the user passes
    """Whether ``x`` passes every check unchanged; asked first, since a prediction of one row takes 0.1 ms."""
    return (
        type(x) is np.ndarray
        and x.dtype == np.float32
        and symbol.dtype == np.float32
        and x.size > 0
        and _has_shape(symbol.shape, x.shape)
        and bool(np.isfinite(x).all())
    )


def sole_input(x: Any) -> np.ndarray:  # Any: whatever the user passes
    """The one array for a model whose input shape is not known yet, checked as far as that goes."""
    return _array("x", _by_name(("input",), x, "x")["input"])


def as_targets(graph: Graph, losses: Sequence[Any], y: Any, size: int) -> Arrays:  # Any: whatever the user passes
    """One array for each output, in the shape and dtype its loss wants.

    Targets ``[batch]`` for an output ``(b, 1)`` become ``[batch, 1]``; integer labels stay integers; everything else
    becomes float32.
    """
    named = _by_name(graph.output_names, y, "y")
    made = []
    for (name, item), symbol, loss in zip(named.items(), graph.outputs, losses, strict=True):
        array = _array(f"y[{name}]", item)
        if len(array) != size:
            raise ShapeError(
                f"y[{name}]: must have one target for each of the {size} examples; received {len(array)}. "
                "Pass x and y of equal length."
            )
        made.append(_target(name, symbol, loss, array))
    return tuple(made)


def as_weights(weight: Any, class_weight: Any, targets: Arrays, size: int) -> np.ndarray | None:
    """Example weights ``[examples]`` from ``sample_weight`` and ``class_weight`` (multiplied), or ``None``.

    ``Any``: array-likes; a mapping from class to weight, ``"balanced"`` or ``None``.
    """
    total: np.ndarray | None = None
    if weight is not None:
        total = _array("sample_weight", weight).astype(np.float32)
        if total.shape != (size,):
            raise ShapeError(f"sample_weight: must have shape ({size},), one per example; received {total.shape}.")
        if not np.isfinite(total).all() or (total < 0).any() or not total.any():
            raise ArgumentError("sample_weight: must be finite and not negative, with some above 0.")
    if class_weight is not None:
        by_class = _class_weights(class_weight, targets)
        total = by_class if total is None else total * by_class
    return total


def _class_weights(class_weight: Any, targets: Arrays) -> np.ndarray:  # Any: mapping, "balanced"
    if len(targets) != 1:
        raise ArgumentError(
            "class_weight: is for models with one output; this one has several. Pass sample_weight instead."
        )
    labels = _classes(targets[0])
    if isinstance(class_weight, str):
        if class_weight != "balanced":
            raise ArgumentError(
                f"class_weight must be 'balanced' or a mapping; received {class_weight!r}."
                f"{did_you_mean(class_weight, ['balanced'])}"
            )
        class_weight = balanced_class_weight(labels)
    if not isinstance(class_weight, Mapping):
        raise ArgumentTypeError(
            "class_weight must be 'balanced' or a mapping such as {0: 1.0, 1: 5.0}; "
            f"received {describe(class_weight)}."
        )
    missing = sorted(set(np.unique(labels).tolist()) - set(class_weight))
    if missing:
        raise ArgumentError(f"class_weight: has no weight for class {missing[0]}. Give one for every class.")
    weights = np.zeros(len(labels), np.float32)
    for label, value in class_weight.items():
        check_number(f"weight of class {label!r}", value, "class_weight", at_least=0)
        weights[labels == label] = value
    return weights


def _classes(targets: np.ndarray) -> np.ndarray:
    """One class per example, from labels, a column of 0 and 1, or one-hot rows; anything else has no class."""
    labels = targets[:, 0] if targets.ndim == 2 and targets.shape[1] == 1 else targets
    if labels.ndim == 2 and ((labels == 0) | (labels == 1)).all() and (labels.sum(axis=1) == 1).all():
        labels = labels.argmax(axis=1)
    if labels.ndim != 1 or (labels != np.round(labels)).any():
        raise ArgumentError(
            f"class_weight: needs one class per example (labels or one-hot rows); received targets {describe(targets)} "
            "that are not. Pass sample_weight instead."
        )
    return labels.astype(np.int64)


def _by_name(names: Sequence[str], value: Any, what: str) -> dict[str, Any]:
    if isinstance(value, Mapping):
        unknown = sorted(set(value) - set(names))
        missing = [name for name in names if name not in value]
        if unknown or missing:
            hint = did_you_mean(unknown[0], names) if unknown else ""
            raise ArgumentError(
                f"{what}: must have the keys {', '.join(names)}; received {', '.join(map(str, value))}.{hint}"
            )
        return {name: value[name] for name in names}
    if len(names) == 1:
        alone = isinstance(value, tuple | list) and len(value) == 1 and hasattr(value[0], "shape")
        return {names[0]: value[0] if alone else value}
    if not isinstance(value, tuple | list) or len(value) != len(names):
        count = f"{len(value)} item(s)" if isinstance(value, tuple | list) else describe(value)
        raise ArgumentError(
            f"{what}: the model has {len(names)} ({', '.join(names)}); received {count}. "
            "Pass a list or dict with one each."
        )
    return dict(zip(names, value, strict=True))


def _array(name: str, value: Any) -> np.ndarray:
    if value is None:
        raise ArgumentError(f"{name}: is missing (None). Pass an array with one row for each example.")
    if isinstance(value, np.ma.MaskedArray) and np.ma.is_masked(value):
        raise DataError(f"{name}: must have a value everywhere; received masked entries. Fill them: x.filled(0).")
    try:
        array = _plain(np.asarray(value.to_numpy() if hasattr(value, "to_numpy") else value))
    except ValueError as error:
        raise ShapeError(f"{name}: rows must all have the same length ({error}). Pad or cut them.") from None
    if array.dtype.kind not in "biuf" and array.dtype.name != "bfloat16":
        raise ArgumentTypeError(
            f"{name}: must hold numbers; received {_stranger(array)}. Encode text and fill missing values first, or "
            "use `chainrule fit FILE --target COLUMN`, which does."
        )
    if array.ndim == 0 or len(array) == 0:
        raise ShapeError(f"{name}: needs at least one example, batch axis first; received shape {array.shape}.")
    return array


def _plain(array: np.ndarray) -> np.ndarray:
    """Python objects that are all numbers (data frames of mixed columns give such arrays) as plain numbers."""
    if array.dtype == object and array.ndim:
        if all(isinstance(item, numbers.Integral | np.bool_) for item in array.flat):
            return array.astype(np.int64)
        if all(isinstance(item, numbers.Real | np.bool_) for item in array.flat):
            return array.astype(np.float64)
    return array


def _stranger(array: np.ndarray) -> str:
    """What stands where a number should."""
    if array.dtype != object:
        return f"dtype {array.dtype}"
    if array.ndim == 0:
        return f"one {type(array.item()).__name__}"
    kinds = (isinstance(item, numbers.Real | np.bool_) for item in array.flat)
    position = next(place for place, is_number in enumerate(kinds) if not is_number)
    row = position // max(1, array.size // len(array))
    return f"{type(array.flat[position]).__name__} first in row {row}"


def _check_shape(name: str, symbol: Any, array: np.ndarray) -> None:
    expected = tuple(symbol.shape)
    if not _has_shape(expected, array.shape):
        raise ShapeError(
            f"x[{name}]: must have shape {shape_text(symbol.spec)}, b being the number of examples; "
            f"received {array.shape}. {_shape_hint(expected[1:], array.shape)}"
        )


def _has_shape(expected: tuple[Any, ...], received: tuple[int, ...]) -> bool:  # Any: integers and symbolic sizes
    return len(expected) == len(received) and all(
        not isinstance(want, int) or want == got for want, got in zip(expected[1:], received[1:], strict=True)
    )


def _shape_hint(expected: tuple[Any, ...], received: tuple[int, ...]) -> str:
    """What to do about examples of the shape ``expected`` that came as an array ``received``, batch axis and all."""
    if expected == received:
        return "This looks like a single example: add the batch axis, x[None]."
    if expected == (1,) and len(received) == 1:
        return "For examples of one feature add its axis: x[:, None]."
    if expected[-1:] == (1,) and expected[:-1] == received[1:]:
        return "Only the last axis is missing: add it, x[..., None]."
    if len(expected) > 1 and expected == (*received[2:], *received[1:2]):
        # A reshape would run too, and scramble the pixels.
        return "Channels and features come last here: move their axis, np.moveaxis(x, 1, -1)."
    return "Reshape x, or change the shape given to Input."


def _check_finite(name: str, array: np.ndarray) -> None:
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        where = np.argwhere(~np.isfinite(array))[0].tolist()
        raise DataError(
            f"x[{name}]: must be finite; received NaN or Inf first in row {where[0]}"
            f"{', position ' + str(tuple(where[1:])) if len(where) > 1 else ''}. Impute or drop those rows; "
            "`chainrule fit FILE --target COLUMN` imputes missing values."
        )


def _check_lengths(arrays: Mapping[str, np.ndarray]) -> None:
    lengths = {name: len(array) for name, array in arrays.items()}
    if len(set(lengths.values())) > 1:
        raise ShapeError(f"x: all inputs must have the same number of examples; received {lengths}.")


def _target(name: str, symbol: Any, loss: Any, array: np.ndarray) -> np.ndarray:
    shape = tuple(symbol.shape)
    if shape[-1] == 1 and array.ndim == len(shape) - 1:
        array = array[..., None]
    num_classes = shape[-1] if isinstance(shape[-1], int) and len(shape) > 1 else None
    check_targets(loss, array, num_classes)
    is_wide = array.dtype in (np.float32, np.float64)
    is_label = array.dtype.kind in "biu" and array.ndim == len(shape) - 1
    if not is_label and array.ndim != len(shape):
        advice = "Reshape y, or change the last layer."
        if array.ndim == 1:
            advice = "For one answer an example, put Flatten() or a global pooling layer before the last layer."
        raise ShapeError(
            f"y[{name}]: targets must have shape {shape_text(symbol.spec)} as the output, or be integer labels "
            f"without the last axis; received {describe(array)}. {advice}"
        )
    return (
        _as_integers(f"y[{name}]", np.int32, array)
        if is_label
        else _as_floats(f"y[{name}]", array if is_wide else array.astype(np.float64))
    )


def _as_dtype(name: str, dtype: Any, array: np.ndarray) -> np.ndarray:  # Any: dtypes, as JAX types them
    """What the device keeps, never with other values than were given: bytes stay bytes, wide numbers are narrowed."""
    if jnp.issubdtype(dtype, jnp.floating):
        return _as_floats(f"x[{name}]", array)
    return _as_integers(f"x[{name}]", np.dtype(dtype), array)


def _as_floats(name: str, array: np.ndarray) -> np.ndarray:
    widest = np.dtype(jax.dtypes.canonicalize_dtype(np.float64))
    if array.dtype.kind not in "iuf" or array.dtype.itemsize <= (4 if array.dtype.kind == "f" else 2):
        return array
    with np.errstate(over="ignore"):  # told below, with the row
        narrow = array.astype(widest)
    if not np.isfinite(narrow).all():
        row = int(np.argwhere(~np.isfinite(narrow))[0][0])
        raise DataError(
            f"{name}: must fit {widest}, which ends at {np.finfo(widest).max:.2g}; received a larger number in row "
            f"{row}. Scale it, or take its logarithm."
        )
    return narrow


def _as_integers(name: str, dtype: Any, array: np.ndarray) -> np.ndarray:  # Any: dtypes, as NumPy types them
    wanted = np.dtype(jax.dtypes.canonicalize_dtype(dtype))
    if wanted.kind not in "iu":
        return array
    if array.dtype.kind == "f" and (array != np.round(array)).any():
        row = int(np.argwhere(array != np.round(array))[0][0])
        raise ArgumentTypeError(
            f"{name}: must hold whole numbers; received a fraction in row {row}. Round it, or encode it."
        )
    limits = np.iinfo(wanted)
    if array.dtype.kind != "b" and (array.max() > limits.max or array.min() < limits.min):
        raise DataError(
            f"{name}: must fit {wanted} ({limits.min} to {limits.max}); received {array.min()} to {array.max()}. "
            "Number the categories from 0."
        )
    return array if array.dtype.kind in "iu" and array.dtype.itemsize < wanted.itemsize else array.astype(wanted)
