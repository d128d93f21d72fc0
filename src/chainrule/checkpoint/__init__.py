"""Saving and loading: one safe file for arrays with their config, and a folder of such files by step."""

from chainrule.checkpoint.format import ModelFile, read_model, write_model
from chainrule.checkpoint.store import Checkpoint, CheckpointStore

__all__ = ["Checkpoint", "CheckpointStore", "ModelFile", "read_model", "write_model"]
