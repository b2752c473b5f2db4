"""The share of stated mechanisms is counted against a reader's labels, not against what the engine made of a paper."""

from pathlib import Path

from bench.coverage import Covered, _stated, share
from paper_labels import SHARED_PAPERS, read_labels

LABELS = """
["a.txt"]
kinds = ["in_scope"]
states = [
  { what = "pairs of fields", by = ["fm", "inner_product"] },
  { what = "a deep network", by = ["dnn"] },
  { what = "something new", by = [] },
]
may = ["linear"]

["b.txt"]
kinds = ["survey"]
"""


def test_a_stated_mechanism_has_the_best_status_of_its_blocks(tmp_path: Path) -> None:
    (tmp_path / "labels.toml").write_text(LABELS)
    label = read_labels(tmp_path / "labels.toml")["a.txt"]
    statuses = _stated(
        label, {"fm": "simplified", "inner_product": "implemented", "linear": "implemented", "mmoe": "implemented"}
    )
    assert statuses == (("pairs of fields", "implemented"), ("a deep network", "missing"), ("something new", "missing"))
    assert label.right == {"fm", "inner_product", "dnn", "linear"}


def test_papers_of_other_fields_do_not_count() -> None:
    inside = Covered("a.txt", None, (("pairs", "implemented"), ("gate", "simplified"), ("new", "missing")), "tie", in_field=True)
    outside = Covered("b.txt", None, (("pairs", "missing"),), "out of scope")
    said = share([inside, outside])
    assert said == "2 papers, 1 of the field, with 3 stated mechanisms: 1 implemented, 1 simplified, 1 missing (33% implemented)."
    assert outside.row() == "| b.txt |  |  |  | out of scope |"


def test_the_shared_labels_read() -> None:
    labels = read_labels(SHARED_PAPERS)
    assert sum(bool(label.states) for label in labels.values()) > 30
    assert all(stated.what for label in labels.values() for stated in label.states)
