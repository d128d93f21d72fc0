"""Foundations that know nothing of neural networks."""
