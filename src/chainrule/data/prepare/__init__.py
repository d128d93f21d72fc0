"""Preparation: fitted on the training part only, saved with the model."""

from chainrule.data.prepare.balance import balance, class_weights, imbalance_note, oversample, undersample
from chainrule.data.prepare.encode import FittedOneHot, FittedOrdinal, OneHotEncoder, OrdinalEncoder
from chainrule.data.prepare.impute import (
    CategoryImputer,
    FittedCategoryImputer,
    FittedNumberImputer,
    NumberImputer,
)
from chainrule.data.prepare.numeric_embedding import FittedPiecewiseLinear, PiecewiseLinear
from chainrule.data.prepare.scale import (
    FittedQuantileScaler,
    FittedScaler,
    MinMaxScaler,
    QuantileScaler,
    RobustScaler,
    StandardScaler,
)
from chainrule.data.prepare.table import FittedPreparer, Prepared, TablePreparer
from chainrule.data.prepare.tokenize import Encoded, FittedTokenizer, Tokenizer
from chainrule.data.prepare.tokenize_phrases import FittedPhrases, Phrases

__all__ = [
    "CategoryImputer",
    "Encoded",
    "FittedCategoryImputer",
    "FittedNumberImputer",
    "FittedOneHot",
    "FittedOrdinal",
    "FittedPhrases",
    "FittedPiecewiseLinear",
    "FittedPreparer",
    "FittedQuantileScaler",
    "FittedScaler",
    "FittedTokenizer",
    "MinMaxScaler",
    "NumberImputer",
    "OneHotEncoder",
    "OrdinalEncoder",
    "Phrases",
    "PiecewiseLinear",
    "Prepared",
    "QuantileScaler",
    "RobustScaler",
    "StandardScaler",
    "TablePreparer",
    "Tokenizer",
    "balance",
    "class_weights",
    "imbalance_note",
    "oversample",
    "undersample",
]
