"""The kit's reference models, by name: the baselines of every comparison. A model is one file and one line, in `MODELS` where it
predicts labels, in `ITEM_MODELS` where it predicts items, in `POLICY_MODELS` where it predicts actions.

A model without a history block of its own takes each history as one more field, its mean vector, so that no baseline is
starved of what a candidate sees.
"""

from collections.abc import Mapping

from torch import nn

from sandboxes.kit.models.akt import AKT
from sandboxes.kit.models.autoint import AutoInt
from sandboxes.kit.models.best_fixed_action import BestFixedAction
from sandboxes.kit.models.bst import BST
from sandboxes.kit.models.coded_sasrec import CodedSASRec
from sandboxes.kit.models.dcn import DCN
from sandboxes.kit.models.dcnv2 import DCNv2
from sandboxes.kit.models.deepfm import DeepFM
from sandboxes.kit.models.delay_weighted import DelayWeighted
from sandboxes.kit.models.delayed_feedback import DelayedFeedback
from sandboxes.kit.models.dien import DIEN
from sandboxes.kit.models.din import DIN
from sandboxes.kit.models.direct_method import DirectMethod
from sandboxes.kit.models.dkt import DKT
from sandboxes.kit.models.dnn import DNN
from sandboxes.kit.models.doubly_robust import DoublyRobustPolicy
from sandboxes.kit.models.esmm import ESMM
from sandboxes.kit.models.finalmlp import FinalMLP
from sandboxes.kit.models.fm import FM
from sandboxes.kit.models.inverse_propensity import InversePropensityPolicy
from sandboxes.kit.models.lightgcn import LightGCN
from sandboxes.kit.models.lr import LR
from sandboxes.kit.models.masknet import MaskNet
from sandboxes.kit.models.matrix_factorisation import MatrixFactorisation
from sandboxes.kit.models.mmoe import MMoE
from sandboxes.kit.models.ple import PLE
from sandboxes.kit.models.popularity import Popularity
from sandboxes.kit.models.sasrec import SASRec
from sandboxes.kit.models.semantic_ids import SemanticIds
from sandboxes.kit.models.shared_bottom import SharedBottom
from sandboxes.kit.models.star import STAR
from sandboxes.kit.models.two_towers import TwoTowers
from sandboxes.kit.models.xdeepfm import XDeepFM
from sandboxes.kit.schema import Predicts

MODELS: Mapping[str, type[nn.Module]] = {
    "lr": LR,
    "fm": FM,
    "dnn": DNN,
    "deepfm": DeepFM,
    "dcn": DCN,
    "dcnv2": DCNv2,
    "xdeepfm": XDeepFM,
    "autoint": AutoInt,
    "masknet": MaskNet,
    "finalmlp": FinalMLP,
    "din": DIN,
    "dien": DIEN,
    "bst": BST,
    "dkt": DKT,
    "akt": AKT,
    "shared_bottom": SharedBottom,
    "mmoe": MMoE,
    "ple": PLE,
    "star": STAR,
    "esmm": ESMM,
    "delayed_feedback": DelayedFeedback,
    "delay_weighted": DelayWeighted,
}
ITEM_MODELS: Mapping[str, type[nn.Module]] = {
    "popularity": Popularity,
    "matrix_factorisation": MatrixFactorisation,
    "two_towers": TwoTowers,
    "lightgcn": LightGCN,
    "sasrec": SASRec,
    "coded_sasrec": CodedSASRec,
    "semantic_ids": SemanticIds,
}
POLICY_MODELS: Mapping[str, type[nn.Module]] = {
    "best_fixed_action": BestFixedAction,
    "direct_method": DirectMethod,
    "inverse_propensity": InversePropensityPolicy,
    "doubly_robust": DoublyRobustPolicy,
}
ALL_MODELS: Mapping[str, type[nn.Module]] = {**MODELS, **ITEM_MODELS, **POLICY_MODELS}
_BY_QUESTION: Mapping[Predicts, Mapping[str, type[nn.Module]]] = {
    "labels": MODELS,
    "items": ITEM_MODELS,
    "actions": POLICY_MODELS,
}


def models_of(predicts: Predicts) -> Mapping[str, type[nn.Module]]:
    """The reference models for data that asks this."""
    return _BY_QUESTION[predicts]


__all__ = [
    "AKT",
    "ALL_MODELS",
    "BST",
    "DCN",
    "DIEN",
    "DIN",
    "DKT",
    "DNN",
    "ESMM",
    "FM",
    "ITEM_MODELS",
    "LR",
    "MODELS",
    "PLE",
    "POLICY_MODELS",
    "STAR",
    "AutoInt",
    "BestFixedAction",
    "CodedSASRec",
    "DCNv2",
    "DeepFM",
    "DelayWeighted",
    "DelayedFeedback",
    "DirectMethod",
    "DoublyRobustPolicy",
    "FinalMLP",
    "InversePropensityPolicy",
    "LightGCN",
    "MMoE",
    "MaskNet",
    "MatrixFactorisation",
    "Popularity",
    "SASRec",
    "SemanticIds",
    "SharedBottom",
    "TwoTowers",
    "XDeepFM",
    "models_of",
]
