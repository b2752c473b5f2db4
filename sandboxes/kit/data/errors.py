"""What can be wrong with a user's data."""


class DataError(Exception):
    """Data, a schema file or a data set's name cannot be used; the text is one sentence: what is wrong and what to do.

    The user's side is at fault, and trying again without a change gives the same.
    """
