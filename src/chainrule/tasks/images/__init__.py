"""Images: a folder or file of labelled images becomes a trained, judged and saved classifier.

>>> from chainrule.tasks import fit_images  # fit_images("pets/"), fit_images((x, y))
"""

from chainrule.tasks.images.fitting import fit_images
from chainrule.tasks.images.preparation import ImagePreparation
from chainrule.tasks.images.settings import ImageConfig, default_images_config

__all__ = ["ImageConfig", "ImagePreparation", "default_images_config", "fit_images"]
