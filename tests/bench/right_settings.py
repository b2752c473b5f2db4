"""What is compared with FuxiCTR: data sets, and for each model the same settings in the kit's words and in FuxiCTR's.

It imports neither side, since each side's environment reads it. Model files of FuxiCTR are those of its model zoo.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

Settings = dict[str, object]


@dataclass(frozen=True)
class Protocol:
    """How both sides train on a data set: Adam, the weights of the epoch with the best AUC on valid, no decay of the rate.

    Where `max_epochs` is large, early stopping ends the training. `embedding_l2` is the gradient's factor on weights of embedding
    tables; `dropout` is that after hidden layers.
    """

    batch_size: int = 4096
    embedding_dim: int = 16
    hidden_units: tuple[int, ...] = (200, 200)
    learning_rate: float = 1e-3
    max_epochs: int = 2
    patience: int = 1
    embedding_l2: float = 0.0
    dropout: float = 0.0


PROTOCOLS: Mapping[str, Protocol] = {
    # On Frappe valid's AUC rests for some epochs at what single features say, so nothing stops early: the best of 12 epochs.
    "movielens-1m": Protocol(),
    "frappe": Protocol(batch_size=1024, learning_rate=2e-3, max_epochs=12, patience=12),
    # The board's own: github.com/reczoo/BARS, ranking/ctr/DeepFM/DeepFM_{frappe,movielenslatest}_x1/README.md. There, FuxiCTR
    # also normalises over the batch and divides the learning rate by ten whenever valid's AUC has not risen; here neither does.
    "Frappe_x1": Protocol(4096, 10, (400, 400, 400), 1e-3, 100, 2, 0.05, 0.2),
    "MovielensLatest_x1": Protocol(4096, 10, (400, 400, 400), 1e-3, 100, 2, 0.01, 0.3),
}
USER_FIELDS = frozenset({"user", "user_id", "gender", "age", "occupation", "zip_code"})
ITEM_FIELDS = frozenset({"item", "item_id", "release_year", "cost"})

CROSS_LAYERS = 3
FEATURE_MAPS = (16, 16)
ATTENTION_LAYERS, HEADS, HEAD_DIM = 3, 2, 8
GATE_UNITS, FUSION_HEADS = (64,), 2


@dataclass(frozen=True)
class Pair:
    """A model on either side. `kit` are keywords of the kit's class beyond those that all share; `zoo` is the folder in
    FuxiCTR's model zoo; `fuxictr` gives its keywords from the protocol and the fields' names. `faster` multiplies the learning
    rate: weights that nothing multiplies have further to go, and would not arrive in the epochs that deep models need."""

    kit: Settings
    zoo: str
    class_name: str
    fuxictr: Callable[[Protocol, Sequence[str]], Settings]
    faster: float = 1.0


def _shallow(protocol: Protocol, fields: Sequence[str]) -> Settings:
    return {"regularizer": protocol.embedding_l2}


def _embedded(protocol: Protocol) -> Settings:
    return {"embedding_regularizer": protocol.embedding_l2, "net_dropout": protocol.dropout}


def _hidden(protocol: Protocol, fields: Sequence[str]) -> Settings:
    """Models of the zoo call their hidden units by one of two names, and pass over the other."""
    units = list(protocol.hidden_units)
    return {**_embedded(protocol), "hidden_units": units, "dnn_hidden_units": units}


def _dcn(protocol: Protocol, fields: Sequence[str]) -> Settings:
    return {**_hidden(protocol, fields), "num_cross_layers": CROSS_LAYERS}


def _dcnv2(protocol: Protocol, fields: Sequence[str]) -> Settings:
    units = list(protocol.hidden_units)
    structure = {"model_structure": "parallel", "parallel_dnn_hidden_units": units, "num_cross_layers": CROSS_LAYERS}
    return {**_embedded(protocol), **structure}


def _xdeepfm(protocol: Protocol, fields: Sequence[str]) -> Settings:
    return {**_hidden(protocol, fields), "cin_hidden_units": list(FEATURE_MAPS)}


def _autoint(protocol: Protocol, fields: Sequence[str]) -> Settings:
    """FuxiCTR's width is that of all heads together."""
    attention = {"attention_layers": ATTENTION_LAYERS, "num_heads": HEADS, "attention_dim": HEADS * HEAD_DIM}
    return {**_hidden(protocol, fields), **attention, "use_residual": True, "use_scale": False, "use_wide": False}


def _masknet(protocol: Protocol, fields: Sequence[str]) -> Settings:
    return {**_hidden(protocol, fields), "model_type": "SerialMaskNet", "reduction_ratio": 1}


def _finalmlp(protocol: Protocol, fields: Sequence[str]) -> Settings:
    """FuxiCTR's gates have embedding tables of their own; the kit's read the model's."""
    streams: Settings = {}
    for stream, side in (("1", USER_FIELDS), ("2", ITEM_FIELDS)):
        streams |= {
            f"mlp{stream}_hidden_units": list(protocol.hidden_units),
            f"mlp{stream}_dropout": protocol.dropout,
            f"fs{stream}_context": [f for f in fields if f in side],
        }
    return {**_embedded(protocol), **streams, "use_fs": True, "fs_hidden_units": list(GATE_UNITS), "num_heads": FUSION_HEADS}


_ATTENTION: Settings = {"n_attention_layers": ATTENTION_LAYERS, "n_heads": HEADS, "head_dim": HEAD_DIM}
_FUSION: Settings = {"gate_units": GATE_UNITS, "fusion_heads": FUSION_HEADS}
PAIRS: Mapping[str, Pair] = {
    "lr": Pair({}, "LR", "LR", _shallow, faster=5),
    "fm": Pair({}, "FM", "FM", _shallow, faster=2),
    "dnn": Pair({}, "DNN/DNN_torch", "DNN", _hidden),
    "deepfm": Pair({}, "DeepFM/DeepFM_torch", "DeepFM", _hidden),
    "dcn": Pair({"n_cross_layers": CROSS_LAYERS}, "DCN/DCN_torch", "DCN", _dcn),
    "dcnv2": Pair({"n_cross_layers": CROSS_LAYERS}, "DCNv2", "DCNv2", _dcnv2),
    "xdeepfm": Pair({"feature_maps": FEATURE_MAPS}, "xDeepFM", "xDeepFM", _xdeepfm),
    "autoint": Pair(_ATTENTION, "AutoInt", "AutoInt", _autoint),
    "masknet": Pair({"reduction_ratio": 1.0}, "MaskNet", "MaskNet", _masknet),
    "finalmlp": Pair(_FUSION, "FinalMLP", "FinalMLP", _finalmlp),
}
