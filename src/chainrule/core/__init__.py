"""Layers, symbols, graphs and blocks: what every network is made of."""

from chainrule.core.block import Block
from chainrule.core.graph import Graph
from chainrule.core.layer import Context, Layer, Variables
from chainrule.core.symbol import Input, Node, Symbol
from chainrule.core.values import check_values

__all__ = ["Block", "Context", "Graph", "Input", "Layer", "Node", "Symbol", "Variables", "check_values"]
