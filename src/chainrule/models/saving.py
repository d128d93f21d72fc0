"""A model as one safe file, and back: arrays by path, graph and recipe as JSON by registered names."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import jax.numpy as jnp
import numpy as np

from chainrule._base import tree as trees
from chainrule._base.errors import FormatError, did_you_mean
from chainrule._base.policy import Policy
from chainrule._base.registry import from_config, to_config
from chainrule.checkpoint import read_model, write_model
from chainrule.core import Graph, Variables
from chainrule.train import Recipe

if TYPE_CHECKING:
    from chainrule.models.model import Model

_RECIPE_FIELDS = (
    "optimizer",
    "losses",
    "loss_weights",
    "metrics",
    "metric_names",
    "policy",
    "accumulate",
    "on_nonfinite",
    "mixup",
)


def save_model(model: Model, path: str | Path, *, include_optimizer: bool = True) -> None:
    """Write ``model`` to ``path``; what cannot be named in a file is refused before anything is written."""
    arrays = {name: np.asarray(leaf) for name, leaf in named_arrays(model.graph, model.variables).items()}
    recipe = model.recipe if model.is_compiled and include_optimizer else None
    config = {
        "graph": to_config(model.graph),
        "name": model.name,
        "kind": type(model).__name__,
        "seed": model.seed,
        "policy": to_config(model.policy),
        "frozen": list(model.frozen),
        "recipe": None if recipe is None else {name: to_config(getattr(recipe, name)) for name in _RECIPE_FIELDS},
        "extra": model.extra,
    }
    write_model(path, arrays, config)


def named_arrays(graph: Graph, variables: Variables) -> dict[str, Any]:  # Any: arrays
    """The arrays as ``params/dense/kernel``, ``state/...``, in the order in which the layers declare them."""
    leaves = {"param": trees.flatten(variables.params), "state": trees.flatten(variables.state)}
    return {
        f"{'params' if weight.kind == 'param' else 'state'}/{path}": leaves[weight.kind][path]
        for path, weight in trees.flatten(graph.weights()).items()
    }


def read_parts(path: str | Path) -> tuple[Graph, Variables, Recipe | None, dict[str, Any]]:
    """Graph, variables, recipe and the rest of the config of a saved model.

    Raises:
        FormatError: the file is damaged or foreign, or its weights do not fit its graph; all that is missing,
            unexpected or of a wrong shape is listed together.
    """
    file = read_model(path)
    config = file.config
    try:
        graph = from_config(config["graph"])
        policy = from_config(config["policy"])
        stored = config["recipe"]
        recipe = None if stored is None else Recipe(**_recipe_fields(stored))
    except (KeyError, TypeError) as error:
        raise FormatError(f"{path}: the model's description is damaged ({error!r}). Save the model again.") from error
    if not isinstance(graph, Graph) or not isinstance(policy, Policy):
        raise FormatError(f"{path}: holds no model. Pass a file that model.save() wrote.")
    return graph, _variables(graph, file.arrays, str(path)), recipe, config


def _recipe_fields(stored: dict[str, Any]) -> dict[str, Any]:  # Any: plain values in, the recipe's objects out
    """What the file says of the recipe; files of before mixup say nothing of it."""
    return {name: from_config(stored[name]) for name in _RECIPE_FIELDS if name != "mixup" or name in stored}


def _variables(graph: Graph, arrays: Any, path: str) -> Variables:  # Any: mapping of NumPy arrays
    wanted = {
        f"{'params' if weight.kind == 'param' else 'state'}/{name}": weight.shape
        for name, weight in trees.flatten(graph.weights()).items()
    }
    missing = [name for name in wanted if name not in arrays]
    unexpected = [name for name in arrays if name not in wanted]
    wrong = [name for name in wanted if name in arrays and arrays[name].shape != wanted[name]]
    if missing or unexpected or wrong:
        parts = [f"missing {name}{did_you_mean(name, unexpected)}" for name in missing]
        parts += [f"unexpected {name}" for name in unexpected]
        parts += [f"{name} has shape {arrays[name].shape}, its layer wants {wanted[name]}" for name in wrong]
        raise FormatError(f"{path}: the weights do not fit the graph: {'; '.join(parts[:10])}.")

    def part(kind: str) -> Any:
        return trees.unflatten(
            {name.partition("/")[2]: jnp.asarray(arrays[name]) for name in wanted if name.startswith(kind + "/")}
        )

    return Variables(part("params"), part("state"))
