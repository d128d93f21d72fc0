"""An LSTM that reads a text and classifies it."""

from __future__ import annotations

from chainrule.core import Input
from chainrule.layers import LSTM, Bidirectional, Dense, Dropout, Embedding, PaddingMask
from chainrule.models.model import Model


def lstm_classifier(
    vocabulary: int,
    classes: int,
    *,
    length: int | None = None,
    width: int = 128,
    units: int = 128,
    bidirectional: bool = False,
    dropout: float = 0.5,
    name: str = "lstm_classifier",
    seed: int = 0,
) -> Model:
    """Word vectors, one LSTM, and a dense layer on its last output: many inputs, one output.

    ``vocabulary · width + 4 · units · (width + units + 1) + (units + 1) · classes`` parameters; with ``bidirectional``
    the LSTM twice and ``2 · units`` features. Padding (token 0) is skipped, wherever it stands.

    Args:
        vocabulary: number of different tokens, 0 for padding included.
        classes: number of outputs (logits).
        length: tokens of a text, or ``None`` for any.
        width: size of the word vectors.
        units: of the LSTM.
        bidirectional: whether a second LSTM reads from the end.
        dropout: share dropped before and after the LSTM, in training.
        name: name of the model.
        seed: initial weights and dropout hang on it.

    Shapes:
        tokens: integers [batch, time] -> [batch, classes].

    References:
        Hochreiter, Schmidhuber, "Long Short-Term Memory", 1997.

    Example:
        >>> from chainrule.models import zoo
        >>> zoo.lstm_classifier(1000, 2, length=30, width=16, units=8)
        <Model 'lstm_classifier': (b, 30) → (b, 2), 16,818 parameters>
    """
    tokens = Input((length,), dtype="int32", name="tokens")
    mask = PaddingMask(name="mask")(tokens)
    x = Dropout(dropout, name="dropout1")(Embedding(vocabulary, width, name="embedding")(tokens))
    layer = Bidirectional(LSTM(units), name="lstm") if bidirectional else LSTM(units, name="lstm")
    x = Dropout(dropout, name="dropout2")(layer(x, mask=mask))
    return Model(tokens, Dense(classes, name="logits")(x), name=name, seed=seed)
