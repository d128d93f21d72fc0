"""Plain JAX with Optax, written as someone who knows both writes it: the epoch as one compiled scan.

``shuffled scan`` permutes and gathers the rows of each epoch inside the compiled call, as any training does;
``scan`` leaves that out and takes the rows as they stand.
"""

import numpy as np

from benchmarks.peers.worker import Outcome, Runner, Task, dispatch_as_told, main, timed_calls, timed_epochs
from benchmarks.workloads import ADAM


def apply(params, x):
    """The logits."""
    import jax

    *hidden, (kernel, bias) = params
    for inner_kernel, inner_bias in hidden:
        x = jax.nn.relu(x @ inner_kernel + inner_bias)
    return x @ kernel + bias


def pairs(weights):
    """``[kernel, bias, ...]`` as ``[(kernel, bias), ...]`` on the device; always copies."""
    import jax.numpy as jnp

    arrays = [jnp.array(weight) for weight in weights]
    return list(zip(arrays[::2], arrays[1::2], strict=True))


def step_of():
    """``(optimizer, step)`` with ``step(carry, batch) -> (carry, loss)``."""
    import jax
    import optax

    optimizer = optax.adam(ADAM["rate"], b1=ADAM["beta_1"], b2=ADAM["beta_2"], eps=ADAM["epsilon"])

    def loss(params, x, labels):
        return optax.softmax_cross_entropy_with_integer_labels(apply(params, x), labels).mean()

    def step(carry, batch):
        params, state = carry
        value, gradients = jax.value_and_grad(loss)(params, *batch)
        updates, state = optimizer.update(gradients, state)
        return (optax.apply_updates(params, updates), state), value

    return optimizer, step


class Learning:
    """Epochs as one compiled call each, or as one compiled call for each batch."""

    def __init__(self, task: Task) -> None:
        import jax
        import optax

        self.version = f"JAX {jax.__version__}, Optax {optax.__version__}"
        self.task = task
        self.x, self.labels = jax.device_put(task.x), jax.device_put(task.labels)
        optimizer, self.pure_step = step_of()
        params = pairs(task.weights)
        self.carry = (params, optimizer.init(params))
        self.key, self.number = jax.random.key(0), 0
        self.shuffles = task.variant == "shuffled scan"
        if task.variant == "single step":
            self.step = jax.jit(self.pure_step, donate_argnums=0)
            batch, rows = task.workload.batch, range(0, len(task.x), task.workload.batch)
            self.batches = [(self.x[start : start + batch], self.labels[start : start + batch]) for start in rows]
        else:
            self.epoch = jax.jit(self._scanned, donate_argnums=0)

    def first(self) -> Outcome:
        """One epoch."""
        import jax

        order = None
        if self.shuffles:
            order = np.asarray(jax.random.permutation(jax.random.fold_in(self.key, 0), len(self.task.x)))
        self._epoch()
        return Outcome([np.asarray(leaf) for pair in self.carry[0] for leaf in pair], order)

    def repeat(self) -> float:
        """Seconds of a step or a fit; the loss of every epoch is fetched, as a history needs it."""
        return timed_epochs(self._epoch, self.task.workload)

    def _epoch(self) -> None:
        if self.task.variant == "single step":
            for batch in self.batches:
                self.carry, loss = self.step(self.carry, batch)
        else:
            self.carry, loss = self.epoch(self.carry, self.x, self.labels, self.key, self.number)
        self.number += 1
        float(loss)

    def _scanned(self, carry, x, labels, key, number):
        import jax
        import jax.numpy as jnp

        if self.shuffles:
            order = jax.random.permutation(jax.random.fold_in(key, number), len(x))
            x, labels = x[order], labels[order]
        batch = self.task.workload.batch
        whole = len(x) // batch * batch
        batches = x[:whole].reshape(-1, batch, x.shape[1]), labels[:whole].reshape(-1, batch)
        carry, losses = jax.lax.scan(self.pure_step, carry, batches)
        total = losses.sum() * batch
        if whole < len(x):
            carry, last = self.pure_step(carry, (x[whole:], labels[whole:]))
            total += last * (len(x) - whole)
        return carry, jnp.asarray(total / len(x))


class Predicting:
    """A jitted forward pass, NumPy arrays in and out."""

    def __init__(self, task: Task) -> None:
        import jax

        self.version = f"JAX {jax.__version__}"
        self.task = task
        self.params = pairs(task.weights)
        self.apply = jax.jit(apply)

    def first(self) -> Outcome:
        """The logits of all rows."""
        return Outcome(outputs=np.asarray(self.apply(self.params, self.task.x)))

    def repeat(self) -> float:
        """Seconds of a call."""
        return timed_calls(lambda: np.asarray(self.apply(self.params, self.task.x)), self.task.workload.calls)


def prepare(task: Task) -> Runner:
    """The runner of the task's variant."""
    dispatch_as_told(task)
    return Predicting(task) if task.workload.kind == "predict" else Learning(task)


if __name__ == "__main__":
    main(prepare)
