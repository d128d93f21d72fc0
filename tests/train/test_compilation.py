"""What compiles, compiles once."""

import logging

import jax
import numpy as np
import pytest

from chainrule.layers import BatchNormalization, Dense, Dropout, Input
from chainrule.models import Sequential
from chainrule.train import EarlyStopping, ReduceLROnPlateau

X = np.random.default_rng(0).normal(size=(37, 3)).astype(np.float32)
Y = (X[:, 0] > 0).astype(int)


@pytest.fixture(scope="module")
def model():
    model = Sequential([Input(3), Dense(4, "relu"), BatchNormalization(), Dropout(0.2), Dense(2)])
    model.compile("adam", "cross_entropy", ["accuracy", "roc_auc"])
    use(model, epochs=1)
    return model


def use(model, **arguments):
    callbacks = [EarlyStopping(patience=1), ReduceLROnPlateau(patience=1)]
    model.fit(X, Y, batch_size=8, validation=0.2, callbacks=callbacks, verbose=0, **arguments)
    model.evaluate(X, Y)
    model.predict(X)
    model.predict(X[:33])  # padded to the same power of two


def test_nothing_compiles_after_the_first_use(model, caplog):
    """More epochs, other chunks, stops, changed rates, other lengths to predict: the compiled code serves them all."""
    with jax.log_compiles(), caplog.at_level(logging.DEBUG):
        use(model, epochs=4)
        use(model, epochs=2, steps_per_call=1)
        jax.jit(lambda x: x + 1)(np.zeros(3)).block_until_ready()  # the log does tell of compilations
    compiled = [record.getMessage() for record in caplog.records if record.getMessage().startswith("Compiling")]
    assert len(compiled) == 1, compiled
