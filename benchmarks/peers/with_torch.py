"""PyTorch: eager as most programs write it, eager with the fused Adam, and compiled with the fused Adam.

All cores are used; one thread is tried too, since threads cost small networks more than they gain.
"""

import os

import numpy as np

from benchmarks.peers.worker import Outcome, Runner, Task, cut, main, timed_calls, timed_epochs
from benchmarks.workloads import ADAM


def network(task: Task):
    """The network with the task's weights."""
    import torch

    torch.set_num_threads(1 if "1 thread" in task.variant else os.cpu_count() or 1)
    layers = []
    for kernel, bias in zip(task.weights[::2], task.weights[1::2], strict=True):
        linear = torch.nn.Linear(*kernel.shape)
        with torch.no_grad():
            linear.weight.copy_(torch.from_numpy(kernel.T))
            linear.bias.copy_(torch.from_numpy(bias))
        layers += [linear, torch.nn.ReLU()]
    return torch.nn.Sequential(*layers[:-1])


class Learning:
    """One epoch is a gather into a random order and a step for each slice; faster than a ``DataLoader``."""

    def __init__(self, task: Task) -> None:
        import torch

        self.version = f"PyTorch {torch.__version__}"
        self.task = task
        self.x, self.labels = torch.from_numpy(task.x), torch.from_numpy(task.labels.astype(np.int64))
        self.model = network(task)
        self.optimizer = torch.optim.Adam(
            self.model.parameters(),
            lr=ADAM["rate"],
            betas=(ADAM["beta_1"], ADAM["beta_2"]),
            eps=ADAM["epsilon"],
            fused=None if task.variant == "eager" else True,
        )

        def loss(x, labels):
            return torch.nn.functional.cross_entropy(self.model(x), labels)

        self.loss = torch.compile(loss) if task.variant == "compiled" else loss

    def first(self) -> Outcome:
        """One epoch over the rows as they stand."""
        import torch

        self._epoch(self.x, self.labels)
        linear = [layer for layer in self.model if isinstance(layer, torch.nn.Linear)]
        return Outcome([a.detach().numpy() for layer in linear for a in (layer.weight.T, layer.bias)])

    def repeat(self) -> float:
        """Seconds of a step or a fit."""
        return timed_epochs(self._shuffled, self.task.workload)

    def _shuffled(self) -> None:
        import torch

        order = torch.randperm(len(self.x))
        self._epoch(self.x[order], self.labels[order])

    def _epoch(self, x, labels) -> None:
        for rows in cut(x, self.task.workload.batch):
            self.optimizer.zero_grad(set_to_none=True)
            loss = self.loss(x[rows], labels[rows])
            loss.backward()
            self.optimizer.step()
        loss.item()


class Predicting:
    """A forward pass in inference mode, NumPy arrays in and out."""

    def __init__(self, task: Task) -> None:
        import torch

        self.version = f"PyTorch {torch.__version__}"
        self.task = task
        model = network(task).eval()
        self.model = torch.compile(model) if task.variant == "compiled" else model

    def first(self) -> Outcome:
        """The logits of all rows."""
        return Outcome(outputs=self._predict())

    def repeat(self) -> float:
        """Seconds of a call."""
        return timed_calls(self._predict, self.task.workload.calls)

    def _predict(self) -> np.ndarray:
        import torch

        with torch.inference_mode():
            return self.model(torch.from_numpy(self.task.x)).numpy()


def prepare(task: Task) -> Runner:
    """The runner of the task's kind."""
    return Predicting(task) if task.workload.kind == "predict" else Learning(task)


if __name__ == "__main__":
    main(prepare)
