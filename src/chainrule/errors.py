"""The exceptions of chainrule, for ``except chainrule.errors.DataError``; drawn as a tree in the source's docstring."""

from chainrule._base.errors import (
    ArgumentError,
    ArgumentTypeError,
    ChainruleError,
    ChainruleWarning,
    CheckpointError,
    DataError,
    FormatError,
    GraphError,
    MissingDependencyError,
    NonFiniteError,
    ShapeError,
    UnknownNameError,
)

__all__ = [
    "ArgumentError",
    "ArgumentTypeError",
    "ChainruleError",
    "ChainruleWarning",
    "CheckpointError",
    "DataError",
    "FormatError",
    "GraphError",
    "MissingDependencyError",
    "NonFiniteError",
    "ShapeError",
    "UnknownNameError",
]
