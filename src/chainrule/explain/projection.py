"""Examples as one layer sees them, projected to the plane, and how far that layer has pulled the classes apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from chainrule._base.errors import ShapeError
from chainrule.models.model import Model

Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Projection:
    """Examples in the plane of a representation's two principal components.

    Args:
        points: ``[examples, 2]``; a representation of one number has zeros in the second column.
        explained: share of the representation's variance along each of the two.
    """

    points: Numbers
    explained: tuple[float, float]


def projection(model: Model, x: Any, path: str | None = None) -> Projection:  # Any: as in predict
    """Project what the layer at ``path`` makes of the examples to its two principal components.

    ``points = (H − mean(H)) V``, where ``H [examples, numbers]`` is the layer's output and the columns of ``V`` are
    its two right singular vectors of largest singular value; the sign of each is such that its largest entry in size
    is positive. Computed in float64 with all examples at once, so pass some thousands at most.

    Args:
        model: a model with weights.
        x: examples, batch axis first.
        path: a layer, as in ``Model.intermediate``; ``None`` projects the input itself (of a model with one input).

    Raises:
        ShapeError: fewer than two examples.

    Example:
        >>> import chainrule as cr
        >>> seen = projection(cr.mlp([3, 5, 2]), [[1.0, 0, 0], [3.0, 0, 0], [5.0, 0, 0]])
        >>> seen.points.round(6).tolist()
        [[-2.0, 0.0], [0.0, 0.0], [2.0, 0.0]]

    References:
        Pearson, K., "On Lines and Planes of Closest Fit to Systems of Points in Space", 1901.
    """
    values = np.asarray(x if path is None else model.intermediate(x, path), dtype=np.float64)
    flat = _flat(values, "projection")
    centred = flat - flat.mean(axis=0)
    _, sizes, axes = np.linalg.svd(centred, full_matrices=False)
    axes = axes[:2] * np.sign(axes[:2][np.arange(len(axes[:2])), np.abs(axes[:2]).argmax(axis=1)])[:, None]
    points = np.zeros((len(flat), 2))
    points[:, : len(axes)] = centred @ axes.T  # [examples, 2]
    shares = np.zeros(2)
    shares[: len(sizes[:2])] = sizes[:2] ** 2 / max(float((sizes**2).sum()), np.finfo(np.float64).tiny)
    return Projection(points, (float(shares[0]), float(shares[1])))


def separability(values: npt.ArrayLike, labels: npt.ArrayLike) -> float:
    """The share of variance that lies between classes: 0 where all class means are equal, 1 where classes are points.

    ``Σ_c n_c ‖mean_c − mean‖² / Σ_i ‖h_i − mean‖²`` (the correlation ratio η²), over all numbers of a representation;
    0 if nothing varies. It rises from layer to layer where a network learns to tell the classes apart.

    Args:
        values: ``[examples, ...]``, for example from ``Model.intermediate`` or :class:`Projection` points.
        labels: ``[examples]``, the class of each.

    Raises:
        ShapeError: not one label for each example, or fewer than two examples.

    Example:
        >>> separability([[0.0], [2.0], [10.0], [12.0]], ["a", "a", "b", "b"])
        0.9615384615384616
    """
    flat = _flat(np.asarray(values, dtype=np.float64), "separability")
    classes = np.asarray(labels)
    if classes.shape != (len(flat),):
        raise ShapeError(
            f"separability: labels must have shape ({len(flat)},), one for each example; received shape "
            f"{classes.shape}. Pass the class of every example."
        )
    mean = flat.mean(axis=0)
    members = [flat[classes == name] for name in np.unique(classes)]
    between = sum(len(group) * float(((group.mean(axis=0) - mean) ** 2).sum()) for group in members)
    total = float(((flat - mean) ** 2).sum())
    return between / total if total > 0 else 0.0


def _flat(values: Numbers, owner: str) -> Numbers:
    if values.ndim == 0 or len(values) < 2:
        raise ShapeError(
            f"{owner}: values must hold at least two examples along the first axis; received shape {values.shape}. "
            "Pass more examples."
        )
    return values.reshape(len(values), -1)  # [examples, numbers]
