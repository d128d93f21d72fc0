"""What went wrong, what went well, and what to do next."""

from chainrule.diagnose.verdict import ACTIONS, Verdict, diagnose
from chainrule.diagnose.words import MEANINGS

__all__ = [
    "ACTIONS",
    "MEANINGS",
    "Verdict",
    "diagnose",
]
