"""Who is timed, at which settings, and in what each takes part."""

from dataclasses import dataclass, field

from benchmarks.workloads import Workload

# glibc then keeps freed memory instead of returning it, which spares a step thousands of page faults
_TUNED = {"MALLOC_ARENA_MAX": "1", "MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": "-1"}
_LEARNING = ("train", "fit")


@dataclass(frozen=True)
class Contestant:
    """One framework at one setting.

    Args:
        peer: the framework, as it is called in the report; ``chainrule`` for our own.
        variant: the setting, handed to the module.
        module: module of :mod:`benchmarks.peers` that runs it.
        kinds: kinds of workloads it takes part in.
        equal_work: whether its time counts in the ratio; a variant that does less than the others is only shown.
        environment: environment variables of its process.
    """

    peer: str
    variant: str
    module: str
    kinds: tuple[str, ...]
    equal_work: bool = True
    environment: dict[str, str] = field(default_factory=dict, hash=False)

    @property
    def label(self) -> str:
        """Framework and setting."""
        return f"{self.peer}, {self.variant}"


_KERAS = {"KERAS_BACKEND": "jax"}
CONTESTANTS = (
    Contestant("chainrule", "fit", "with_chainrule", _LEARNING),
    Contestant("chainrule", "fit, judged", "with_chainrule", ("fit",), equal_work=False),
    Contestant("chainrule", "single step", "with_chainrule", ("train",)),
    Contestant("chainrule", "predict", "with_chainrule", ("predict",)),
    Contestant("JAX + Optax", "shuffled scan", "with_optax", _LEARNING),
    Contestant("JAX + Optax", "scan", "with_optax", ("train",), equal_work=False),
    Contestant("JAX + Optax", "single step", "with_optax", ("train",)),
    Contestant("JAX + Optax", "predict", "with_optax", ("predict",)),
    Contestant("PyTorch", "eager", "with_torch", ("train", "fit", "predict")),
    Contestant("PyTorch", "fused", "with_torch", _LEARNING, environment=_TUNED),
    Contestant("PyTorch", "fused, 1 thread", "with_torch", _LEARNING, environment=_TUNED),
    Contestant("PyTorch", "compiled", "with_torch", ("train", "fit", "predict"), environment=_TUNED),
    Contestant("Keras on JAX", "1 step a call", "with_keras", _LEARNING, environment=_KERAS),
    Contestant("Keras on JAX", "16 steps a call", "with_keras", _LEARNING, environment=_KERAS),
    Contestant("Keras on JAX", "predict", "with_keras", ("predict",), environment=_KERAS),
    Contestant("scikit-learn", "MLPClassifier", "with_sklearn", ("train", "fit", "predict")),
)


def entering(workload: Workload, names: tuple[str, ...] = ()) -> list[Contestant]:
    """Who takes part in ``workload``; with ``names``, only those whose label holds one of them."""
    wanted = [name.lower() for name in names]
    return [
        contestant
        for contestant in CONTESTANTS
        if workload.kind in contestant.kinds
        and (not wanted or any(name in contestant.label.lower() for name in wanted))
    ]
