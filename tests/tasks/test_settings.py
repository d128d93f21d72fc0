import dataclasses

import pytest

from chainrule._base.registry import from_config, to_config
from chainrule.errors import ArgumentError
from chainrule.tasks.settings import TableConfig, default_config


def test_ten_hyperparameters_are_fields_of_one_config():
    """C155: iterations, depth, width, kinds of layers, regularisation and strength, optimiser, rate, batch size."""
    asked = {
        "epochs", "depth", "width", "activation", "normalization", "dropout", "weight_decay", "optimizer",
        "learning_rate", "batch_size",
    }  # fmt: skip
    assert asked <= {field.name for field in dataclasses.fields(TableConfig)}
    assert asked <= set(TableConfig().rows())


def test_text_is_read_as_the_fields_type():
    changed = TableConfig().replaced(
        {"width": "7", "dropout": "0.25", "linear_path": "false", "optimizer": "sgd", "depth": 3}
    )
    assert (changed.width, changed.dropout, changed.linear_path) == (7, 0.25, False)
    assert (changed.optimizer, changed.depth) == ("sgd", 3)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"dropuot": "0.1"}, "Did you mean 'dropout'"),
        ({"width": "many"}, "whole number"),
        ({"width": "0"}, "at least 1"),
        ({"dropout": "1"}, "below 1"),
        ({"linear_path": "perhaps"}, "true or false"),
        ({"optimizer": "rmspop"}, "Did you mean 'rmsprop'"),
        ({"scaling": "standart"}, "Did you mean 'standard'"),
        ({"depth": "0", "linear_path": "no"}, "linear path"),
    ],
)
def test_bad_settings_are_refused_with_what_to_type(changes, message):
    with pytest.raises(ArgumentError, match=message):
        TableConfig().replaced(changes)


def test_the_rule_follows_the_rows_and_survives_saving():
    sizes = (100, 2_000, 20_000, 1_000_000)
    configs = [default_config("binary", rows) for rows in sizes]
    assert [config.batch_size for config in configs] == sorted(config.batch_size for config in configs)
    assert configs[-1].batch_size == 4096
    assert [config.dropout for config in configs] == sorted((c.dropout for c in configs), reverse=True)
    assert from_config(to_config(configs[1])) == configs[1]


def test_bins_shrink_where_they_would_not_fit_into_memory():
    assert default_config("binary", 12_000, 8).piecewise_bins == 32
    assert default_config("binary", 600_000, 10).piecewise_bins == 25
    assert default_config("binary", 10_000_000, 100).piecewise_bins == 0
