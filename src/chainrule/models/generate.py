"""Sequences made step by step, each token from those before it: greedy or drawn, in one compiled loop."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt

from chainrule._base.checks import check_int, check_number, check_positive_int, describe
from chainrule._base.errors import ArgumentTypeError, ShapeError
from chainrule._base.policy import Policy
from chainrule._base.rng import Key, root_key
from chainrule._base.spec import Array
from chainrule.core import Context, Graph, Variables
from chainrule.models.model import Model
from chainrule.train.step import forward

Tokens = npt.NDArray[np.int32]


def generate(
    model: Model,
    prompt: npt.ArrayLike,
    length: int,
    *,
    context: Sequence[npt.ArrayLike] = (),
    temperature: float = 0.0,
    end: int | None = None,
    seed: int = 0,
) -> Tokens:
    """Continue ``prompt`` by ``length`` tokens, each chosen from the model's logits at the step before.

    The model maps tokens ``[batch, time]`` to logits ``[batch, time, vocabulary]`` and must be causal: its logits at a
    step hang on that step and those before (recurrent layers, causal convolutions and attention). Every new token costs
    one pass over the whole sequence, so time grows with its square; for long sequences from a recurrent decoder
    :func:`decode` makes one cheap step a token.

    Args:
        model: its last input is the sequence so far; encoder-decoders have others before it.
        prompt: first tokens, ``[batch, time]`` with at least one step (a start token).
        length: how many tokens are added.
        context: the model's other inputs, in order (the sequence to translate, ...).
        temperature: 0 takes the most likely token; above, tokens are drawn from ``softmax(logits / temperature)``.
        end: a token after which a row holds only that token.
        seed: of the draws.

    Returns:
        The new tokens, ``[batch, length]``.

    Raises:
        ArgumentTypeError: the prompt does not hold integers.
        ShapeError: the prompt is empty, or the model's output is no ``[batch, time, vocabulary]``.

    Example:
        A model that always prefers the token after the last one (modulo 4):

        >>> import numpy as np
        >>> import chainrule as cr
        >>> from chainrule.layers import Embedding, Input
        >>> model = cr.Sequential([Input(None, dtype="int32"), Embedding(4, 4)])
        >>> model.set_weights({"embedding/embeddings": np.roll(np.eye(4), 1, axis=1)})
        >>> generate(model, [[2]], 5).tolist()
        [[3, 0, 1, 2, 3]]
    """
    _check_choice(length, temperature, end, seed)
    start = np.asarray(prompt)
    if not np.issubdtype(start.dtype, np.integer):
        raise ArgumentTypeError(f"generate: prompt must hold integers [batch, time]; received {describe(start)}.")
    if start.ndim != 2 or start.shape[1] == 0:
        raise ShapeError(
            f"generate: prompt must have shape [batch, time] with at least one step; received shape {start.shape}. "
            "Begin with a start token, [[1]]."
        )
    others = tuple(jnp.asarray(array) for array in context)
    room = np.zeros((len(start), length), np.int32)
    tokens = jnp.concatenate([start.astype(np.int32), room], axis=1)  # [batch, time + length]

    made = _filled(
        model.variables,
        others,
        tokens,
        root_key(seed),
        graph=model.graph,
        policy=model.policy,
        first=start.shape[1],
        temperature=temperature,
        end=end,
    )
    return np.asarray(made[:, start.shape[1] :])


@partial(jax.jit, static_argnames=("graph", "policy", "first", "temperature", "end"))
def _filled(
    variables: Variables,
    others: tuple[Array, ...],
    tokens: Array,
    key: Key,
    *,
    graph: Graph,
    policy: Policy,
    first: int,
    temperature: float,
    end: int | None,
) -> Array:
    """``tokens`` with every step from ``first`` on filled in from the logits of the step before."""

    def fill(step: Array, tokens: Array) -> Array:
        (logits, *_), _ = forward(graph, policy, variables, (*others, tokens), Context())
        if logits.ndim != 3 or logits.shape[:2] != tokens.shape:
            raise ShapeError(
                f"generate: the model must give logits [batch, time, vocabulary] for tokens {tokens.shape}; its output "
                f"has shape {logits.shape}. Let its recurrent layers return sequences."
            )
        here = jax.lax.dynamic_index_in_dim(logits, step - 1, axis=1, keepdims=False)
        chosen = choose(here, jax.random.fold_in(key, step), temperature)
        before = jax.lax.dynamic_index_in_dim(tokens, step - 1, axis=1, keepdims=False)
        chosen = chosen if end is None else jnp.where((before == end) & (step > first), end, chosen)
        updated: Array = jax.lax.dynamic_update_index_in_dim(tokens, chosen, step, axis=1)
        return updated

    filled: Array = jax.lax.fori_loop(first, tokens.shape[1], fill, tokens)
    return filled


def decode(
    step: Callable[[Any, Array], tuple[Array, Any]],
    carry: Any,
    start: Array,
    length: int,
    *,
    temperature: float = 0.0,
    end: int | None = None,
    seed: int = 0,
) -> Array:
    """Make ``length`` tokens with a step function that carries its own state: the loop of a recurrent decoder.

    Args:
        step: ``(carry, tokens [batch]) -> (logits [batch, vocabulary], carry)``.
        carry: state before the first step (``Any``: a tree of arrays), such as an encoder's last state.
        start: the tokens of the first step, ``[batch]``.
        length: how many tokens are made.
        temperature: 0 takes the most likely token; above, tokens are drawn from ``softmax(logits / temperature)``.
        end: a token after which a row holds only that token.
        seed: of the draws.

    Returns:
        The tokens made, ``[batch, length]``.

    Example:
        Counting down from the carry:

        >>> import jax, jax.numpy as jnp
        >>> step = lambda carry, tokens: (jax.nn.one_hot(carry, 9), carry - 1)
        >>> decode(step, jnp.array([7, 3]), jnp.array([0, 0]), 3).tolist()
        [[7, 6, 5], [3, 2, 1]]
    """
    _check_choice(length, temperature, end, seed)

    def one(state: Any, key: Key) -> tuple[Any, Array]:
        carry, tokens, is_over = state
        logits, carry = step(carry, tokens)
        chosen = choose(logits, key, temperature).astype(tokens.dtype)
        if end is not None:
            chosen = jnp.where(is_over, jnp.asarray(end, tokens.dtype), chosen)
            is_over = is_over | (chosen == end)
        return (carry, chosen, is_over), chosen

    state = (carry, start, jnp.zeros(start.shape, bool))
    _, made = jax.lax.scan(one, state, jax.random.split(root_key(seed), length))
    return jnp.swapaxes(made, 0, 1)


def choose(logits: Array, key: Key, temperature: float) -> Array:
    """A token for each row of ``logits``: the most likely one at temperature 0, else a draw.

    Shapes:
        logits: [batch, vocabulary] -> integers [batch].

    Example:
        >>> import jax, jax.numpy as jnp
        >>> choose(jnp.array([[0.0, 2.0, 1.0]]), jax.random.key(0), 0.0).tolist()
        [1]
    """
    if temperature == 0:
        return jnp.argmax(logits, axis=-1).astype(jnp.int32)
    return jax.random.categorical(key, logits / temperature, axis=-1).astype(jnp.int32)


def _check_choice(length: int, temperature: float, end: int | None, seed: int) -> None:
    check_positive_int("length", length, "generate")
    check_number("temperature", temperature, "generate", at_least=0)
    check_int("seed", seed, "generate", minimum=0)
    if end is not None:
        check_int("end", end, "generate", minimum=0)
