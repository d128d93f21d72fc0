"""Advice on the batch size: a start, and which way to turn."""

from __future__ import annotations

from typing import NamedTuple

from chainrule._base.checks import check_positive_int

_START = 32


class BatchAdvice(NamedTuple):
    """What to pass to ``fit`` and ``compile``, and why.

    Args:
        batch_size: for ``fit(batch_size=...)``: examples of one micro-batch.
        accumulate: for ``compile(accumulate=...)``: micro-batches of one update.
        reason: the rules of thumb that led there.
    """

    batch_size: int
    accumulate: int
    reason: str


def advise_batch_size(
    examples: int,
    *,
    batch_size: int = _START,
    noisy: bool = False,
    stuck: bool = False,
    out_of_memory: bool = False,
) -> BatchAdvice:
    """Rules of thumb for the batch size: 32 to start with, larger if noisy, smaller if stuck or out of memory.

    This is advice, not fact: a larger batch averages the gradient's noise away (its standard error falls with the
    square root of the batch), a smaller one keeps noise that may carry the weights out of a flat or poor region, but
    no rule knows the best size. Try the neighbours on validation data, and tune the learning rate with them. Out of
    memory, there is a way that changes nothing else: smaller micro-batches whose gradients are added up before each
    update, which equals the full batch (but for dropout's masks and batch normalisation's statistics).

    Args:
        examples: number of training examples; no batch is larger.
        batch_size: the size in use now; 32 is the usual start for images.
        noisy: the training loss jumps from step to step.
        stuck: the training loss has stopped falling too early.
        out_of_memory: a step did not fit into memory.

    Returns:
        Double or half of ``batch_size``; asked for both, it stays.

    Raises:
        ArgumentError: ``examples`` or ``batch_size`` is not a whole number of at least 1.

    Example:
        >>> advise_batch_size(60_000).batch_size
        32
        >>> advise_batch_size(60_000, noisy=True).batch_size, advise_batch_size(60_000, stuck=True).batch_size
        (64, 16)
        >>> advise_batch_size(60_000, out_of_memory=True)[:2]
        (16, 2)

    References:
        Masters, D. and Luschi, C., "Revisiting Small Batch Training for Deep Neural Networks", 2018,
        https://arxiv.org/abs/1804.07612; McCandlish, S. et al., "An Empirical Model of Large-Batch Training", 2018,
        https://arxiv.org/abs/1812.06162 (when more examples a batch stop helping).
    """
    check_positive_int("examples", examples, "advise_batch_size")
    check_positive_int("batch_size", batch_size, "advise_batch_size")
    reasons = []
    size = batch_size
    if noisy:
        size, reasons = size * 2, ["a noisy gradient: a larger batch averages the noise away"]
    if stuck:
        size = -(-size // 2)
        reasons.append("training is stuck: a smaller batch is noisier and may get it out")
    if not reasons and not out_of_memory:
        reasons.append(f"{batch_size} is a usual size to start with" if batch_size == _START else "no reason to change")
    if size > examples:
        size = examples
        reasons.append(f"there are only {examples} examples")
    accumulate = 1
    if out_of_memory and size > 1:
        size, accumulate = -(-size // 2), 2
        reasons.append("out of memory: two micro-batches of half the size make one update")
    elif out_of_memory:
        reasons.append("out of memory with one example: make the model or its inputs smaller")
    return BatchAdvice(size, accumulate, "; ".join(reasons) + " (a rule of thumb: try its neighbours too)")
