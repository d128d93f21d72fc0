"""Where examples come from: files, folders, arrays and data frames."""

from chainrule.data.sources.images import Images, equal_images, is_image_source, read_images
from chainrule.data.sources.table import Table, read_table

__all__ = ["Images", "Table", "equal_images", "is_image_source", "read_images", "read_table"]
