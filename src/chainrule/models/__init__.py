"""Models: a graph with weights, to compile, fit, evaluate, predict, save and load."""

from chainrule.models import zoo
from chainrule.models.generate import decode, generate
from chainrule.models.loading import load
from chainrule.models.mlp import mlp
from chainrule.models.model import Model
from chainrule.models.sequential import Sequential
from chainrule.models.stateful import reset_state
from chainrule.models.summary import Summary, summarize

__all__ = ["Model", "Sequential", "Summary", "decode", "generate", "load", "mlp", "reset_state", "summarize", "zoo"]
