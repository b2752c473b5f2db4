"""The metrics that models are judged and described by: how each is called in a sentence, and which way is up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from sandboxes.kit.ranking import CUTOFF, LONGEST

Metric = Literal["auc", "log_loss", "ndcg", "recall", "value"]  # what a verdict may rest on; all others are for information


@dataclass(frozen=True)
class Measure:
    """`words` name it within a sentence: "log loss", "nDCG@20"."""

    words: str
    higher_is_better: bool = True

    @property
    def heading(self) -> str:
        """The words as they begin a line: "Log loss", and "nDCG@20" as it is."""
        first = self.words.split()[0]
        return self.words[0].upper() + self.words[1:] if first.islower() else self.words

    @property
    def article(self) -> str:
        """What stands before the words: "an AUC", "a log loss", "an nDCG@20"."""
        return "an" if self.words.startswith(("A", "n")) else "a"


SHORT = CUTOFF // 2  # the cutoff that many papers report

MEASURES: Mapping[str, Measure] = MappingProxyType(
    {
        "auc": Measure("AUC"),
        "log_loss": Measure("log loss", higher_is_better=False),
        "group_auc": Measure("group AUC"),
        "ndcg": Measure(f"nDCG@{CUTOFF}"),
        "recall": Measure(f"recall@{CUTOFF}"),
        f"ndcg_at_{SHORT}": Measure(f"nDCG@{SHORT}"),
        f"recall_at_{SHORT}": Measure(f"recall@{SHORT}"),
        f"recall_at_{LONGEST}": Measure(f"recall@{LONGEST}"),
        "hit_rate": Measure(f"hit rate@{CUTOFF}"),
        f"hit_rate_at_{SHORT}": Measure(f"hit rate@{SHORT}"),
        "value": Measure("value"),
        "ips": Measure("value by IPS"),
        "logged_value": Measure("value as logged"),
        "effective_sample_size": Measure("effective sample size"),
        "coverage": Measure(f"items in a first {CUTOFF}"),
    }
)
