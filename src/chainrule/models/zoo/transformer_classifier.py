"""A small transformer encoder that classifies texts."""

from __future__ import annotations

from typing import Any

from chainrule.core import Input, Symbol
from chainrule.layers import (
    Add,
    Dense,
    Dropout,
    Embedding,
    GlobalAveragePooling1D,
    LayerNormalization,
    MultiHeadAttention,
    PaddingMask,
    PositionEmbedding,
)
from chainrule.models.model import Model


def encoder_block(
    x: Symbol, mask: Symbol | None, *, heads: int, hidden: int, dropout: float = 0.0, name: str = "block"
) -> Symbol:
    """One transformer block: ``x + attention(norm(x))``, then ``x + dense(gelu(dense(norm(x))))``.

    Normalisation comes before each part ("pre-norm"), which trains without a warm-up of the learning rate; the paper
    has it behind the sums.

    Args:
        x: sequence, ``[batch, time, width]``; width is a multiple of ``heads``.
        mask: booleans ``[batch, time]``, true at real steps; ``None`` if all are.
        heads: of the attention, each of ``width / heads``.
        hidden: units of the first of the two dense layers.
        dropout: share dropped before each sum, in training.
        name: the layers' names begin with it.

    References:
        Vaswani et al., "Attention Is All You Need", 2017, https://arxiv.org/abs/1706.03762, figure 1, left. Xiong et
        al., "On Layer Normalization in the Transformer Architecture", 2020, https://arxiv.org/abs/2002.04745.

    Example:
        >>> from chainrule.layers import Input
        >>> from chainrule.models import zoo
        >>> zoo.encoder_block(Input((7, 6)), None, heads=2, hidden=12).shape
        (b, 7, 6)
    """
    width = x.shape[-1]
    y: Any = LayerNormalization(epsilon=1e-5, name=f"{name}_norm1")(x)
    y = MultiHeadAttention(heads, width // heads, name=f"{name}_attention")(
        y, **({} if mask is None else {"mask": mask})
    )
    x = Add(name=f"{name}_add1")(x, Dropout(dropout, name=f"{name}_dropout1")(y))
    y = LayerNormalization(epsilon=1e-5, name=f"{name}_norm2")(x)
    y = Dense(width, name=f"{name}_dense2")(Dense(hidden, "gelu", name=f"{name}_dense1")(y))
    joined: Symbol = Add(name=f"{name}_add2")(x, Dropout(dropout, name=f"{name}_dropout2")(y))
    return joined


def transformer_classifier(
    vocabulary: int,
    classes: int,
    *,
    length: int = 128,
    width: int = 64,
    heads: int = 4,
    hidden: int | None = None,
    blocks: int = 2,
    dropout: float = 0.1,
    name: str = "transformer_classifier",
    seed: int = 0,
) -> Model:
    """Word and position vectors, transformer blocks, the mean over the real steps, one dense layer.

    ``(vocabulary + length) · width + blocks · (4 · (width² + width) + 2 · width · hidden + hidden + width + 4 · width)
    + 2 · width + (width + 1) · classes`` parameters. Padding is token 0.

    Args:
        vocabulary: number of different tokens, 0 for padding included.
        classes: number of outputs (logits).
        length: tokens of a text, and number of position vectors.
        width: size of the vectors, a multiple of ``heads``.
        heads: of each attention.
        hidden: units inside each block; by default ``4 · width``.
        blocks: how many.
        dropout: share dropped, in training.
        name: name of the model.
        seed: initial weights and dropout hang on it.

    Shapes:
        tokens: integers [batch, length] -> [batch, classes].

    References:
        Vaswani et al., "Attention Is All You Need", 2017, https://arxiv.org/abs/1706.03762.

    Example:
        >>> from chainrule.models import zoo
        >>> zoo.transformer_classifier(1000, 2, length=30, width=16, heads=2, blocks=1)
        <Model 'transformer_classifier': (b, 30) → (b, 2), 19,826 parameters>
    """
    tokens = Input((length,), dtype="int32", name="tokens")
    mask = PaddingMask(name="mask")(tokens)
    x = Embedding(vocabulary, width, name="embedding")(tokens)
    x = Dropout(dropout, name="dropout")(PositionEmbedding(length, name="position")(x))
    for number in range(1, blocks + 1):
        x = encoder_block(x, mask, heads=heads, hidden=hidden or 4 * width, dropout=dropout, name=f"block{number}")
    x = GlobalAveragePooling1D(name="mean")(LayerNormalization(epsilon=1e-5, name="norm")(x), mask)
    return Model(tokens, Dense(classes, name="logits")(x), name=name, seed=seed)
