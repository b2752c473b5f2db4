"""How important each field is to a trained model: methods, one file and one line in `METHODS` each (and its unit in `config`)."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping

from sandboxes.kit.importance.asked import Answer, Asked, Importance, asked_of
from sandboxes.kit.importance.config import ImportanceConfig
from sandboxes.kit.importance.gates import gates
from sandboxes.kit.importance.permutation import permutation
from sandboxes.kit.importance.shapley import shapley
from sandboxes.kit.importance.taylor import taylor

METHODS: Mapping[str, Importance] = {
    "permutation": permutation,
    "shapley": shapley,
    "taylor": taylor,
    "gates": gates,
}

__all__ = ["METHODS", "Answer", "Asked", "Importance", "ImportanceConfig", "answers", "asked_of"]


def answers(asked: Asked) -> Iterator[dict[str, object]]:
    """What each of the methods asked for says, as JSON can hold it, one by one."""
    for name in asked.config.methods:
        began = time.monotonic()
        answer = METHODS[name](asked)
        rows = [{"field": f, "score": score, "standard_error": answer.errors.get(f)} for f, score in answer.scores.items()]
        yield {
            "method": name,
            "fields": rows,
            "unscored": answer.unscored,
            "seconds": time.monotonic() - began,
        }
