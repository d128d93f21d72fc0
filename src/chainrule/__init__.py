"""chainrule: a small, typed deep-learning framework on JAX."""

__version__ = "0.1.0"
