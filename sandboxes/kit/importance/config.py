"""What is asked of a trained model: which methods rank its fields, for which task, by how much work."""

from __future__ import annotations

from dataclasses import dataclass

NAMES = ("permutation", "shapley", "taylor", "gates")  # of the methods, in the order of the registry


@dataclass(frozen=True)
class ImportanceConfig:
    """`task` is meant by number. At most `rows` of valid whose label is known are looked at, evenly spaced. Each field is
    shuffled `repeats` times (permutation), and fields are revealed in so many `orders`, an even number (Shapley).
    """

    methods: tuple[str, ...] = NAMES
    task: int = 0
    rows: int = 20_000
    repeats: int = 5
    orders: int = 8

    def __post_init__(self) -> None:
        if min(self.rows, self.repeats - 1, self.orders) < 1 or self.orders % 2 or self.task < 0:
            raise ValueError(f"settings of importance out of range: {self}")
        if not self.methods or set(self.methods) - set(NAMES) or len(set(self.methods)) < len(self.methods):
            raise ValueError(f"methods are some of {', '.join(NAMES)}, each once; not {self.methods}")
