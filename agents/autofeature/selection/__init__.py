"""Which fields of a data set are useful: methods that look at the data alone, one file and one line in `METHODS` each; those of a
trained model; and how far they agree."""

from collections.abc import Mapping

from agents.autofeature.selection.agreement import Agreement, agreement
from agents.autofeature.selection.consensus import Consensus, ConsensusRow, consensus
from agents.autofeature.selection.information_gain import information_gain
from agents.autofeature.selection.lasso import lasso
from agents.autofeature.selection.method import FieldScore, Method, NoRanking, Scores
from agents.autofeature.selection.of_model import OfModel, scores_of
from agents.autofeature.selection.stability import Stability, stability
from agents.autofeature.selection.tree_gain import tree_gain

METHODS: Mapping[str, Method] = {
    "information_gain": information_gain,
    "lasso": lasso,
    "tree_gain": tree_gain,
}

__all__ = [
    "METHODS",
    "Agreement",
    "Consensus",
    "ConsensusRow",
    "FieldScore",
    "Method",
    "NoRanking",
    "OfModel",
    "Scores",
    "Stability",
    "agreement",
    "consensus",
    "information_gain",
    "lasso",
    "scores_of",
    "stability",
    "tree_gain",
]
