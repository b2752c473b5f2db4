"""What can go wrong with the memory: each text is one sentence for a person, with the remedy."""


class MemoryUnusable(Exception):
    """The store cannot be opened or written as it lies there (damaged, not ours, newer, no space, no server)."""


class RecordRefused(Exception):
    """A record that is not kept, or cannot be read: too large, of an unknown kind or version, not a record at all."""


def first_line(error: BaseException) -> str:
    """What an error of another library says, short enough for a sentence."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
