"""From what ``compile`` is given (names, objects, functions, dicts by output) to a :class:`Recipe`."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from chainrule import losses, metrics, optimizers
from chainrule._base.checks import check_choice, check_number, check_positive_int
from chainrule._base.errors import ArgumentError, ChainruleWarning, did_you_mean
from chainrule._base.policy import Policy
from chainrule.core import Graph, Symbol
from chainrule.core.graph import unique
from chainrule.ops import activations
from chainrule.train import Recipe


def make_recipe(
    graph: Graph,
    *,
    optimizer: Any,
    loss: Any,
    metrics_given: Any,
    loss_weights: Any,
    accumulate: int,
    on_nonfinite: Literal["stop", "skip", "rollback"],
    mixup: float,
    policy: Policy,
) -> Recipe:
    """The recipe for ``graph``; ``Any``: names, objects, functions, or dicts of them by output name."""
    check_positive_int("accumulate", accumulate, "compile")
    check_choice("on_nonfinite", on_nonfinite, ("stop", "skip", "rollback"), "compile")
    check_number("mixup", mixup, "compile", at_least=0)
    if loss is None:
        raise ArgumentError(
            "compile: loss is missing. Learning needs a measure of error: loss='cross_entropy' for classes, "
            "loss='mse' for numbers."
        )
    names = graph.output_names
    given = [
        _one_loss(item, symbol) for item, symbol in zip(_per_output(loss, names, "loss"), graph.outputs, strict=True)
    ]
    weights = [1.0] * len(names) if loss_weights is None else _per_output(loss_weights, names, "loss_weights")
    for weight in weights:
        check_number("loss_weights", weight, "compile", at_least=0)
    groups = _metric_groups(metrics_given, names)
    chosen = [
        [_one_metric(item, own, symbol) for item in group]
        for group, own, symbol in zip(groups, given, graph.outputs, strict=True)
    ]
    return Recipe(
        optimizer=optimizers.get(optimizer),
        losses=tuple(given),
        loss_weights=tuple(float(weight) for weight in weights),
        metrics=tuple(map(tuple, chosen)),
        metric_names=_metric_labels(groups, chosen, names),
        policy=policy,
        accumulate=accumulate,
        on_nonfinite=on_nonfinite,
        mixup=float(mixup),
    )


def output_activation(symbol: Symbol) -> str | None:
    """The name of the activation that makes an output: its layer's, or ``None`` where there is none to name."""
    layer = symbol.node.layer if symbol.node is not None else None
    activation = getattr(layer, "activation", None)
    if isinstance(activation, str) or activation is None:
        return activation
    return activations.registry.name_of(activation)


def _one_loss(given: Any, symbol: Symbol) -> Any:  # Any: name, Loss or function in, Loss out
    """The loss; one given by name takes logits or probabilities as the output's activation has it."""
    loss = losses.get(given)
    activation = output_activation(symbol)
    if isinstance(given, str) and hasattr(loss, "from_logits") and activation in ("sigmoid", "softmax"):
        loss = dataclasses.replace(loss, from_logits=False)  # type: ignore[type-var]  # a dataclass, as tested
    message = losses.check_output_activation(loss, activation)
    if message is not None:
        warnings.warn(message, ChainruleWarning, stacklevel=4)
    return loss


def _one_metric(given: Any, loss: Any, symbol: Symbol) -> Any:  # Any: name, Metric or function in, Metric out
    """The metric; one given by name is fitted to what the output and its loss are."""
    outputs = symbol.shape[-1] if len(symbol.shape) > 1 and isinstance(symbol.shape[-1], int) else None
    multi_label = isinstance(loss, losses.BinaryCrossEntropy) and outputs is not None and outputs > 1
    return metrics.get(
        given,
        from_logits=getattr(loss, "from_logits", True),
        num_outputs=outputs,
        multi_label=multi_label,
        ignore_class=getattr(loss, "ignore_class", None),
    )


def _metric_labels(
    groups: list[list[Any]], chosen: list[list[Any]], names: Sequence[str]
) -> tuple[tuple[str, ...], ...]:
    """How metrics are called in logs: as the user typed them; with the output's name where there are several."""

    def label(given: Any, metric: Any, output: str) -> str:
        own = given if isinstance(given, str) else str(metric.name)
        return own if len(names) == 1 else f"{output}_{own}"

    labels = [
        [label(given, metric, output) for given, metric in zip(group, metrics_, strict=True)]
        for group, metrics_, output in zip(groups, chosen, names, strict=True)
    ]
    distinct = iter(unique(name for group in labels for name in group))  # f1, f1_1: no metric hides another
    return tuple(tuple(next(distinct) for _ in group) for group in labels)


def _per_output(value: Any, names: Sequence[str], what: str) -> list[Any]:
    if isinstance(value, Mapping):
        unknown = [key for key in value if key not in names]
        missing = [name for name in names if name not in value]
        if unknown or missing:
            hint = did_you_mean(str(unknown[0]), names) if unknown else ""
            raise ArgumentError(
                f"compile: {what} must have the keys {', '.join(names)}; received {', '.join(map(str, value))}.{hint}"
            )
        return [value[name] for name in names]
    if len(names) == 1:
        return [value[0] if isinstance(value, list | tuple) and len(value) == 1 else value]
    if isinstance(value, list | tuple):
        if len(value) != len(names):
            raise ArgumentError(
                f"compile: {what} must have one entry per output ({', '.join(names)}); received {len(value)}."
            )
        return list(value)
    return [value] * len(names)


def _metric_groups(given: Any, names: Sequence[str]) -> list[list[Any]]:
    if isinstance(given, Mapping):
        unknown = [key for key in given if key not in names]
        if unknown:
            raise ArgumentError(
                f"compile: metrics has the key {unknown[0]!r}; the outputs are {', '.join(names)}."
                f"{did_you_mean(str(unknown[0]), names)}"
            )
        return [_listed(given.get(name, [])) for name in names]
    listed = _listed(given)
    if len(names) > 1 and listed and all(isinstance(item, list | tuple) for item in listed):
        return [_listed(item) for item in _per_output(listed, names, "metrics")]
    return [list(listed) for _ in names]


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, list | tuple) else [value]
