"""The tree of exceptions, and the suggestion of the nearest name."""

import jax
import pytest

from chainrule import errors as public
from chainrule._base import errors
from chainrule._base.errors import did_you_mean, with_note

BUILTIN = {
    errors.ArgumentError: ValueError,
    errors.UnknownNameError: errors.ArgumentError,
    errors.ArgumentTypeError: TypeError,
    errors.ShapeError: ValueError,
    errors.GraphError: ValueError,
    errors.DataError: ValueError,
    errors.FormatError: ValueError,
    errors.CheckpointError: OSError,
    errors.NonFiniteError: ArithmeticError,
    errors.MissingDependencyError: ImportError,
}


@pytest.mark.parametrize(("error", "builtin"), BUILTIN.items())
def test_every_error_is_ours_and_pythons(error, builtin):
    with pytest.raises(builtin, match="the message"):
        raise error("the message")
    assert issubclass(error, errors.ChainruleError)


def test_the_table_above_and_the_public_module_hold_every_error():
    ours = {
        item
        for item in vars(errors).values()
        if isinstance(item, type) and issubclass(item, errors.ChainruleError) and item is not errors.ChainruleError
    }
    assert ours == set(BUILTIN)
    assert {getattr(public, error.__name__) for error in ours} == ours


@pytest.mark.parametrize(
    ("name", "known", "expected"),
    [
        ("adma", ["adam", "sgd"], " Did you mean 'adam'?"),
        ("ADMA", ["Adam", "SGD"], " Did you mean 'Adam'?"),
        ("zzz", ["adam", "sgd"], ""),
        ("adam", [], ""),
    ],
)
def test_did_you_mean_names_the_nearest_as_it_is_written(name, known, expected):
    assert did_you_mean(name, known) == expected


def test_a_note_is_added_once():
    error = ValueError("x")
    assert with_note(with_note(error, "in layer head"), "in layer head") is error
    assert error.__notes__ == ["in layer head"]


def test_jax_adds_no_note_of_its_own():
    """JAX notes under every error that passes through it that it shortened the traceback; ours stay as they are."""

    def refuse(_):
        raise with_note(errors.ShapeError("the message"), "in layer dense")

    for boundary in (jax.eval_shape, lambda function, x: jax.jit(function)(x)):
        with pytest.raises(errors.ShapeError) as error:
            boundary(refuse, 1.0)
        assert error.value.__notes__ == ["in layer dense"]
        assert error.value.__cause__ is None
    with pytest.raises(ValueError, match="plain") as error:  # so that the test sees whether JAX still does
        jax.jit(_refuse_plainly)(1.0)
    assert "JAX has removed its internal frames" in error.value.__notes__[0]


def _refuse_plainly(_):
    raise ValueError("plain")
