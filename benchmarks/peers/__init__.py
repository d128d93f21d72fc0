"""The frameworks that are timed, each in a process of its own."""

from benchmarks.peers.contestants import CONTESTANTS, REFERENCE, Contestant, entering

__all__ = ["CONTESTANTS", "REFERENCE", "Contestant", "entering"]
