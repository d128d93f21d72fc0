"""The text task: sentences, reviews and messages with classes.

>>> from chainrule.tasks.text import fit_text  # fit_text("reviews.csv", target="label")
"""

from chainrule.tasks.text.contributions import Explained, explain_answer, explain_source, explain_texts
from chainrule.tasks.text.fit import fit_text
from chainrule.tasks.text.preparation import TextPreparation
from chainrule.tasks.text.settings import TextSettings, default_settings

__all__ = [
    "Explained",
    "TextPreparation",
    "TextSettings",
    "default_settings",
    "explain_answer",
    "explain_source",
    "explain_texts",
    "fit_text",
]
