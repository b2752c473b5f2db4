"""What a source holds and its reader does not see: how much of it was left out, told as notes for the report."""

from __future__ import annotations

from agents.clean import invisible


def notes_on(text: str, words: int = 0) -> tuple[str, ...]:
    """Notes on the invisible characters of a source's `text`, and on so many `words` left out of it as hidden."""
    characters = invisible(text)
    found = []
    if words:
        found.append(f"{_count(words, 'word')} that a reader does not see (comments, hidden or unreadable text) left out")
    if characters:
        found.append(f"{_count(characters, 'invisible character')} left out")
    return tuple(found)


def _count(n: int, what: str) -> str:
    return f"{n:,} {what}{'' if n == 1 else 's'}"
