"""Figures: one a function, from plain arrays; nothing is computed here.

Every function returns a :class:`matplotlib.figure.Figure`; :func:`save` writes it as PNG, SVG or PDF and :func:`svg`
gives the text to put into an HTML page. ``import chainrule`` does not import this package: Matplotlib is dear.
"""

from chainrule.figures.classification import (
    calibration_curve,
    confusion_matrix,
    precision_recall_curve,
    roc_curve,
    softmax_bars,
)
from chainrule.figures.comparison import baseline_comparison, permutation_importance
from chainrule.figures.connections import connectivity
from chainrule.figures.convolution import convolution_frames, convolution_window, im2col, pooling_grid
from chainrule.figures.data import class_counts, histogram, kfold_grid, split_bar
from chainrule.figures.depth import projections, representations
from chainrule.figures.feature_maps import feature_maps, filters, receptive_fields
from chainrule.figures.feedback import feedback_loop
from chainrule.figures.functions import activation_curves, bias_comparison
from chainrule.figures.gradients import chain_rule
from chainrule.figures.images import augmentation_sheet, class_examples, heat_over, image_grid
from chainrule.figures.landscape import contour_path, decision_regions, descent_1d, descent_frames
from chainrule.figures.networks import dropout_masks, network_diagram, neuron_diagram
from chainrule.figures.output import save, svg
from chainrule.figures.recurrent import gates, unrolled
from chainrule.figures.regression import capacity_triple, predicted_vs_actual, regression_fit, residuals
from chainrule.figures.text import telling_words
from chainrule.figures.training import (
    accumulation_timeline,
    gradient_norms,
    learning_curves,
    learning_rates,
    rate_finder,
    schedule,
)

__all__ = [
    "accumulation_timeline",
    "activation_curves",
    "augmentation_sheet",
    "baseline_comparison",
    "bias_comparison",
    "calibration_curve",
    "capacity_triple",
    "chain_rule",
    "class_counts",
    "class_examples",
    "confusion_matrix",
    "connectivity",
    "contour_path",
    "convolution_frames",
    "convolution_window",
    "decision_regions",
    "descent_1d",
    "descent_frames",
    "dropout_masks",
    "feature_maps",
    "feedback_loop",
    "filters",
    "gates",
    "gradient_norms",
    "heat_over",
    "histogram",
    "im2col",
    "image_grid",
    "kfold_grid",
    "learning_curves",
    "learning_rates",
    "network_diagram",
    "neuron_diagram",
    "permutation_importance",
    "pooling_grid",
    "precision_recall_curve",
    "predicted_vs_actual",
    "projections",
    "rate_finder",
    "receptive_fields",
    "regression_fit",
    "representations",
    "residuals",
    "roc_curve",
    "save",
    "schedule",
    "softmax_bars",
    "split_bar",
    "svg",
    "telling_words",
    "unrolled",
]
