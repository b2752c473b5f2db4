"""The kit's reference models, by name: the baselines of every comparison. A model is one file and one line in `MODELS`.

A model without a history block of its own takes each history as one more field, its mean vector, so that no baseline is
starved of what a candidate sees.
"""

from collections.abc import Mapping

from torch import nn

from sandboxes.kit.models.dcnv2 import DCNv2
from sandboxes.kit.models.deepfm import DeepFM
from sandboxes.kit.models.dnn import DNN
from sandboxes.kit.models.fm import FM
from sandboxes.kit.models.lr import LR

MODELS: Mapping[str, type[nn.Module]] = {
    "lr": LR,
    "fm": FM,
    "dnn": DNN,
    "deepfm": DeepFM,
    "dcnv2": DCNv2,
}

__all__ = ["DNN", "FM", "LR", "MODELS", "DCNv2", "DeepFM"]
