"""Results that the built-in reading takes from a paper's tables: a value, its metric with its cutoff, and the best rival's."""

from __future__ import annotations

import pytest

from agents.autotrain.builtin.claims import read_claims
from agents.autotrain.paper import Paper, Table


def claims(
    header: tuple[str, ...], *rows: tuple[str, ...], caption: str = "Results on Yelp"
) -> dict[str, tuple[float, str, float | None]]:
    paper = Paper(title="", source="", format="text", text="", tables=(Table(caption=caption, rows=(header, *rows)),))
    return {c.metric: (c.value, c.baseline, c.baseline_value) for c in read_claims(paper, (), ("Walker",))}


def test_lists_are_measured_by_metrics_with_a_cutoff() -> None:
    found = claims(
        ("Model", "Recall@20", "NDCG@20", "NDCG@10", "HR@10", "Hit ratio@5"),
        ("BPR", "0.0601", "0.0502", "0.0403", "0.3004", "0.2005"),
        ("GCN", "0.0611", "0.0492", "0.0413", "0.2904", "0.2105"),
        ("Walker (ours)", "0.0701", "0.0602", "0.0503", "0.3504", "0.2505"),
    )
    assert found == {
        "recall@20": (0.0701, "GCN", 0.0611),
        "nDCG@20": (0.0602, "BPR", 0.0502),
        "nDCG@10": (0.0503, "GCN", 0.0413),
        "hit rate@10": (0.3504, "BPR", 0.3004),
        "hit rate@5": (0.2505, "GCN", 0.2105),
    }


@pytest.mark.parametrize("heading", ["NDCG", "NDCG@10 / NDCG@20", "Recall@10 and HR@10", "Precision@10"])
def test_without_one_certain_metric_and_cutoff_nothing_is_claimed(heading: str) -> None:
    assert claims(("Model", heading), ("BPR", "0.0502"), ("Walker", "0.0602")) == {}


def test_metrics_of_labels_need_no_cutoff() -> None:
    found = claims(("Model", "AUC", "Logloss"), ("DNN", "0.7801", "0.4502"), ("Walker", "0.7911", "0.4401"), caption="Criteo")
    assert found == {"AUC": (0.7911, "DNN", 0.7801), "log loss": (0.4401, "DNN", 0.4502)}
