"""The networks in chainrule: the pure training step as one compiled call, and inside the compiled epoch of ``fit``."""

import jax
import numpy as np

import chainrule
from benchmarks.peers.functional import connect, weights_by_layer
from benchmarks.peers.net_worker import Predicting, Stepping, batches
from benchmarks.peers.worker import Outcome, Runner, Task, dispatch_as_told
from benchmarks.workloads import ADAM
from chainrule import layers
from chainrule.losses import CrossEntropy
from chainrule.optimizers import Adam
from chainrule.train import Batch, make_train_step
from chainrule.train.feed import EpochView, Feed, Layout


def _convolve(layer, x, window, stride, *filters, **options):
    return layer(*filters, window, strides=stride, padding=window // 2, **options)(x)


def network(task: Task) -> chainrule.Model:
    """The network with the task's weights, compiled."""
    net = task.workload.build()
    model = chainrule.Model(*connect(net, layers, _convolve, fused=True))
    optimizer = Adam(ADAM["rate"], beta_1=ADAM["beta_1"], beta_2=ADAM["beta_2"], epsilon=ADAM["epsilon"])
    model.compile(optimizer, CrossEntropy())
    arrays = weights_by_layer(net, task.weights)
    model.set_weights({f"{layer}/{name}": array for layer, own in arrays.items() for name, array in own.items()})
    return model


def _version() -> str:
    return f"chainrule {chainrule.__version__}"


class Single(Stepping):
    """One compiled call for each step, on states that are donated."""

    def __init__(self, task: Task) -> None:
        model = network(task)
        self.state = jax.tree.map(lambda leaf: leaf.copy(), model.state)
        self.jitted = jax.jit(make_train_step(model.graph, model.recipe), donate_argnums=0)
        ones = np.ones(task.workload.batch, np.float32)
        prepared = [jax.device_put(Batch(inputs, (labels,), ones)) for inputs, labels in batches(task)]
        super().__init__(task, _version(), self._one, prepared, compile=self._compile)

    def _compile(self) -> None:
        self.jitted = self.jitted.lower(self.state, self.batches[0]).compile()

    def _one(self, batch: Batch) -> jax.Array:
        self.state, logs = self.jitted(self.state, batch)
        return logs.loss_sum / logs.weight


STEPS = 16  # of a timed epoch at least; real ones have hundreds, so that what a call costs by itself does not count


class Chunked(Stepping):
    """The compiled epoch of ``fit``: a loop over the same step, the batches in their order, again and again."""

    def __init__(self, task: Task) -> None:
        model = network(task)
        workload = task.workload
        self.engine, self.state = model.engine, model.state
        passes = -(-STEPS // workload.steps)
        inputs = tuple(np.concatenate([array] * passes) for array in task.x)
        feed = Feed(inputs, (np.concatenate([task.labels] * passes),), None, workload.batch)
        order = np.arange(workload.rows * passes, dtype=np.int32)
        layout = Layout(workload.batch, order.size, feed.uniform, feed.gathers)
        self.view = jax.device_put(EpochView(feed.data, order, ()))._replace(layout=layout)
        super().__init__(task, _version(), lambda step: self._run(step, step + 1), range(workload.steps))
        self.pace.units = workload.steps * passes

    def first(self) -> Outcome:
        """One epoch, step by step, of the function that runs whole epochs."""
        return Outcome(losses=[float(self.step(number)) for number in self.batches])

    def _run(self, start: int, stop: int) -> jax.Array:
        self.state, logs = self.engine.run_chunk(self.state, self.view, start, stop)
        return logs.loss_sum / logs.weight

    def _epoch(self) -> None:
        self._run(0, self.pace.units).block_until_ready()


def prepare(task: Task) -> Runner:
    """The runner of the task's variant."""
    dispatch_as_told(task)
    if task.workload.kind == "call":
        return Predicting(task, _version(), network(task).predict)
    return Chunked(task) if "epoch" in task.variant else Single(task)
