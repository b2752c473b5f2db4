"""The engine that a language model serves: the same protocol as the built-in one, every answer checked before it counts."""

from agents.autotrain.language_model.engine import LanguageModelEngine

__all__ = ["LanguageModelEngine"]
