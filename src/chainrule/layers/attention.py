"""Attention: every query takes a weighted mean of values, with weights from how well the keys fit it."""

from __future__ import annotations

import functools
import math
from dataclasses import KW_ONLY, dataclass
from typing import Any

import jax.numpy as jnp

from chainrule import initializers
from chainrule._base.checks import check_number, check_positive_int, owner_name
from chainrule._base.errors import ArgumentTypeError
from chainrule._base.registry import register_class
from chainrule._base.rng import Key
from chainrule._base.spec import Array, Initializer, Spec, Weight, shape_text
from chainrule._base.tree import Tree
from chainrule.core import Context, Layer, Variables
from chainrule.core.layer import Weights
from chainrule.layers._declare import (
    InitializerLike,
    RegularizerLike,
    along,
    check_rank,
    check_size,
    declare,
    known_size,
)
from chainrule.layers.dropout import Dropout
from chainrule.layers.masking import check_mask, select_rows
from chainrule.ops.attention import attend, causal_mask, masked_softmax
from chainrule.ops.linear import kernel_product

_INPUTS = ("query", "value", "key", "mask", "attention_mask")


@dataclass(frozen=True, eq=False)
class AttentionBase(Layer):
    """What the attention layers share: their inputs, masks and dropout.

    A layer is called as ``layer(query)`` (a sequence attends to itself), ``layer(query, value)`` or
    ``layer(query, value, key)``, and takes two masks as ordinary inputs, both true where a query may look: ``mask``
    ``[batch, keys]`` says which steps of the value are real (Keras's ``value_mask``), ``attention_mask``
    ``[batch, queries, keys]`` decides for each pair. A query that may look nowhere gets zeros (the bias, after an
    output projection), not NaN and not the mean of the padding. What stands in steps that ``mask`` leaves out has no
    effect.

    Args:
        dropout: share of the weights set to 0 in training.
        use_causal_mask: let a query see only the steps up to its own (an argument of the call in Keras).
        return_attention_scores: give the weights too, after the output.
        name: name in the model.
    """

    _: KW_ONLY
    dropout: float = 0.0
    use_causal_mask: bool = False
    return_attention_scores: bool = False
    name: str | None = None

    def __post_init__(self) -> None:
        check_number("dropout", self.dropout, self, at_least=0, below=1)

    @property
    def input_names(self) -> tuple[str, ...]:
        """``query``, ``value``, ``key``, ``mask`` and ``attention_mask``."""
        return _INPUTS

    def call(  # type: ignore[override]  # these inputs, of which all but the first may be left out
        self, params: Tree, query: Array, value: Array | None = None, key: Array | None = None, *masks: Array | None
    ) -> Any:  # Any: an array, or output and weights
        """The output, in inference; ``masks`` are ``mask`` and ``attention_mask``."""
        inputs = (query, value, key, *masks)
        return self.apply(Variables(params, {}), *inputs, context=Context())[0]  # type: ignore[arg-type]  # None: left out

    def apply(self, variables: Variables, *inputs: Array, context: Context) -> tuple[Any, Tree]:
        """The weighted means of the values, with dropout of the weights in training."""
        query, value, key, mask, attention_mask = (*inputs, None, None, None, None)[:5]
        assert query is not None
        value = query if value is None else value
        key = value if key is None else key
        for array in (query, value, key):
            check_rank(array, 3, self, exactly=True)
        if mask is not None:
            check_mask(mask, value, self)
            is_self = query is value
            value, key = (select_rows(mask, array, jnp.zeros((), array.dtype)) for array in (value, key))
            query = value if is_self else query
        queries, keys, values = self._prepare(variables.params, query, key, value)
        scores = self._scores(variables.params, queries, keys)
        allowed = self._allowed(scores, mask, attention_mask)
        weights = masked_softmax(scores, allowed).astype(values.dtype)
        thinned, _ = Dropout(self.dropout).apply(Variables({}, {}), weights, context=context)
        output = self._finish(variables.params, attend(thinned, values))
        return ((output, weights) if self.return_attention_scores else output), variables.state

    def _prepare(self, params: Tree, query: Array, key: Array, value: Array) -> tuple[Array, Array, Array]:
        """Queries, keys and values as scores and means take them."""
        del params  # the plain layers have no projections
        return query, key, value

    def _scores(self, params: Tree, queries: Array, keys: Array) -> Array:
        """How well each key fits each query, ``[batch, ..., queries, keys]``."""
        raise NotImplementedError

    def _finish(self, params: Tree, means: Array) -> Array:  # noqa: ARG002 - the plain layers have nothing to do
        return means

    def _allowed(self, scores: Array, mask: Array | None, attention_mask: Array | None) -> Array | None:
        """Where a query may look, to broadcast to ``scores``; ``None``: everywhere."""
        terms = []
        if mask is not None:
            terms.append(along(mask, (0, scores.ndim - 1), scores.ndim))
        if attention_mask is not None:
            if attention_mask.dtype != jnp.bool_ or attention_mask.ndim != 3:
                raise ArgumentTypeError(
                    f"{owner_name(self)}: attention_mask must hold booleans [batch, queries, keys]; received dtype "
                    f"{attention_mask.dtype}, shape {shape_text(Spec(attention_mask.shape, attention_mask.dtype))}. "
                    "For a mask of padding, [batch, keys], use mask."
                )
            terms.append(along(attention_mask, (0, scores.ndim - 2, scores.ndim - 1), scores.ndim))
        if self.use_causal_mask:
            causal = causal_mask(scores.shape[-2], scores.shape[-1])
            terms.append(along(causal, (scores.ndim - 2, scores.ndim - 1), scores.ndim))
        return functools.reduce(jnp.logical_and, terms) if terms else None


@register_class
@dataclass(frozen=True, eq=False)
class Attention(AttentionBase):
    """Dot-product attention, ``softmax(q kᵀ) v``; :class:`AttentionBase` describes inputs and masks.

    As in Keras the products are not divided by ``√d``; a learned ``scale`` may take that place.

    Args:
        use_scale: whether the scores are multiplied by the learned number ``scale``, which starts at 1.

    Shapes:
        query: [batch, queries, d]; value: [batch, keys, e]; key: [batch, keys, d] -> [batch, queries, e];
        weights: [batch, queries, keys].

    References:
        Luong, Pham, Manning, "Effective Approaches to Attention-based Neural Machine Translation", 2015,
        https://arxiv.org/abs/1508.04025, section 3.1 ("dot").

    Example:
        >>> import jax.numpy as jnp
        >>> query, key = jnp.array([[[0.0, 100.0]]]), jnp.array([[[1.0, 0.0], [0.0, 1.0]]])
        >>> Attention().call({}, query, jnp.array([[[5.0], [7.0]]]), key).tolist()
        [[[7.0]]]
    """

    use_scale: bool = False

    def weights(self, *_inputs: Spec) -> dict[str, Weight]:
        """``scale``, with ``use_scale``."""
        return {"scale": declare((), "ones")} if self.use_scale else {}

    def _scores(self, params: Tree, queries: Array, keys: Array) -> Array:
        check_size(keys, -1, queries.shape[-1], self)
        scores = queries @ jnp.swapaxes(keys, -1, -2)
        return scores * params["scale"] if self.use_scale else scores


@register_class
@dataclass(frozen=True, eq=False)
class AdditiveAttention(AttentionBase):
    """Bahdanau's attention, with scores ``Σ_d scale_d tanh(q_d + k_d)``; see :class:`AttentionBase` for the inputs.

    As in Keras the projections of query and key are not part of it; put a Dense before each.

    Args:
        use_scale: whether ``scale`` is learned; without it all its entries are 1.

    Shapes:
        query: [batch, queries, d]; value: [batch, keys, e]; key: [batch, keys, d] -> [batch, queries, e]; scale: [d].

    References:
        Bahdanau, Cho, Bengio, "Neural Machine Translation by Jointly Learning to Align and Translate", 2015,
        https://arxiv.org/abs/1409.0473, appendix A.1.2.

    Example:
        >>> from chainrule.core import Input
        >>> AdditiveAttention()(Input((2, 3)), Input((5, 3))).shape
        (b, 2, 3)
    """

    use_scale: bool = True

    def weights(self, query: Spec, *_rest: Spec) -> dict[str, Weight]:  # type: ignore[override]  # the query decides
        """``scale``, with ``use_scale``."""
        return {"scale": declare((known_size(query, -1, self),), "glorot_uniform")} if self.use_scale else {}

    def _scores(self, params: Tree, queries: Array, keys: Array) -> Array:
        check_size(keys, -1, queries.shape[-1], self)
        fits = jnp.tanh(queries[:, :, None] + keys[:, None])  # [batch, queries, keys, d]
        return fits @ params["scale"] if self.use_scale else jnp.sum(fits, axis=-1)


@register_class
@dataclass(frozen=True, eq=False)
class MultiHeadAttention(AttentionBase):
    """Several attentions side by side, ``softmax(Q Kᵀ / √key_dim) V`` in each head, joined by a linear map.

    Each head has its own linear maps of query, key and value. :class:`AttentionBase` describes inputs and masks.

    Args:
        num_heads: how many heads.
        key_dim: size of each head's queries and keys.
        value_dim: size of each head's values; by default ``key_dim``.
        use_bias: whether the four linear maps have biases.
        output_shape: size of the output; by default the query's.
        kernel_initializer: starting values of the four kernels, as matrices (Keras's fans of the same kernels differ,
            because it counts their three axes as those of a convolution).
        bias_initializer: starting values of the four biases.
        kernel_regularizer: penalty on each kernel.
        bias_regularizer: penalty on each bias.

    Shapes:
        query: [batch, queries, d]; value and key: [batch, keys, ...] -> [batch, queries, output_shape];
        weights: [batch, heads, queries, keys]; kernels of query, key, value: [in, heads, dim], of attention_output:
        [heads, value_dim, out].

    References:
        Vaswani et al., "Attention Is All You Need", 2017, https://arxiv.org/abs/1706.03762, section 3.2.

    Example:
        >>> from chainrule.core import Input
        >>> MultiHeadAttention(2, 4)(Input((7, 6))).shape
        (b, 7, 6)
    """

    num_heads: int
    key_dim: int
    value_dim: int | None = None
    _: KW_ONLY
    use_bias: bool = True
    output_shape: int | None = None
    kernel_initializer: InitializerLike = "glorot_uniform"
    bias_initializer: InitializerLike = "zeros"
    kernel_regularizer: RegularizerLike = None
    bias_regularizer: RegularizerLike = None

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("num_heads", "key_dim", "value_dim", "output_shape"):
            if getattr(self, name) is not None or name in ("num_heads", "key_dim"):
                check_positive_int(name, getattr(self, name), self)

    def weights(self, query: Spec, value: Spec | None = None, key: Spec | None = None, *_masks: Spec) -> Weights:  # type: ignore[override]  # masks have no weights
        """``kernel`` and ``bias`` under ``query``, ``key``, ``value`` and ``attention_output``."""
        value = query if value is None else value
        key = value if key is None else key
        sizes = [known_size(spec, -1, self) for spec in (query, key, value)]
        values = self.value_dim or self.key_dim
        out = self.output_shape or sizes[0]
        return {
            "query": self._linear((sizes[0],), (self.num_heads, self.key_dim)),
            "key": self._linear((sizes[1],), (self.num_heads, self.key_dim)),
            "value": self._linear((sizes[2],), (self.num_heads, values)),
            "attention_output": self._linear((self.num_heads, values), (out,)),
        }

    def _linear(self, ins: tuple[int, ...], outs: tuple[int, ...]) -> dict[str, Weight]:
        wanted = {"kernel": declare(ins + outs, _as_matrix(self.kernel_initializer, len(ins)), self.kernel_regularizer)}
        if self.use_bias:
            wanted["bias"] = declare(outs, self.bias_initializer, self.bias_regularizer)
        return wanted

    def _prepare(self, params: Tree, query: Array, key: Array, value: Array) -> tuple[Array, Array, Array]:
        arrays = {"query": query, "key": key, "value": value}
        made = {name: self._project(params[name], array) for name, array in arrays.items()}
        # The queries are the smaller side to scale: [queries, key_dim] instead of [queries, keys].
        return made["query"] / math.sqrt(self.key_dim), made["key"], made["value"]

    def _project(self, params: Tree, x: Array) -> Array:
        """``x @ kernel + bias`` as one product, then heads apart: ``[batch, heads, time, dim]``."""
        size, heads, dim = params["kernel"].shape
        check_size(x, -1, size, self)
        y = kernel_product(x, params["kernel"].reshape(size, heads * dim))
        if self.use_bias:
            y = y + params["bias"].reshape(1, 1, heads * dim)
        return jnp.swapaxes(y.reshape(*x.shape[:2], heads, dim), 1, 2)

    def _scores(self, params: Tree, queries: Array, keys: Array) -> Array:  # noqa: ARG002 - the projections had them
        return queries @ jnp.swapaxes(keys, -1, -2)

    def _finish(self, params: Tree, means: Array) -> Array:
        """Heads joined: ``[batch, heads, queries, dim] -> [batch, queries, out]``."""
        own = params["attention_output"]
        heads, dim, out = own["kernel"].shape
        joined = jnp.swapaxes(means, 1, 2).reshape(means.shape[0], means.shape[2], heads * dim)
        y = kernel_product(joined, own["kernel"].reshape(heads * dim, out))
        return y + along(own["bias"], (2,), 3) if self.use_bias else y


def _as_matrix(initializer: InitializerLike, num_inputs: int) -> Initializer:
    """``initializer`` on the matrix that a kernel is when its first ``num_inputs`` axes are one, and the rest too."""
    plain = initializers.get(initializer)

    def init(key: Key, shape: tuple[int, ...], dtype: Any = jnp.float32) -> Array:  # Any: a dtype
        matrix = (math.prod(shape[:num_inputs]), math.prod(shape[num_inputs:]))
        return plain(key, matrix, dtype).reshape(shape)

    return init
