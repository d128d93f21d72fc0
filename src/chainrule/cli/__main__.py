"""``python -m chainrule.cli``: the same as ``chainrule``."""

from chainrule.cli.main import main

main()
