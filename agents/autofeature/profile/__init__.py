"""The profile of a table: what its columns hold, how they move in time, and which of them know the label beforehand."""

from __future__ import annotations

from agents.autofeature.profile.document import document_of
from agents.autofeature.profile.model import ColumnProfile, Drift, Duplicates, Profile, Suspect, TaskProfile
from agents.autofeature.profile.profile import profile

__all__ = ["ColumnProfile", "Drift", "Duplicates", "Profile", "Suspect", "TaskProfile", "document_of", "profile"]
