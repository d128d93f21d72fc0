"""Data: from files to prepared arrays, with NumPy and Polars only (JAX is never imported here)."""

from chainrule.data.leaks import Finding, check_preparer, scan
from chainrule.data.prepare import (
    FittedPreparer,
    Prepared,
    TablePreparer,
    balance,
    class_weights,
    imbalance_note,
    oversample,
    undersample,
)
from chainrule.data.schema import Column, ColumnKind, Schema, describe, infer_schema
from chainrule.data.sources import Images, Table, equal_images, is_image_source, read_images, read_table
from chainrule.data.split import (
    Fold,
    RepeatedTestWarning,
    SealedTest,
    Split,
    duplicate_groups,
    kfold,
    repeated_kfold,
    split,
)
from chainrule.data.target import Target, TargetEncoder, Task, read_target

__all__ = [
    "Column",
    "ColumnKind",
    "Finding",
    "FittedPreparer",
    "Fold",
    "Images",
    "Prepared",
    "RepeatedTestWarning",
    "Schema",
    "SealedTest",
    "Split",
    "Table",
    "TablePreparer",
    "Target",
    "TargetEncoder",
    "Task",
    "balance",
    "check_preparer",
    "class_weights",
    "describe",
    "duplicate_groups",
    "equal_images",
    "imbalance_note",
    "infer_schema",
    "is_image_source",
    "kfold",
    "oversample",
    "read_images",
    "read_table",
    "read_target",
    "repeated_kfold",
    "scan",
    "split",
    "undersample",
]
