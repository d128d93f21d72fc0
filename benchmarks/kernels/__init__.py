"""Times single convolutions, poolings and recurrences of ``chainrule.ops`` beside PyTorch and plain ``jax.lax``."""
