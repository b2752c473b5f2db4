"""Which fields of a data set are useful: methods that look at the data alone, one file and one line in `METHODS` each; those of a
trained model; and how far they agree."""

from collections.abc import Mapping

from agents.autofeature.selection.information_gain import information_gain
from agents.autofeature.selection.lasso import lasso
from agents.autofeature.selection.method import FieldScore, Method, NoRanking, Scores
from agents.autofeature.selection.tree_gain import tree_gain

METHODS: Mapping[str, Method] = {
    "information_gain": information_gain,
    "lasso": lasso,
    "tree_gain": tree_gain,
}

__all__ = ["METHODS", "FieldScore", "Method", "NoRanking", "Scores", "information_gain", "lasso", "tree_gain"]
