"""Makes the reference computations importable by the tests of this folder; they hold no tests themselves."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
