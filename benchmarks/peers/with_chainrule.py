"""chainrule as a user drives it: ``model.fit``, ``model.predict``, and the pure training step under ``jax.jit``."""

import numpy as np

from benchmarks.peers.worker import Outcome, Runner, Task, dispatch_as_told, main, timed_calls, timed_epochs
from benchmarks.workloads import ADAM


def model_of(task: Task):
    """The network with the task's weights, compiled."""
    import chainrule as cr
    from chainrule.layers import Dense, Input
    from chainrule.losses import CrossEntropy
    from chainrule.optimizers import Adam

    first, *hidden, classes = task.workload.sizes
    model = cr.Sequential([Input(first), *(Dense(width, "relu") for width in hidden), Dense(classes)])
    optimizer = Adam(ADAM["rate"], beta_1=ADAM["beta_1"], beta_2=ADAM["beta_2"], epsilon=ADAM["epsilon"])
    model.compile(optimizer, CrossEntropy())
    model.set_weights(dict(zip(paths(task), task.weights, strict=True)))
    return model


def paths(task: Task) -> list[str]:
    """Where the weights stand in the model, kernel and bias of each layer."""
    names = ["dense", *(f"dense_{number}" for number in range(1, len(task.workload.sizes) - 1))]
    return [f"{name}/{kind}" for name in names for kind in ("kernel", "bias")]


class Learning:
    """``model.fit`` with the running loss, as the peers report it.

    ``fit, judged`` is the default, which judges the training examples after each epoch on the same weights.
    """

    def __init__(self, task: Task) -> None:
        import chainrule

        self.version = f"chainrule {chainrule.__version__}"
        self.task = task
        self.model = model_of(task)
        self.epochs: list[float] = []

    def first(self) -> Outcome:
        """One epoch; the order is the one the model's seed gives."""
        from chainrule.train.feed import Feed

        task = self.task
        self._fit(1)
        feed = Feed((task.x,), (task.labels,), None, min(task.workload.batch, len(task.x)))
        order = np.asarray(feed.epoch(self.model.state.key, 1).order)[: len(task.x)]
        found = self.model.get_weights()
        return Outcome([found[path] for path in paths(task)], order)

    def repeat(self) -> float:
        """Seconds of a whole call, or of a step in the epochs after the first of the call."""
        workload = self.task.workload
        if workload.kind == "fit":
            return timed_calls(lambda: self._fit(workload.epochs), 1)
        self._fit(workload.epochs + 1)
        return float(np.mean(self.epochs[1:])) / workload.steps

    def _fit(self, epochs: int) -> None:
        from chainrule.train.events import EpochEnd

        self.epochs = []

        def collect(event: object, _run: object) -> None:
            if isinstance(event, EpochEnd):
                self.epochs.append(event.seconds)

        task = self.task
        self.model.fit(
            task.x,
            task.labels,
            epochs=epochs,
            batch_size=task.workload.batch,
            verbose=0,
            callbacks=[collect],
            train_metrics="same" if task.variant == "fit, judged" else "running",
        )


class Stepping:
    """The pure step, one compiled call for each batch."""

    def __init__(self, task: Task) -> None:
        import jax

        import chainrule
        from chainrule.train import Batch, make_train_step

        self.version = f"chainrule {chainrule.__version__}"
        self.task = task
        model = model_of(task)
        self.state = jax.tree.map(lambda leaf: leaf.copy(), model.state)  # the model's own stay undonated
        self.step = jax.jit(make_train_step(model.graph, model.recipe), donate_argnums=0)
        rows = range(0, len(task.x), task.workload.batch)
        ones = np.ones(task.workload.batch, np.float32)
        self.batches = [
            jax.device_put(
                Batch(
                    (task.x[start : start + task.workload.batch],),
                    (task.labels[start : start + task.workload.batch],),
                    ones,
                )
            )
            for start in rows
        ]

    def first(self) -> Outcome:
        """One epoch, step by step."""
        from chainrule._base import tree as trees

        self._epoch()
        found = trees.flatten(self.state.params)
        return Outcome([np.asarray(found[path]) for path in paths(self.task)])

    def repeat(self) -> float:
        """Seconds of a step."""
        return timed_epochs(self._epoch, self.task.workload)

    def _epoch(self) -> None:
        for batch in self.batches:
            self.state, _ = self.step(self.state, batch)
        self.state.step.block_until_ready()


class Predicting:
    """``model.predict``: NumPy arrays in and out."""

    def __init__(self, task: Task) -> None:
        import chainrule

        self.version = f"chainrule {chainrule.__version__}"
        self.task = task
        self.model = model_of(task)

    def first(self) -> Outcome:
        """The logits of all rows."""
        return Outcome(outputs=self.model.predict(self.task.x))

    def repeat(self) -> float:
        """Seconds of a call."""
        return timed_calls(lambda: self.model.predict(self.task.x), self.task.workload.calls)


def prepare(task: Task) -> Runner:
    """The runner of the task's variant."""
    dispatch_as_told(task)
    if task.workload.kind == "predict":
        return Predicting(task)
    return Stepping(task) if task.variant == "single step" else Learning(task)


if __name__ == "__main__":
    main(prepare)
