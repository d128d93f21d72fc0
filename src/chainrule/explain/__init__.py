"""Explanations in numbers: what a network computes, where each gradient comes from, and what descent does with it."""

from chainrule.explain.boundary import Boundary, boundary
from chainrule.explain.chain_rule import ChainRule, Factor, chain_rule
from chainrule.explain.check_gradients import GradientCheck, check_gradients
from chainrule.explain.connections import ConnectionCounts, connection_counts
from chainrule.explain.convolution_settings import ConvolutionSettings, LayerSettings, convolution_settings
from chainrule.explain.descent import DescentHistory, gradient_descent, random_normal
from chainrule.explain.flip_check import FlipCheck, flip_check
from chainrule.explain.forward import Forward, Row, forward
from chainrule.explain.gates import Gates, gates
from chainrule.explain.gradient_norms import GradientNorms, gradient_norms
from chainrule.explain.im2col import Im2col, im2col
from chainrule.explain.landscape import Landscape, LossSlice, landscape, loss_slice
from chainrule.explain.linear import Affine, collapse_linear, feed_forward
from chainrule.explain.maximize_activation import Maximized, maximize_activation
from chainrule.explain.nudge import Nudge, nudge
from chainrule.explain.output_size import OutputSize, output_size, transposed_output_size
from chainrule.explain.perceptron import Perceptron, PerceptronReport
from chainrule.explain.projection import Projection, projection, separability
from chainrule.explain.receptive_field import ReceptiveField, effective_field, receptive_field
from chainrule.explain.representations import Representation, representations

__all__ = [
    "Affine",
    "Boundary",
    "ChainRule",
    "ConnectionCounts",
    "ConvolutionSettings",
    "DescentHistory",
    "Factor",
    "FlipCheck",
    "Forward",
    "Gates",
    "GradientCheck",
    "GradientNorms",
    "Im2col",
    "Landscape",
    "LayerSettings",
    "LossSlice",
    "Maximized",
    "Nudge",
    "OutputSize",
    "Perceptron",
    "PerceptronReport",
    "Projection",
    "ReceptiveField",
    "Representation",
    "Row",
    "boundary",
    "chain_rule",
    "check_gradients",
    "collapse_linear",
    "connection_counts",
    "convolution_settings",
    "effective_field",
    "feed_forward",
    "flip_check",
    "forward",
    "gates",
    "gradient_descent",
    "gradient_norms",
    "im2col",
    "landscape",
    "loss_slice",
    "maximize_activation",
    "nudge",
    "output_size",
    "projection",
    "random_normal",
    "receptive_field",
    "representations",
    "separability",
    "transposed_output_size",
]
