"""Explanations in numbers: what a network computes, where each gradient comes from, and what descent does with it."""

from chainrule.explain.boundary import Boundary, boundary
from chainrule.explain.chain_rule import ChainRule, Factor, chain_rule
from chainrule.explain.check_gradients import GradientCheck, check_gradients
from chainrule.explain.connections import ConnectionCounts, connection_counts
from chainrule.explain.descent import DescentHistory, gradient_descent, random_normal
from chainrule.explain.forward import Forward, Row, forward
from chainrule.explain.gradient_norms import GradientNorms, gradient_norms
from chainrule.explain.landscape import Landscape, LossSlice, landscape, loss_slice
from chainrule.explain.linear import Affine, collapse_linear, feed_forward
from chainrule.explain.nudge import Nudge, nudge
from chainrule.explain.perceptron import Perceptron, PerceptronReport
from chainrule.explain.projection import Projection, projection, separability
from chainrule.explain.representations import Representation, representations

__all__ = [
    "Affine",
    "Boundary",
    "ChainRule",
    "ConnectionCounts",
    "DescentHistory",
    "Factor",
    "Forward",
    "GradientCheck",
    "GradientNorms",
    "Landscape",
    "LossSlice",
    "Nudge",
    "Perceptron",
    "PerceptronReport",
    "Projection",
    "Representation",
    "Row",
    "boundary",
    "chain_rule",
    "check_gradients",
    "collapse_linear",
    "connection_counts",
    "feed_forward",
    "forward",
    "gradient_descent",
    "gradient_norms",
    "landscape",
    "loss_slice",
    "nudge",
    "projection",
    "random_normal",
    "representations",
    "separability",
]
