"""The frameworks that are timed, each in a process of its own."""

from benchmarks.peers.contestants import CONTESTANTS, Contestant, entering

__all__ = ["CONTESTANTS", "Contestant", "entering"]
