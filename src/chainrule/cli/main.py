"""The ``chainrule`` command: its commands, its exit status, its messages.

Exit status: 0 done; 1 a fault of chainrule; 2 the user's input; 130 and 143 stopped by Ctrl-C and SIGTERM.
"""

from __future__ import annotations

import contextlib
import os
import platform
import sys
import warnings
from collections.abc import Sequence
from importlib.metadata import version

import click

from chainrule._base.errors import ChainruleError, ChainruleWarning
from chainrule.cli.cache import enable_cache
from chainrule.cli.devices import devices
from chainrule.cli.diagnose import diagnose
from chainrule.cli.evaluate import evaluate
from chainrule.cli.explain import explain
from chainrule.cli.fit import fit
from chainrule.cli.interrupts import Interrupts
from chainrule.cli.output import say
from chainrule.cli.predict import predict
from chainrule.cli.runs import runs

_EXAMPLE = """\b
Example:
  chainrule fit heart.csv --target disease
  chainrule predict runs/heart-20260101-120000 new.csv -o answers.csv
"""


@click.group(epilog=_EXAMPLE, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(
    version("chainrule"), message=f"chainrule {version('chainrule')}, Python {platform.python_version()}"
)
def chainrule() -> None:
    """From a raw table to a trained, judged and saved neural network."""


for _command in (fit, predict, evaluate, explain, diagnose, runs, devices):
    chainrule.add_command(_command)


def run(arguments: Sequence[str]) -> int:
    """Run the command line ``arguments`` and return the exit status."""
    warnings.simplefilter("default", ChainruleWarning)
    warnings.showwarning = _show_warning  # type: ignore[assignment]  # it takes what it needs of the arguments
    enable_cache()
    with Interrupts() as interrupts:
        try:
            outcome = chainrule.main(
                args=list(arguments),
                prog_name="chainrule",
                standalone_mode=False,
                obj={"arguments": list(arguments), "interrupts": interrupts},
            )
            return outcome if isinstance(outcome, int) else 0
        except (KeyboardInterrupt, click.Abort):
            say("stopped.")
            return interrupts.status
        except click.ClickException as error:
            error.show()
            return error.exit_code
        except ChainruleError as error:
            return _failed(error, f"error: {error}", 2)
        except BrokenPipeError:
            sys.stderr.close()  # the reader of our output has left; there is nobody to tell
            return 1
        except Exception as error:  # noqa: BLE001 - the edge: what gets here is our fault, and said so
            message = (
                f"error: chainrule failed ({type(error).__name__}: {error}). This is a fault of chainrule, not yours. "
                "For the traceback set CHAINRULE_DEBUG=1 and run the command again."
            )
            return _failed(error, message, 1)


def main() -> None:
    """The console script.

    It ends the process at once: every file is closed by then, and taking the interpreter's objects apart one by one
    would cost 0.3 s of the 4 s that a small ``fit`` takes.
    """
    status = run(sys.argv[1:])
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):  # its reader has left, or it is closed
            stream.flush()
    os._exit(status)


def _failed(error: Exception, message: str, status: int) -> int:
    if os.environ.get("CHAINRULE_DEBUG"):
        raise error
    say(message)
    for note in getattr(error, "__notes__", ()):
        say(note)
    return status


def _show_warning(message: Warning | str, category: type[Warning], *_: object) -> None:
    if issubclass(category, ChainruleWarning):
        say(f"warning: {message}")
