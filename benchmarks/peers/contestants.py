"""Who is timed, at which settings, and in what each takes part."""

from dataclasses import dataclass, field

from benchmarks.workloads import AnyWorkload

# glibc then keeps freed memory instead of returning it, which spares a step thousands of page faults
TUNED = {"MALLOC_ARENA_MAX": "1", "MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": "-1"}
_LEARNING = ("train", "fit")
_NETS = ("step", "call")
_RECURRENT = ("lstm", "gru", "bilstm", "seq2seq", "transformer")
_TARGETS = ("lenet", "resnet20", "separable", "unet", "inception", "lstm", "gru")


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
        only: workloads it takes part in, if not in all of its kinds.
    """

    peer: str
    variant: str
    module: str
    kinds: tuple[str, ...]
    equal_work: bool = True
    environment: dict[str, str] = field(default_factory=dict, hash=False)
    only: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """Framework and setting."""
        return f"{self.peer}, {self.variant}"

    @property
    def command(self) -> list[str]:
        """What comes after ``python -m``: the module, or for networks the entry that imports it."""
        entry = f"{__package__}.{self.module}"
        return [f"{__package__}.net_main", self.module] if self.module.startswith("nets_") else [entry]


_KERAS = {"KERAS_BACKEND": "jax"}
_PERCEPTRONS = (
    Contestant("chainrule", "fit", "with_chainrule", _LEARNING),
    Contestant("chainrule", "fit, judged", "with_chainrule", ("fit",), equal_work=False),
    Contestant("chainrule", "single step", "with_chainrule", ("train",)),
    Contestant("chainrule", "predict", "with_chainrule", ("predict",)),
    Contestant("chainrule", "predict, inline", "with_chainrule", ("predict",)),
    Contestant("JAX + Optax", "shuffled scan", "with_optax", _LEARNING),
    Contestant("JAX + Optax", "scan", "with_optax", ("train",), equal_work=False),
    Contestant("JAX + Optax", "single step", "with_optax", ("train",)),
    Contestant("JAX + Optax", "predict", "with_optax", ("predict",)),
    Contestant("JAX + Optax", "predict, inline", "with_optax", ("predict",)),
    Contestant("PyTorch", "eager", "with_torch", ("train", "fit", "predict")),
    Contestant("PyTorch", "fused", "with_torch", _LEARNING, environment=TUNED),
    Contestant("PyTorch", "fused, 1 thread", "with_torch", _LEARNING, environment=TUNED),
    Contestant("PyTorch", "compiled", "with_torch", ("train", "fit", "predict"), environment=TUNED),
    Contestant("Keras on JAX", "1 step a call", "with_keras", _LEARNING, environment=_KERAS),
    Contestant("Keras on JAX", "16 steps a call", "with_keras", _LEARNING, environment=_KERAS),
    Contestant("Keras on JAX", "predict", "with_keras", ("predict",), environment=_KERAS),
    Contestant("scikit-learn", "MLPClassifier", "with_sklearn", ("train", "fit", "predict")),
)
_TF, _TORCH = ({"KERAS_BACKEND": name, "TF_CPP_MIN_LOG_LEVEL": "3"} for name in ("tensorflow", "torch"))
_NETWORKS = (
    Contestant("chainrule", "step", "nets_chainrule", ("step",)),
    Contestant("chainrule", "step, tuned malloc", "nets_chainrule", ("step",), environment=TUNED),
    Contestant("chainrule", "epoch", "nets_chainrule", ("step",)),
    Contestant("chainrule", "epoch, tuned malloc", "nets_chainrule", ("step",), environment=TUNED),
    Contestant("chainrule", "predict", "nets_chainrule", ("call",)),
    Contestant("chainrule", "predict, inline", "nets_chainrule", ("call",)),
    Contestant("JAX + Optax", "single step", "nets_jax", ("step",)),
    Contestant("JAX + Optax", "single step, tuned malloc", "nets_jax", ("step",), environment=TUNED, only=_TARGETS),
    Contestant("JAX + Optax", "scan", "nets_jax", ("step",), only=_RECURRENT),
    Contestant("JAX + Optax", "predict", "nets_jax", ("call",)),
    Contestant("JAX + Optax", "predict, inline", "nets_jax", ("call",)),
    Contestant("PyTorch", "eager", "nets_torch", _NETS),
    Contestant("PyTorch", "eager, tuned malloc", "nets_torch", ("step",), environment=TUNED, only=_TARGETS),
    Contestant("PyTorch", "channels last, fused", "nets_torch", ("step",)),
    Contestant("PyTorch", "channels last, fused, tuned malloc", "nets_torch", ("step",), environment=TUNED),
    Contestant("PyTorch", "channels last, tuned malloc", "nets_torch", ("call",), environment=TUNED),
    Contestant("PyTorch", "compiled", "nets_torch", ("step",), only=_TARGETS),
    Contestant("PyTorch", "compiled, tuned malloc", "nets_torch", _NETS, environment=TUNED),
    Contestant("Keras on TensorFlow", "fit", "nets_keras", ("step",), environment=_TF | TUNED),
    Contestant("Keras on TensorFlow", "predict", "nets_keras", ("call",), environment=_TF | TUNED),
    Contestant("Keras on JAX", "fit", "nets_keras", ("step",), environment=_KERAS | TUNED, only=_TARGETS),
    Contestant("Keras on PyTorch", "fit", "nets_keras", ("step",), environment=_TORCH | TUNED, only=_TARGETS),
)
CONTESTANTS = (*_PERCEPTRONS, *_NETWORKS)
REFERENCE = Contestant("JAX + Optax", "reference", "nets_jax", _NETS)


def entering(workload: AnyWorkload, names: tuple[str, ...] = ()) -> list[Contestant]:
    """Who takes part in ``workload``; with ``names``, only those whose label holds one of them."""
    wanted = [name.lower() for name in names]
    return [
        contestant
        for contestant in CONTESTANTS
        if workload.kind in contestant.kinds
        and (not contestant.only or workload.name in contestant.only)
        and (not wanted or any(name in contestant.label.lower() for name in wanted))
    ]
