"""Networks that read a text: windows of words, a recurrent pass, or neither, beside a bag of words and phrases."""

from __future__ import annotations

import numpy as np

from chainrule.core import Symbol
from chainrule.data.prepare.tokenize import PADDING
from chainrule.initializers import RandomUniform
from chainrule.layers import (
    LSTM,
    ApplyMask,
    Bidirectional,
    Concatenate,
    Conv1D,
    Cropping1D,
    Dense,
    Dropout,
    Embedding,
    Flatten,
    GlobalAveragePooling1D,
    GlobalMaxPooling1D,
    Input,
    PaddingMask,
    RandomBranch,
    WeightedBag,
)
from chainrule.models import Model
from chainrule.optimizers import Adam, AdamW
from chainrule.tasks.text.settings import TextSettings

_REACH = 5.0  # times the log-ratios: how much faster the bag may move than the vectors
_SPREAD = 0.25  # of the vectors' starting values, as Kim's


def build_network(
    settings: TextSettings, num_tokens: int, num_phrases: int, num_classes: int, *, seed: int = 0
) -> Model:
    """From numbers of tokens and phrases ``[batch, phrases, time]`` to one logit per class.

    Each branch answers alone, and the mean of the answers is the network's (see :class:`RandomBranch`). Results do not
    depend on how much padding follows a text.

    Args:
        settings: which branches, and their sizes.
        num_tokens: different tokens, padding and unknown included.
        num_phrases: different phrases of two tokens and more.
        num_classes: number of classes.
        seed: of the starting values.

    References:
        Kim, "Convolutional Neural Networks for Sentence Classification", 2014, https://arxiv.org/abs/1408.5882.
        Wang and Manning, "Baselines and Bigrams", 2012, https://aclanthology.org/P12-2018 (the bag).
        Iyyer et al., "Deep Unordered Composition Rivals Syntactic Methods", 2015 (the average).

    Example:
        >>> model = build_network(TextSettings(model="lstm", units=4), 50, 20, 3)
        >>> list(model.graph.layers)[-4:]
        ['dropout', 'lstm', 'bag', 'answer']
    """
    x = Input((settings.phrases, None), dtype="int32", name="tokens")
    answers = []
    if settings.model != "bag":
        features = Dropout(settings.dropout)(_features(settings, x, num_tokens))
        answers.append(Dense(num_classes, name=settings.model)(features))
    if settings.has_bag:
        answers.append(WeightedBag(num_tokens + num_phrases, num_classes, name="bag")(x))
    return Model(x, RandomBranch(name="answer")(*answers), name="text", seed=seed)


def compile_network(model: Model, settings: TextSettings) -> None:
    """Adam on the cross-entropy."""
    rate, decay = settings.learning_rate, settings.weight_decay
    optimizer = AdamW(rate, weight_decay=decay, exclude_vectors=True) if decay else Adam(rate)
    model.compile(optimizer, loss="cross_entropy", metrics=["accuracy"])


def start_bag(model: Model, inputs: np.ndarray, labels: np.ndarray) -> None:
    """Give the bag the log-ratios of the training texts; its weights themselves start at 0."""
    shape = model.get_weights()["bag/scale"].shape
    model.set_weights({"bag/scale": _REACH * log_ratios(inputs, labels, shape[0], shape[1])})


def log_ratios(inputs: np.ndarray, labels: np.ndarray, size: int, num_classes: int) -> np.ndarray:
    """How much a token or phrase speaks for each class, ``log p(token | class) / p(token | other classes)``.

    A text counts once for each of its tokens, and every token as if it had been seen once more everywhere.

    Args:
        inputs: [texts, ...] numbers of tokens and phrases; 0 is padding.
        labels: class numbers.
        size: different numbers.
        num_classes: number of classes.

    Returns:
        float32 [size, num_classes]; 0 for numbers that do not occur.

    Example:
        >>> ratios = log_ratios(np.array([[1, 2, 2], [1, 3, 0]]), np.array([0, 1]), 4, 2)
        >>> ratios[:, 0].astype(float).round(3).tolist()
        [0.0, 0.0, 0.693, -0.693]
    """
    flat = inputs.reshape(len(inputs), -1)
    rows = np.repeat(np.arange(len(flat)), flat.shape[1])
    seen = np.unique(rows.astype(np.int64) * size + flat.ravel())
    texts, numbers = np.divmod(seen, size)
    real = numbers != PADDING
    cells = labels[texts[real]].astype(np.int64) * size + numbers[real]
    counts = np.bincount(cells, minlength=num_classes * size).reshape(num_classes, size)
    occurs = counts.sum(axis=0) > 0
    own = counts + 1.0
    others = counts.sum(axis=0) - counts + 1.0
    shares = [part / part[:, occurs].sum(axis=1, keepdims=True) for part in (own, others)]
    ratios: np.ndarray = np.where(occurs, np.log(shares[0] / shares[1]), 0.0).T.astype(np.float32)
    return ratios


def _features(settings: TextSettings, x: Symbol, num_tokens: int) -> Symbol:
    words = Flatten()(Cropping1D((0, settings.phrases - 1))(x) if settings.phrases > 1 else x)  # [batch, time]
    mask = PaddingMask(PADDING)(words)
    start = RandomUniform(-_SPREAD, _SPREAD)
    vectors = ApplyMask()(Embedding(num_tokens, settings.embedding, start)(words), mask)
    match settings.model:
        case "cnn":
            found = [
                GlobalMaxPooling1D()(
                    Conv1D(settings.filters, width, padding="same", activation="relu", name=f"window{width}")(vectors),
                    mask,
                )
                for width in settings.widths
            ]
            features: Symbol = Concatenate()(*found) if len(found) > 1 else found[0]
        case "lstm":
            features = Bidirectional(LSTM(settings.units))(vectors, mask)
        case _:
            features = GlobalAveragePooling1D()(vectors, mask)
    return features
