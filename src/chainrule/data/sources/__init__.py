"""Where examples come from: files and data frames."""

from chainrule.data.sources.table import Table, read_table

__all__ = ["Table", "read_table"]
