"""The convolutional network for sentences."""

from __future__ import annotations

from chainrule.core import Input
from chainrule.layers import ApplyMask, Concatenate, Conv1D, Dense, Dropout, Embedding, GlobalMaxPooling1D, PaddingMask
from chainrule.models.model import Model


def text_cnn(
    vocabulary: int,
    classes: int,
    *,
    length: int | None = None,
    width: int = 128,
    filters: int = 100,
    windows: tuple[int, ...] = (3, 4, 5),
    dropout: float = 0.5,
    name: str = "text_cnn",
    seed: int = 0,
) -> Model:
    """Kim's sentence classifier: filters over 3, 4 and 5 words, the largest answer of each, one dense layer.

    ``vocabulary · width + filters · Σ (window · width + 1) + (len(windows) · filters + 1) · classes`` parameters.
    Padding (token 0) counts as zeros, and no answer is taken there.

    Args:
        vocabulary: number of different tokens, 0 for padding included.
        classes: number of outputs (logits).
        length: tokens of a sentence, or ``None`` for any.
        width: size of the word vectors.
        filters: for each window.
        windows: words that a filter sees.
        dropout: share of features dropped before the last layer, in training.
        name: name of the model.
        seed: initial weights and dropout hang on it.

    Shapes:
        tokens: integers [batch, time] -> [batch, classes].

    References:
        Kim, "Convolutional Neural Networks for Sentence Classification", 2014, https://arxiv.org/abs/1408.5882.

    Example:
        >>> from chainrule.models import zoo
        >>> zoo.text_cnn(1000, 2, length=30, width=16, filters=8)
        <Model 'text_cnn': (b, 30) → (b, 2), 17,610 parameters>
    """
    tokens = Input((length,), dtype="int32", name="tokens")
    mask = PaddingMask(name="mask")(tokens)
    x = ApplyMask(name="real")(Embedding(vocabulary, width, name="embedding")(tokens), mask)
    found = []
    for window in windows:
        y = Conv1D(filters, window, padding="same", activation="relu", name=f"conv{window}")(x)
        found.append(GlobalMaxPooling1D(name=f"largest{window}")(y, mask))
    joined = Concatenate(name="joined")(*found) if len(found) > 1 else found[0]
    y = Dropout(dropout, name="dropout")(joined)
    return Model(tokens, Dense(classes, name="logits")(y), name=name, seed=seed)
