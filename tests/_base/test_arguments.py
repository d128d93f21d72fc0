"""Arguments that a class does not have: what to type instead, with the signature as it was."""

import inspect
from dataclasses import FrozenInstanceError, dataclass

import pytest

from chainrule import Model, layers, losses, metrics, optimizers
from chainrule._base.arguments import check_arguments, check_function, what_to_type
from chainrule._base.errors import ArgumentError, ArgumentTypeError
from chainrule._base.registry import from_config, register_class, serializable, to_config


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: layers.Conv2D(8, 3, stride=2), r"^Conv2D: .*received 'stride'\. Did you mean 'strides'\?$"),
        (lambda: layers.Dense(3, input_shape=(3,)), r"received 'input_shape'\. Begin the model with Input\(shape\)"),
        (lambda: layers.LSTM(3, input_dim=4), "Begin the model with Input"),
        (
            lambda: layers.Embedding(5, 3, mask_zero=True),
            "received 'mask_zero'. Embedding makes no mask.*PaddingMask",
        ),
        (lambda: layers.Conv2D(in_channels=3, filters=8, kernel_size=3), "sizes are taken from the input"),
        (lambda: layers.Conv2D(out_channels=3, kernel_size=3), "It is called 'filters' here"),
        (lambda: layers.Dense(out_features=3), "It is called 'units' here"),
        (lambda: layers.Dense(3, bias=False), "It is called 'use_bias' here"),
        (lambda: layers.Dropout(p=0.5), "It is called 'rate' here"),
        (lambda: layers.Conv1D(8, 3, data_format="channels_first"), "channels are always the last axis"),
        (lambda: layers.LSTM(3, mask=1), r"It is an input of the call: LSTM\(\.\.\.\)\(x, mask=mask\)"),
        (lambda: layers.MaxPooling2D(window=2), "It is called 'pool_size' here"),
        (lambda: layers.GRU(3, nonsense=1), r"received 'nonsense'\. Leave it out, or see help\(GRU\)"),
        (lambda: optimizers.Adam(lr=0.1), "It is called 'learning_rate' here"),
        (lambda: losses.CrossEntropy(from_logit=True), "Did you mean 'from_logits'"),
        (lambda: metrics.Accuracy(treshold=0.3), "Did you mean 'threshold'"),
        (lambda: layers.LSTM(3, implementation=2), "chainrule chooses how to compute it"),
        (lambda: layers.Conv2DTranspose(3, 2, groups=3), "only Conv1D, Conv2D, Conv3D and GroupNormalization have"),
        (lambda: layers.Input(3, batch_size=5), r"^Input: .*received 'batch_size'.*stateful layers are told theirs"),
        (lambda: layers.Input(3, sparse=True), "inputs are dense arrays"),
        (lambda: layers.Input(shapes=3), "Did you mean 'shape'"),
        (lambda: attention_over(layers.Input((4, 3))), r"MultiHeadAttention\(\.\.\., use_causal_mask=\.\.\.\)\(x\)"),
        (lambda: Model.fit(None, shuffle=False), r"^fit: .*received 'shuffle'.*only for stateful layers they stay in"),
        (lambda: Model.fit(None, validation_split=0.2), "It is called 'validation' here"),
        (lambda: Model.fit(None, validation_data=(1, 2)), "It is called 'validation' here"),
        (lambda: Model.fit(None, initial_epoch=3), r"a second fit\(\) goes on"),
        (lambda: Model.fit(None, callback=[]), "Did you mean 'callbacks'"),
        (lambda: Model.evaluate(None, 1, 2, return_dict=True), "always returns a dict"),
        (lambda: Model.predict(None, 1, verbose=0), r"^predict: .*only fit\(\) prints"),
        (lambda: Model.compile(None, steps_per_execution=7), "steps_per_call"),
    ],
)
def test_arguments_that_are_not_there(make, message):
    with pytest.raises(ArgumentTypeError, match=message):
        make()


def attention_over(x):
    return layers.MultiHeadAttention(2, 3)(x, x, use_causal_mask=True)


def test_a_functions_own_type_error_passes_through():
    @check_function
    def picky(size):
        raise TypeError("its own fault")

    with pytest.raises(TypeError, match=r"^its own fault$"):
        picky(3)
    with pytest.raises(ArgumentTypeError, match=r"^picky: .*too many positional arguments") as error:
        picky(3, 4)
    assert error.value.__suppress_context__


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: layers.Conv2D(8), r"missing a required argument: 'kernel_size'\. Type Conv2D\(filters, kernel_size, "),
        (lambda: layers.Conv2D(8, 3, filters=2), "multiple values for argument 'filters'"),
        (lambda: layers.ReLU(6, "name", 2, 3, 4, 5), "too many positional arguments"),
    ],
)
def test_arguments_missing_or_too_many(make, message):
    with pytest.raises(ArgumentTypeError, match=message) as error:
        make()
    assert error.value.__suppress_context__  # no second error above it


def test_advice_is_of_the_class_at_hand():
    """``input_dim`` is an argument of Embedding, ``alpha`` one of ELU: the table serves only where they are strange."""
    assert layers.Embedding(input_dim=5, output_dim=3).input_dim == 5
    assert layers.ELU(alpha=2.0).alpha == 2.0
    assert what_to_type("alpha", ["negative_slope"]) == "It is called 'negative_slope' here."
    assert what_to_type("out_channels", ["units"]) == ""


def test_signatures_stay_as_they_were():
    """What editors show: parameters, defaults and kinds of the dataclass itself."""
    signature = inspect.signature(layers.Dense)
    assert list(signature.parameters)[:3] == ["units", "activation", "use_bias"]
    assert signature.parameters["use_bias"].default is True
    assert layers.Dense.__init__.__qualname__.endswith("Dense.__init__") or layers.Dense.__init__.__name__ == "__init__"
    kinds = {name: p.kind.name for name, p in inspect.signature(layers.MultiHeadAttention).parameters.items()}
    assert (kinds["num_heads"], kinds["dropout"]) == ("POSITIONAL_OR_KEYWORD", "KEYWORD_ONLY")


def test_errors_of_the_class_itself_pass_through():
    @check_arguments
    @dataclass(frozen=True)
    class Picky:
        size: int

        def __post_init__(self):
            if self.size < 0:
                raise ArgumentError("own words")
            if self.size == 0:
                raise TypeError("its own fault")

    with pytest.raises(ArgumentError, match="own words"):
        Picky(-1)
    with pytest.raises(TypeError, match=r"^its own fault$"):
        Picky(0)
    with pytest.raises(FrozenInstanceError):
        Picky(1).size = 2


def test_a_users_registered_class_is_checked_and_stored():
    @register_class
    @dataclass(frozen=True)
    class WithRateForTheTest:
        rate: float = 0.1

    assert from_config(to_config(WithRateForTheTest(0.3))) == WithRateForTheTest(0.3)
    with pytest.raises(ArgumentTypeError, match=r"WithRateForTheTest: .*Did you mean 'rate'"):
        WithRateForTheTest(rates=0.3)


def test_a_class_that_takes_any_keyword_is_left_alone():
    @check_arguments
    class Open:
        def __init__(self, first, **rest):
            self.all = {"first": first} | rest

    assert Open(1, stride=2).all == {"first": 1, "stride": 2}
    with pytest.raises(ArgumentTypeError, match="missing a required argument: 'first'"):
        Open()


def test_every_class_of_a_family_is_checked():
    """One place for all: no registered class of this package takes a strange keyword for a plain TypeError."""
    own = [cls for _, cls in serializable.items() if cls.__module__.startswith("chainrule.")]
    assert len(own) > 150
    for cls in own:
        if any(p.kind is p.VAR_KEYWORD for p in inspect.signature(cls).parameters.values()):
            continue
        with pytest.raises(ArgumentTypeError, match="must be called with its own arguments"):
            cls(strange_argument=1)
