"""Values are checked before anything is compiled: which layers are asked, about which inputs, and by which name."""

from dataclasses import dataclass

import numpy as np
import pytest

import chainrule as cr
from chainrule._base.errors import ArgumentError
from chainrule.core import Block, Graph, Input, check_values
from chainrule.layers import Concatenate, Dense, Embedding, Flatten, Lambda, TimeDistributed


@dataclass(frozen=True, eq=False)
class Inside(Block):
    name: str | None = None

    def build(self, x, words):
        return Concatenate()(x, Flatten()(Embedding(4, 2, name="table")(words)))


def test_every_layer_at_an_input_is_asked():
    x, words, letters = Input(3), Input(2, dtype="int32"), Input((2, 3), dtype="int32")
    inside = Inside()(x, words)
    spelt = Flatten()(TimeDistributed(Embedding(6, 2))(letters))
    graph = Graph((x, words, letters), (Concatenate()(inside, spelt),))
    good = [np.ones((5, 3), np.float32), np.zeros((5, 2), np.int32), np.full((5, 2, 3), 5)]
    names = ["a", "b", "c"]
    check_values(graph, good, names)
    wrong = [good[0], np.array([[0, 1], [3, 4]]), good[2]]
    with pytest.raises(
        ArgumentError, match=r"table \(Embedding\): b must hold integers from 0 to 3.*received 4 in row 1"
    ):
        check_values(graph, wrong, names)
    with pytest.raises(ArgumentError, match=r"Embedding: c must hold integers from 0 to 5.*received 6 in row 0"):
        check_values(graph, [*good[:2], np.full((5, 2, 3), 6)], names)
    check_values(graph, [good[0], None, good[2]], names)  # not known, not judged


def test_values_that_a_layer_changes_first_are_not_judged():
    words = Input(2, dtype="int32")
    shifted = Lambda(lambda x: x - 1)(words)
    check_values(Graph((words,), (Embedding(4, 2)(shifted),)), [np.array([[1, 4]])], ["words"])


def test_fit_predict_and_evaluate_name_the_row():
    model = cr.Sequential([Input(3, dtype="int32", name="words"), Embedding(4, 2), Flatten(), Dense(2)])
    model.compile("sgd", "cross_entropy")
    x, y = np.zeros((6, 3), int), np.zeros(6, int)
    x[4, 1] = 17
    message = r"x\[words\] must hold integers from 0 to 3, for input_dim=4; received 17 in row 4"
    for call in (lambda: model.fit(x, y, epochs=1, verbose=0), lambda: model.predict(x), lambda: model.evaluate(x, y)):
        with pytest.raises(ArgumentError, match=message):
            call()
    x[4, 1] = 3
    assert np.isfinite(model.predict(x)).all()
