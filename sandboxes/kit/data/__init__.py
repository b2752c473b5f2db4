"""Prepared data: opening it on the host (`Prepared`) and reading it in the sandbox (`arrays.load_split`).

Making it (`prepare`) needs Polars and is imported from `sandboxes.kit.data.prepare`, so that the sandbox does without.
"""

from sandboxes.kit.data.errors import DataError
from sandboxes.kit.data.prepared import LeakCheck, Prepared

__all__ = ["DataError", "LeakCheck", "Prepared"]
