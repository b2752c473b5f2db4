"""What is asked of a trained model, and the words in which it answers: methods, units, and why a field has no score."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

# What a score of 1 would be, of each method in the order of the registry.
UNITS: Mapping[str, str] = {
    "permutation": "AUC lost",
    "shapley": "AUC added",
    "taylor": "nats a row",
    "gates": "a gate that is open at every price",
}
NAMES = tuple(UNITS)

Reason = Literal["draws", "not by row", "otherwise", "no gradient"]
SENTENCES: Mapping[Reason, str] = {
    "draws": "the model draws at random when it predicts, so that a field's effect cannot be told from chance row by row",
    "not by row": "what the model looks up does not belong to rows one by one, so that it cannot be mixed for this field alone",
    "otherwise": "the model uses it in other ways than by looking it up, and these cannot be mixed gradually",
    "no gradient": "the model's predictions have no gradient",
}


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
