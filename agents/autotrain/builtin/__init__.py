"""The built-in engine: serves when no language model is configured, on any machine, without a network."""

from agents.autotrain.builtin.engine import BuiltinEngine

__all__ = ["BuiltinEngine"]
