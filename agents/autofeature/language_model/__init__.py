"""A language model that proposes features besides the rules."""

from agents.autofeature.language_model.proposer import LanguageModelProposer

__all__ = ["LanguageModelProposer"]
