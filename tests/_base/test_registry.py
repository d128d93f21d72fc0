"""Names to entries and back, and configs that cannot run code."""

import json
from dataclasses import dataclass, field

import pytest

from chainrule._base.errors import ArgumentError, ArgumentTypeError, FormatError, UnknownNameError
from chainrule._base.registry import (
    Registry,
    from_config,
    functions,
    register_class,
    register_function,
    serializable,
    snake_case,
    to_config,
)


@register_class
@dataclass(frozen=True)
class RegistryLeaf:
    size: int
    rate: float = 0.5
    flag: bool = True
    table: tuple = ()


@register_class
@dataclass(frozen=True)
class RegistryNode:
    parts: tuple = ()
    mapping: dict = field(default_factory=dict)
    function: object = None
    derived: int = field(default=0, init=False)


def registry_cube(x):
    return x**3


register_function(registry_cube)


@pytest.mark.parametrize(
    "value",
    [
        RegistryLeaf(3),
        RegistryLeaf(3, rate=0.25, flag=False, table=(1, (2.5, "x"), None)),
        RegistryNode((RegistryLeaf(1), RegistryLeaf(2, 0.0)), {0: 1.5, "b": RegistryLeaf(4)}, registry_cube),
        RegistryNode(parts=({"a": {}},)),
    ],
)
def test_a_config_survives_json_and_builds_an_equal_object(value):
    assert from_config(json.loads(json.dumps(to_config(value)))) == value


def test_fields_at_their_default_are_left_out():
    assert to_config(RegistryLeaf(3)) == {"type": "RegistryLeaf", "size": 3}
    assert to_config(RegistryLeaf(3, rate=0.1)) == {"type": "RegistryLeaf", "size": 3, "rate": 0.1}


def test_an_equal_value_of_another_type_is_kept():
    """``True == 1``, but a config that drops 1 for True would load another object."""
    assert to_config(RegistryLeaf(3, flag=1)) == {"type": "RegistryLeaf", "size": 3, "flag": 1}


@dataclass(frozen=True)
class Stranger:
    size: int = 1


@pytest.mark.parametrize(
    ("value", "error", "message"),
    [
        (Stranger(), ArgumentError, "Stranger is not registered"),
        (lambda x: x, ArgumentError, "no registered name"),
        ({1, 2}, ArgumentTypeError, "type set"),
        (RegistryNode((Stranger(),)), ArgumentError, "Stranger"),
    ],
)
def test_what_a_file_could_not_name_is_refused_at_save(value, error, message):
    with pytest.raises(error, match=message):
        to_config(value)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"type": "os.system", "command": "x"}, "not registered"),
        ({"type": "RegistryLeef", "size": 3}, "Did you mean 'RegistryLeaf'?"),
        ({"type": 3}, "not registered"),
        ({"size": 3}, "not registered"),
        ({"$function": "builtins.eval"}, "function 'builtins.eval', which is not registered"),
        ({"$function": None}, "not registered"),
        ({"type": "RegistryLeaf", "size": 3, "rat": 1}, "unknown field 'rat'.*Did you mean 'rate'?"),
        ({"type": "RegistryLeaf"}, "do not fit the class"),
        ({"type": "RegistryNode", "derived": 3}, "unknown field 'derived'"),
        ({"type": "RegistryLeaf", "size": {"type": "__import__"}}, "not registered"),
    ],
)
def test_a_hostile_or_damaged_config_is_a_format_error(config, message):
    with pytest.raises(FormatError, match=message.replace("?", r"\?")):
        from_config(config)


def test_lookup_ignores_case_and_knows_synonyms():
    registry = Registry("loss")
    registry.register(abs, "absolute", synonyms=("mae", "L1"))
    assert registry["Absolute"] is registry["MAE"] is registry["l1"] is abs
    assert "l1" in registry
    assert "l2" not in registry
    assert 3 not in registry
    assert list(registry) == ["absolute"]
    assert registry.items() == [("absolute", abs)]
    assert (registry.name_of(abs), registry.name_of(len)) == ("absolute", None)


def test_an_unknown_name_suggests_and_lists():
    registry = Registry("loss")
    registry.register(abs, "absolute", synonyms=("mae",))
    with pytest.raises(UnknownNameError, match=r"'absolut' is not a known loss\. Did you mean 'absolute'\? Known: "):
        registry["absolut"]
    with pytest.raises(ArgumentTypeError, match="received int"):
        registry[3]


def test_a_name_is_not_taken_twice():
    registry = Registry("loss")
    registry.register(abs, "absolute", synonyms=("mae",))
    registry.register(abs, "absolute")  # the same entry again is no conflict: modules may be reloaded
    with pytest.raises(ArgumentError, match="'MAE' is taken"):
        registry.register(len, "MAE")
    with pytest.raises(ArgumentError, match="'mae' is taken"):
        registry.register(len, "other", synonyms=("mae",))
    assert list(registry) == ["absolute"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Dense", "dense"),
        ("LeakyReLU", "leaky_relu"),
        ("PReLU", "prelu"),
        ("ReLU", "relu"),
        ("ELU", "elu"),
        ("Conv2DTranspose", "conv2d_transpose"),
        ("BatchNormalization", "batch_normalization"),
        ("RMSNormalization", "rms_normalization"),
        ("GlobalAveragePooling2D", "global_average_pooling2d"),
    ],
)
def test_snake_case_of_layer_names(name, expected):
    assert snake_case(name) == expected


def test_the_registries_hold_only_classes_and_functions():
    assert all(isinstance(entry, type) for _, entry in serializable.items())
    assert all(callable(entry) and not isinstance(entry, type) for _, entry in functions.items())
