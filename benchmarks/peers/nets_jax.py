"""The networks in plain JAX with Optax; also the float64 reference."""

import jax
import jax.numpy as jnp
import numpy as np
import optax

from benchmarks.peers.net_worker import Predicting, Stepping, batches
from benchmarks.peers.plain_jax import apply, mean_loss
from benchmarks.peers.worker import Outcome, Runner, Task, dispatch_as_told
from benchmarks.workloads import ADAM


class Training:
    """``optax.adam`` on the weights that are trained; running statistics are moved as frameworks do."""

    def __init__(self, task: Task, dtype: str = "float32") -> None:
        self.net = task.workload.build()
        arrays = {name: jnp.array(value, dtype) for name, value in task.weights.items()}
        self.fixed = {name: value for name, value in arrays.items() if "/moving" in name}
        params = {name: value for name, value in arrays.items() if name not in self.fixed}
        self.optimizer = optax.adam(ADAM["rate"], b1=ADAM["beta_1"], b2=ADAM["beta_2"], eps=ADAM["epsilon"])
        self.carry = (params, self.optimizer.init(params))
        floats = [tuple(x if x.dtype == np.int32 else x.astype(dtype) for x in inputs) for inputs, _ in batches(task)]
        self.batches = jax.device_put([(x, labels) for x, (_, labels) in zip(floats, batches(task), strict=True)])

    def step(self, carry, batch):
        """The pure step."""
        params, state = carry
        loss, gradients = jax.value_and_grad(lambda p: mean_loss(self.net, p | self.fixed, *batch))(params)
        updates, state = self.optimizer.update(gradients, state)
        return (optax.apply_updates(params, updates), state), loss


class Single(Stepping):
    """One compiled call for each step."""

    def __init__(self, task: Task) -> None:
        self.training = Training(task)
        self.compiled = None
        super().__init__(task, _version(), self._one, self.training.batches, compile=self._compile)
        self.jitted = jax.jit(self.training.step, donate_argnums=0)

    def _compile(self) -> None:
        self.compiled = self.jitted.lower(self.training.carry, self.training.batches[0]).compile()

    def _one(self, batch):
        self.training.carry, loss = self.compiled(self.training.carry, batch)
        return loss


class Scanned(Stepping):
    """The whole epoch as one compiled scan."""

    def __init__(self, task: Task) -> None:
        self.training = Training(task)
        stacked = jax.tree.map(lambda *parts: jnp.stack(parts), *self.training.batches)
        self.steps = len(self.training.batches)
        super().__init__(task, _version(), self._epoch_call, [stacked])
        self.pace.units = self.steps
        self.jitted = jax.jit(lambda carry, xs: jax.lax.scan(self.training.step, carry, xs), donate_argnums=0)

    def first(self) -> Outcome:
        """One epoch in one call."""
        return Outcome(losses=[float(loss) for loss in self._epoch_call(self.batches[0])])

    def _epoch_call(self, batch):
        self.training.carry, losses = self.jitted(self.training.carry, batch)
        return losses

    def _epoch(self) -> None:
        self._epoch_call(self.batches[0]).block_until_ready()


class Reference:
    """The truth: the same epoch, or the same prediction, in float64."""

    def __init__(self, task: Task) -> None:
        jax.config.update("jax_enable_x64", True)
        self.version, self.task = _version(), task

    def first(self) -> Outcome:
        """Losses, and those of weights that are never trained; or logits."""
        training = Training(self.task, "float64")
        params, _ = training.carry
        if self.task.workload.kind == "call":
            logits = apply(training.net, params | training.fixed, training.batches[0][0], training=False)
            return Outcome(outputs=np.asarray(logits))
        step, losses, untrained = jax.jit(training.step), [], []
        loss_of = jax.jit(lambda batch: mean_loss(training.net, params | training.fixed, *batch))
        for batch in training.batches:
            training.carry, loss = step(training.carry, batch)
            losses.append(float(loss))
            untrained.append(float(loss_of(batch)))
        return Outcome(losses=losses, untrained=untrained)

    def repeat(self) -> float:
        """Never timed."""
        return 0.0


def _version() -> str:
    return f"JAX {jax.__version__}, Optax {optax.__version__}"


def prepare(task: Task) -> Runner:
    """The runner of the task's variant."""
    dispatch_as_told(task)
    if task.variant == "reference":
        return Reference(task)
    if task.workload.kind == "call":
        return _predicting(task)
    return Scanned(task) if task.variant == "scan" else Single(task)


def _predicting(task: Task) -> Predicting:
    net, weights = task.workload.build(), jax.device_put(task.weights)
    call = jax.jit(lambda weights, inputs: apply(net, weights, inputs, training=False))
    return Predicting(task, _version(), lambda *inputs: np.asarray(call(weights, inputs)))
