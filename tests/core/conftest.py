"""Makes the small layers importable by the tests of this folder; they hold no tests themselves."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
collect_ignore = ["small_layers.py"]  # collected as a module for doctests, it would register its classes twice
