"""The blocks that models are composed of, and their cards. A block is one file, one import line and one line in `CARDS`."""

from sandboxes.kit.card import Card
from sandboxes.kit.layers import (
    attentional_fm,
    bi_interaction_pooling,
    bilinear_interaction,
    compressed_interaction,
    cross_network_v1,
    cross_network_v2,
    dnn,
    feature_dropout,
    field_weighted_fm,
    fm,
    inner_product,
    instance_guided_mask,
    linear,
    numeric_discretisation,
    outer_product,
    residual_dnn,
    self_attention_interaction,
    squeeze_excitation,
)
from sandboxes.kit.layers.attentional_fm import AttentionalFM
from sandboxes.kit.layers.bi_interaction_pooling import BiInteractionPooling
from sandboxes.kit.layers.bilinear_interaction import BilinearInteraction
from sandboxes.kit.layers.compressed_interaction import CompressedInteraction
from sandboxes.kit.layers.cross_network_v1 import CrossNetworkV1
from sandboxes.kit.layers.cross_network_v2 import CrossNetworkV2
from sandboxes.kit.layers.dnn import DNN
from sandboxes.kit.layers.feature_dropout import FeatureDropout
from sandboxes.kit.layers.feature_embedding import FeatureEmbedding
from sandboxes.kit.layers.field_weighted_fm import FieldWeightedFM
from sandboxes.kit.layers.fm import FactorizationMachine
from sandboxes.kit.layers.inner_product import InnerProduct
from sandboxes.kit.layers.instance_guided_mask import InstanceGuidedMask
from sandboxes.kit.layers.linear import LinearTerm
from sandboxes.kit.layers.numeric_discretisation import NumericDiscretisation
from sandboxes.kit.layers.outer_product import OuterProduct
from sandboxes.kit.layers.residual_dnn import ResidualDNN
from sandboxes.kit.layers.self_attention_interaction import SelfAttentionInteraction
from sandboxes.kit.layers.squeeze_excitation import SqueezeExcitation

CARDS: tuple[Card, ...] = (
    attentional_fm.CARD,
    bi_interaction_pooling.CARD,
    bilinear_interaction.CARD,
    compressed_interaction.CARD,
    cross_network_v1.CARD,
    cross_network_v2.CARD,
    dnn.CARD,
    feature_dropout.CARD,
    field_weighted_fm.CARD,
    fm.CARD,
    inner_product.CARD,
    instance_guided_mask.CARD,
    linear.CARD,
    numeric_discretisation.CARD,
    outer_product.CARD,
    residual_dnn.CARD,
    self_attention_interaction.CARD,
    squeeze_excitation.CARD,
)

__all__ = [
    "AttentionalFM",
    "BiInteractionPooling",
    "BilinearInteraction",
    "CARDS",
    "CompressedInteraction",
    "CrossNetworkV1",
    "CrossNetworkV2",
    "DNN",
    "FactorizationMachine",
    "FeatureDropout",
    "FeatureEmbedding",
    "FieldWeightedFM",
    "InnerProduct",
    "InstanceGuidedMask",
    "LinearTerm",
    "NumericDiscretisation",
    "OuterProduct",
    "ResidualDNN",
    "SelfAttentionInteraction",
    "SqueezeExcitation",
]
