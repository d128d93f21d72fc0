"""Every example runs in a fresh process, within a minute, and prints what it promises."""

import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"


def run(name):
    done = subprocess.run(
        [sys.executable, "-W", "error", str(EXAMPLES / name)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_single_neuron_learns_in_a_thousand_epochs():
    """C90 C91: the five-step neuron, 1,000 epochs, and the answer to an input it never saw."""
    output = run("single_neuron.py")
    assert "epoch  1000" in output
    assert float(output.split("[1, 0, 0] → ")[1]) > 0.95


def test_backprop_by_hand_prints_the_chain_rule():
    """C85: every factor, the product, and the same from autodiff, a nudge and differences."""
    output = run("backprop_by_hand.py")
    assert "∂J/∂w = ∂J/∂ŝ · ∂ŝ/∂z₂ · ∂z₂/∂h₁[0] · ∂h₁[0]/∂z₁[0] · ∂z₁[0]/∂w" in output
    assert "gradients are right" in output


def test_shapes_are_learned_from_a_folder_and_answered_by_the_saved_model():
    output = run("shapes.py")
    assert float(output.split("accuracy ")[1].split()[0]) >= 0.85
    assert output.count(": circle") + output.count(": square") == 6


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.py")), ids=lambda path: path.name)
def test_examples_are_short(path):
    assert len(path.read_text().splitlines()) <= 80
