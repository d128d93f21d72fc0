"""The hyperparameters of a table network: one frozen dataclass, and the one rule that fills it in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from chainrule._base.checks import check_choice, check_int, check_number, check_positive_int
from chainrule._base.errors import ArgumentError
from chainrule._base.registry import register_class
from chainrule.data import Task
from chainrule.tasks.hyperparameters import Hyperparameters

OPTIMIZERS = ("adamw", "adam", "sgd", "rmsprop")
SCALINGS = ("standard", "minmax", "robust", "quantile")
SMALL, MEDIUM = 1_000, 5_000  # training rows
_MOST_BINNED = 150_000_000  # numbers made by piecewise-linear bins: 0.6 GB in float32


@register_class
@dataclass(frozen=True)
class TableConfig(Hyperparameters):
    """Every hyperparameter of a table run; ``--set name=value`` changes one.

    Args:
        epochs: passes over the training rows, at most (early stopping usually ends before).
        depth: hidden layers; 0 leaves a linear model.
        width: units of each hidden layer.
        activation: what follows each hidden layer.
        normalization: a batch or layer normalisation before each activation, or none.
        linear_path: whether a linear model of the features is added to the network's output (wide and deep).
        linear_start: whether the linear path starts as the linear or logistic regression of the training rows, with the
            hidden layers' output at 0; otherwise both start at random and at 0.
        dropout: share of hidden units left out at random in each step.
        weight_decay: strength of the decoupled weight decay (``adamw``).
        optimizer: ``"adamw"``, ``"adam"``, ``"sgd"`` (with momentum 0.9) or ``"rmsprop"``.
        learning_rate: its rate.
        batch_size: rows of one step.
        patience: epochs without a lower validation loss before training stops.
        refit: train again on training and validation rows together, for as many epochs as the validation rows chose.
        scaling: of numeric columns: ``"standard"``, ``"minmax"``, ``"robust"`` or ``"quantile"``.
        piecewise_bins: quantile bins added per numeric column (piecewise-linear encoding); 0 for none.

    Example:
        >>> TableConfig(width=8).replaced({"dropout": "0.1", "depth": 1}).dropout
        0.1
    """

    epochs: int = 300
    depth: int = 2
    width: int = 64
    activation: str = "relu"
    normalization: Literal["none", "batch", "layer"] = "none"
    linear_path: bool = True
    linear_start: bool = True
    dropout: float = 0.5
    weight_decay: float = 0.3
    optimizer: str = "adamw"
    learning_rate: float = 1e-3
    batch_size: int = 32
    patience: int = 30
    refit: bool = True
    scaling: str = "standard"
    piecewise_bins: int = 0

    def __post_init__(self) -> None:
        for name in ("epochs", "width", "batch_size", "patience"):
            check_positive_int(name, getattr(self, name), self)
        for name in ("depth", "piecewise_bins"):
            check_int(name, getattr(self, name), self, minimum=0)
        check_number("dropout", self.dropout, self, at_least=0, below=1)
        check_number("weight_decay", self.weight_decay, self, at_least=0)
        check_number("learning_rate", self.learning_rate, self, above=0)
        check_choice("normalization", self.normalization, ("none", "batch", "layer"), self)
        check_choice("optimizer", self.optimizer, OPTIMIZERS, self)
        check_choice("scaling", self.scaling, SCALINGS, self)
        if self.depth == 0 and not self.linear_path:
            raise ArgumentError(
                "TableConfig: depth=0 leaves only the linear path, which is switched off too. "
                "Set linear_path=true, or depth to 1 or more."
            )


def default_config(task: Task, num_rows: int, num_numbers: int = 0) -> TableConfig:
    """The default hyperparameters for ``num_rows`` training rows: one rule for all tables.

    ``num_numbers`` is the number of numeric columns; of very large tables it limits the bins, so that the features fit
    into memory.

    - Every network has a linear path beside its hidden layers, which then only have to learn what a line cannot say.
    - Few rows (below 1,000) hold few bends that are not noise: the linear path starts as the regression of the
      training rows, so that training leaves it only where the validation rows approve; the hidden layers are narrow
      (one unit for ten rows), half of their units are dropped in each step, and weights decay strongly. In the end
      the validation rows are learned from too (``refit``): a third more rows tells more than any other setting.
    - With more rows numbers are put on a normal scale by their ranks (outliers no longer rule) and get
      piecewise-linear bins, so that the first layer can bend each column where it needs to.
    - Many rows (5,000 and more) carry a wide network; dropout is mild, and batches grow with the table so that an
      epoch stays near a hundred steps.
    - A regression target carries more information per row than a class does, hence less dropout.

    Chosen by validation scores on five tables (heart, breast cancer, titanic, mammography, California housing),
    never by test scores.

    Example:
        >>> default_config("binary", 180).width, default_config("regression", 12_000).width
        (16, 128)
    """
    if num_rows < SMALL:
        width = min(64, max(8, 1 << ((num_rows // 10).bit_length() - 1)))
        return TableConfig(width=width, dropout=0.1 if task == "regression" else 0.5)
    if num_rows < MEDIUM:
        return TableConfig(
            linear_start=False,
            refit=False,
            scaling="quantile",
            piecewise_bins=16,
            width=128,
            dropout=0.3,
            weight_decay=0.1,
            batch_size=64,
        )
    return TableConfig(
        linear_start=False,
        refit=False,
        scaling="quantile",
        piecewise_bins=max(0, min(32, _MOST_BINNED // (num_rows * max(num_numbers, 1)))),
        epochs=100,
        width=128,
        dropout=0.1,
        weight_decay=0.05,
        batch_size=min(4096, 1 << max(7, (num_rows // 100).bit_length() - 1)),
        patience=12,
    )
