"""Encoder and decoder with attention."""

from __future__ import annotations

from chainrule.core import Input
from chainrule.layers import LSTM, Attention, Concatenate, Dense, Embedding, PaddingMask
from chainrule.models.model import Model


def seq2seq_attention(
    source_vocabulary: int,
    target_vocabulary: int,
    *,
    source_length: int | None = None,
    target_length: int | None = None,
    width: int = 128,
    units: int = 256,
    name: str = "seq2seq_attention",
    seed: int = 0,
) -> Model:
    """From one sequence to another: an LSTM reads, an LSTM writes and looks back at what was read.

    The decoder begins with the encoder's last state. Each of its outputs h asks the encoder's outputs by their inner
    products (Luong's "dot" score); their weighted mean c joins it, ``tanh(W [c, h] + b)``, and a dense layer gives the
    next token's logits. In training the decoder is fed the target shifted by one (teacher forcing); to write, feed it
    what it has written so far and take the last position's logits. Padding is token 0 on both sides.

    Args:
        source_vocabulary: number of different tokens that are read, 0 for padding included.
        target_vocabulary: number of different tokens that are written, 0 for padding included.
        source_length: tokens read, or ``None`` for any.
        target_length: tokens written, or ``None`` for any.
        width: size of the word vectors.
        units: of both LSTMs.
        name: name of the model.
        seed: initial weights hang on it.

    Shapes:
        source: integers [batch, source time], target: integers [batch, target time]
        -> [batch, target time, target_vocabulary].

    References:
        Sutskever, Vinyals, Le, "Sequence to Sequence Learning with Neural Networks", 2014. Luong, Pham, Manning,
        "Effective Approaches to Attention-based Neural Machine Translation", 2015, https://arxiv.org/abs/1508.04025,
        equations 5 to 7.

    Example:
        >>> from chainrule.models import zoo
        >>> zoo.seq2seq_attention(50, 60, source_length=9, target_length=7, width=4, units=8)
        <Model 'seq2seq_attention': (b, 9), (b, 7) → (b, 7, 60), 1,948 parameters>
    """
    source = Input((source_length,), dtype="int32", name="source")
    target = Input((target_length,), dtype="int32", name="target")
    source_mask, target_mask = PaddingMask(name="source_mask")(source), PaddingMask(name="target_mask")(target)
    read = Embedding(source_vocabulary, width, name="source_embedding")(source)
    encoder = LSTM(units, return_sequences=True, return_state=True, name="encoder")
    memory, *state = encoder(read, mask=source_mask)
    write = Embedding(target_vocabulary, width, name="target_embedding")(target)
    decoder = LSTM(units, return_sequences=True, name="decoder")
    hidden = decoder(write, mask=target_mask, initial_state=state)
    context = Attention(name="attention")(hidden, memory, mask=source_mask)
    joined = Dense(units, "tanh", name="combine")(Concatenate(name="joined")(context, hidden))
    return Model([source, target], Dense(target_vocabulary, name="logits")(joined), name=name, seed=seed)
