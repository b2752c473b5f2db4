"""Permutation importance: the AUC lost when a field's column is shuffled over rows (Breiman 2001; Fisher et al., JMLR 2019)."""

from __future__ import annotations

import numpy as np

from sandboxes.kit.importance.asked import Answer, Asked
from sandboxes.kit.importance.mixing import mixed


def permutation(asked: Asked) -> Answer:
    """The mean over shuffles, and its error as far as shuffles go: rows and model are the same in all. By chance below 0."""
    whole, generator, rows = asked.auc(asked.rows), asked.generator(), asked.rows
    orders = [asked.shuffle(generator) for _ in range(asked.config.repeats)]  # the same ones for every field
    drops = {
        name: [whole - asked.auc(mixed(rows, rows[order], {name}, asked.schema)) for order in orders] for name in asked.varied
    }
    scores, errors = dict.fromkeys(asked.fields, 0.0), dict.fromkeys(asked.fields, 0.0)
    return Answer(
        scores=scores | {name: float(np.mean(found)) for name, found in drops.items()},
        errors=errors | {name: float(np.std(found, ddof=1) / np.sqrt(len(found))) for name, found in drops.items()},
    )
