"""Functions from array to array; every numerical trick lives here, with its reference.

They work in anybody's JAX code. On a CPU the convolutions, poolings and recurrences run in compiled kernels of our own,
elsewhere in plain JAX.
"""

from chainrule.ops.convolution import conv, conv_transpose
from chainrule.ops.depthwise import depthwise_conv
from chainrule.ops.pooling import avg_pool, max_pool
from chainrule.ops.pooling_adaptive import adaptive_avg_pool, adaptive_max_pool
from chainrule.ops.recurrent import gru, lstm, simple_rnn

__all__ = [
    "adaptive_avg_pool",
    "adaptive_max_pool",
    "avg_pool",
    "conv",
    "conv_transpose",
    "depthwise_conv",
    "gru",
    "lstm",
    "max_pool",
    "simple_rnn",
]
