"""The blocks that models are composed of, and their cards. A block is one file, one import line and one line in `CARDS`."""

from sandboxes.kit.card import Card
from sandboxes.kit.layers import (
    alignment_by_evidence,
    alternating_updates,
    attention_pooling,
    attentional_fm,
    bi_interaction_pooling,
    bilinear_interaction,
    clustered_negatives,
    coded_items,
    compressed_attention,
    compressed_interaction,
    content_graph,
    contrastive_loss,
    convolutional_history,
    core_behaviour_interaction,
    cross_domain_transfer,
    cross_domain_translation,
    cross_network_v1,
    cross_network_v2,
    decaying_attention,
    deferred_interaction,
    delay_weighted,
    delayed_feedback,
    discrete_diffusion,
    distillation,
    dnn,
    doubly_robust,
    dynamic_code_weights,
    easy_to_hard,
    embedding_freezing,
    entire_space_product,
    expert_tokeniser,
    feature_dropout,
    feature_graph,
    field_weighted_fm,
    film_gating,
    fm,
    frequency_clipping,
    generated_layers,
    graph_embedding,
    graph_scores,
    grouped_prior_embedding,
    gru_history,
    incremental_windows,
    inner_product,
    instance_guided_mask,
    interaction_search,
    interest_contrast,
    interest_distribution,
    interest_evolution,
    interpolated_negatives,
    inverse_propensity,
    item_neighbours,
    item_tower,
    joint_ranking_calibration,
    kernel_product,
    layered_transfer,
    learned_codes,
    linear,
    long_history_search,
    low_rank_attention,
    masked_reconstruction,
    memorised_crosses,
    mmoe,
    modality_alignment,
    modality_gate,
    multi_interest,
    multi_path_averaging,
    multi_positive_contrast,
    numeric_discretisation,
    outcome_gru,
    outer_product,
    pair_networks,
    pairwise_ranking,
    personalised_gate,
    ple,
    pretraining,
    quantised_embedding,
    residual_dnn,
    sampled_softmax,
    scenario_contrast,
    scenario_distributions,
    scenario_normalisation,
    selective_paths,
    self_attention_interaction,
    self_balancing_reconstruction,
    self_gating,
    self_training,
    semantic_id_decoder,
    separate_inputs,
    shared_bottom,
    shared_rare_embedding,
    sharpness_aware,
    squeeze_excitation,
    star_topology,
    structure_preservation,
    target_attention,
    transformer_history,
    two_stream_mlp,
    uncertainty_weighting,
    variational_embedding,
    window_distillation,
)
from sandboxes.kit.layers.alignment_by_evidence import AlignmentByEvidence
from sandboxes.kit.layers.alternating_updates import AlternatingUpdates
from sandboxes.kit.layers.attention_pooling import AttentionPooling
from sandboxes.kit.layers.attentional_fm import AttentionalFM
from sandboxes.kit.layers.bi_interaction_pooling import BiInteractionPooling
from sandboxes.kit.layers.bilinear_interaction import BilinearInteraction
from sandboxes.kit.layers.clustered_negatives import ClusteredNegatives
from sandboxes.kit.layers.coded_items import CodedItems, CodedItemScores
from sandboxes.kit.layers.compressed_attention import CompressedAttention
from sandboxes.kit.layers.compressed_interaction import CompressedInteraction
from sandboxes.kit.layers.content_graph import ContentGraph
from sandboxes.kit.layers.context_scores import ContextScores, RewardEstimates
from sandboxes.kit.layers.contrastive_loss import ContrastiveLoss
from sandboxes.kit.layers.convolutional_history import ConvolutionalHistory
from sandboxes.kit.layers.core_behaviour_interaction import CoreBehaviourInteraction
from sandboxes.kit.layers.cross_domain_transfer import CrossDomainTransfer
from sandboxes.kit.layers.cross_domain_translation import CrossDomainTranslation
from sandboxes.kit.layers.cross_network_v1 import CrossNetworkV1
from sandboxes.kit.layers.cross_network_v2 import CrossNetworkV2
from sandboxes.kit.layers.decaying_attention import DecayingAttention
from sandboxes.kit.layers.deferred_interaction import DeferredInteraction
from sandboxes.kit.layers.delay_weighted import DelayWeighted
from sandboxes.kit.layers.delayed_feedback import DelayedFeedback
from sandboxes.kit.layers.discrete_diffusion import DiscreteDiffusion
from sandboxes.kit.layers.distillation import Distillation
from sandboxes.kit.layers.dnn import DNN
from sandboxes.kit.layers.doubly_robust import DoublyRobust
from sandboxes.kit.layers.drawn_instead import drawn_instead
from sandboxes.kit.layers.dynamic_code_weights import DynamicCodeWeights
from sandboxes.kit.layers.easy_to_hard import EasyToHard
from sandboxes.kit.layers.embedding_freezing import EmbeddingFreezing
from sandboxes.kit.layers.entire_space_product import EntireSpaceProduct
from sandboxes.kit.layers.expert_quantiser import ExpertQuantiser
from sandboxes.kit.layers.expert_tokeniser import ExpertCodedScores, ExpertTokeniser
from sandboxes.kit.layers.feature_dropout import FeatureDropout
from sandboxes.kit.layers.feature_embedding import FeatureEmbedding
from sandboxes.kit.layers.feature_graph import FeatureGraph
from sandboxes.kit.layers.field_weighted_fm import FieldWeightedFM
from sandboxes.kit.layers.film_gating import FiLMGating
from sandboxes.kit.layers.fm import FactorizationMachine
from sandboxes.kit.layers.frequency_clipping import FrequencyClipping
from sandboxes.kit.layers.generated_layers import GeneratedLayers
from sandboxes.kit.layers.graph_embedding import GraphEmbedding
from sandboxes.kit.layers.graph_propagation import GraphPropagation
from sandboxes.kit.layers.graph_scores import GraphScores
from sandboxes.kit.layers.grouped_prior_embedding import GroupedPriorEmbedding
from sandboxes.kit.layers.gru_history import GRUHistory
from sandboxes.kit.layers.incremental_windows import IncrementalWindows
from sandboxes.kit.layers.inner_product import InnerProduct
from sandboxes.kit.layers.instance_guided_mask import InstanceGuidedMask
from sandboxes.kit.layers.interaction_search import InteractionSearch
from sandboxes.kit.layers.interest_contrast import InterestContrast
from sandboxes.kit.layers.interest_distribution import InterestDistribution
from sandboxes.kit.layers.interest_evolution import InterestEvolution
from sandboxes.kit.layers.interpolated_negatives import InterpolatedNegatives
from sandboxes.kit.layers.inverse_propensity import InversePropensity
from sandboxes.kit.layers.item_fields import ItemFields
from sandboxes.kit.layers.item_neighbours import ItemNeighbours
from sandboxes.kit.layers.item_scores import ItemScores
from sandboxes.kit.layers.item_tokeniser import ItemTokeniser
from sandboxes.kit.layers.item_tower import ItemTower
from sandboxes.kit.layers.joint_ranking_calibration import JointRankingCalibration
from sandboxes.kit.layers.kernel_product import KernelProduct
from sandboxes.kit.layers.layered_transfer import LayeredTransfer
from sandboxes.kit.layers.learned_codes import LearnedCodeScores
from sandboxes.kit.layers.linear import LinearTerm
from sandboxes.kit.layers.long_history_search import LongHistorySearch
from sandboxes.kit.layers.low_rank_attention import LowRankAttention
from sandboxes.kit.layers.masked_reconstruction import MaskedReconstruction
from sandboxes.kit.layers.memorised_crosses import MemorisedCrosses
from sandboxes.kit.layers.mmoe import MMoE
from sandboxes.kit.layers.modality_alignment import ModalityAlignment
from sandboxes.kit.layers.modality_gate import ModalityGate
from sandboxes.kit.layers.multi_interest import MultiInterest
from sandboxes.kit.layers.multi_path_averaging import MultiPathAveraging
from sandboxes.kit.layers.multi_positive_contrast import MultiPositiveContrast
from sandboxes.kit.layers.next_item_reader import NextItemReader
from sandboxes.kit.layers.numeric_discretisation import NumericDiscretisation
from sandboxes.kit.layers.outcome_gru import OutcomeGRU
from sandboxes.kit.layers.outer_product import OuterProduct
from sandboxes.kit.layers.pair_networks import PairNetworks
from sandboxes.kit.layers.pairwise_ranking import PairwiseRanking, pairwise_loss
from sandboxes.kit.layers.personalised_gate import PersonalisedGate
from sandboxes.kit.layers.ple import ProgressiveLayeredExtraction
from sandboxes.kit.layers.pretraining import PretrainThenFinetune
from sandboxes.kit.layers.quantised_embedding import QuantisedEmbedding
from sandboxes.kit.layers.query_fields import n_query_fields, query_fields
from sandboxes.kit.layers.query_memory import QueryMemory
from sandboxes.kit.layers.residual_dnn import ResidualDNN
from sandboxes.kit.layers.residual_quantiser import ResidualQuantiser
from sandboxes.kit.layers.sampled_softmax import SampledSoftmax
from sandboxes.kit.layers.scenario_contrast import ScenarioContrast
from sandboxes.kit.layers.scenario_distributions import ScenarioDistributions
from sandboxes.kit.layers.scenario_normalisation import ScenarioNormalisation
from sandboxes.kit.layers.selective_paths import SelectivePaths
from sandboxes.kit.layers.self_attention_interaction import SelfAttentionInteraction
from sandboxes.kit.layers.self_balancing_reconstruction import SelfBalancingReconstruction
from sandboxes.kit.layers.self_gating import SelfGating
from sandboxes.kit.layers.self_training import SelfTraining
from sandboxes.kit.layers.semantic_id_decoder import SemanticIdDecoder
from sandboxes.kit.layers.separate_inputs import SeparateInputs
from sandboxes.kit.layers.shared_bottom import SharedBottom
from sandboxes.kit.layers.shared_rare_embedding import SharedRareEmbedding
from sandboxes.kit.layers.sharpness_aware import SharpnessAware
from sandboxes.kit.layers.squeeze_excitation import SqueezeExcitation
from sandboxes.kit.layers.star_topology import StarTopology
from sandboxes.kit.layers.structure_preservation import StructurePreservation
from sandboxes.kit.layers.target_attention import TargetAttention
from sandboxes.kit.layers.transformer_history import TransformerHistory
from sandboxes.kit.layers.two_stream_mlp import TwoStreamMLP
from sandboxes.kit.layers.uncertainty_weighting import UncertaintyWeighting
from sandboxes.kit.layers.variational_embedding import VariationalEmbedding
from sandboxes.kit.layers.window_distillation import WindowDistillation

CARDS: tuple[Card, ...] = (
    alignment_by_evidence.CARD,
    alternating_updates.CARD,
    attention_pooling.CARD,
    attentional_fm.CARD,
    bi_interaction_pooling.CARD,
    bilinear_interaction.CARD,
    clustered_negatives.CARD,
    compressed_attention.CARD,
    compressed_interaction.CARD,
    content_graph.CARD,
    contrastive_loss.CARD,
    convolutional_history.CARD,
    core_behaviour_interaction.CARD,
    cross_domain_transfer.CARD,
    cross_domain_translation.CARD,
    cross_network_v1.CARD,
    cross_network_v2.CARD,
    decaying_attention.CARD,
    deferred_interaction.CARD,
    delay_weighted.CARD,
    delayed_feedback.CARD,
    discrete_diffusion.CARD,
    distillation.CARD,
    dnn.CARD,
    doubly_robust.CARD,
    dynamic_code_weights.CARD,
    easy_to_hard.CARD,
    embedding_freezing.CARD,
    entire_space_product.CARD,
    expert_tokeniser.CARD,
    feature_dropout.CARD,
    feature_graph.CARD,
    field_weighted_fm.CARD,
    film_gating.CARD,
    fm.CARD,
    frequency_clipping.CARD,
    generated_layers.CARD,
    graph_embedding.CARD,
    graph_scores.CARD,
    grouped_prior_embedding.CARD,
    gru_history.CARD,
    incremental_windows.CARD,
    inner_product.CARD,
    instance_guided_mask.CARD,
    interaction_search.CARD,
    interest_contrast.CARD,
    interest_distribution.CARD,
    interest_evolution.CARD,
    interpolated_negatives.CARD,
    inverse_propensity.CARD,
    item_neighbours.CARD,
    item_tower.CARD,
    joint_ranking_calibration.CARD,
    kernel_product.CARD,
    layered_transfer.CARD,
    learned_codes.CARD,
    linear.CARD,
    long_history_search.CARD,
    low_rank_attention.CARD,
    masked_reconstruction.CARD,
    memorised_crosses.CARD,
    mmoe.CARD,
    modality_alignment.CARD,
    modality_gate.CARD,
    multi_interest.CARD,
    multi_path_averaging.CARD,
    multi_positive_contrast.CARD,
    numeric_discretisation.CARD,
    outcome_gru.CARD,
    outer_product.CARD,
    pair_networks.CARD,
    pairwise_ranking.CARD,
    personalised_gate.CARD,
    ple.CARD,
    pretraining.CARD,
    quantised_embedding.CARD,
    residual_dnn.CARD,
    coded_items.CARD,
    sampled_softmax.CARD,
    scenario_contrast.CARD,
    scenario_distributions.CARD,
    scenario_normalisation.CARD,
    selective_paths.CARD,
    self_attention_interaction.CARD,
    self_balancing_reconstruction.CARD,
    self_gating.CARD,
    self_training.CARD,
    semantic_id_decoder.CARD,
    separate_inputs.CARD,
    shared_bottom.CARD,
    shared_rare_embedding.CARD,
    sharpness_aware.CARD,
    squeeze_excitation.CARD,
    star_topology.CARD,
    structure_preservation.CARD,
    target_attention.CARD,
    transformer_history.CARD,
    two_stream_mlp.CARD,
    uncertainty_weighting.CARD,
    variational_embedding.CARD,
    window_distillation.CARD,
)

__all__ = [
    "CARDS",
    "DNN",
    "AlignmentByEvidence",
    "AlternatingUpdates",
    "AttentionPooling",
    "AttentionalFM",
    "BiInteractionPooling",
    "BilinearInteraction",
    "ClusteredNegatives",
    "CodedItemScores",
    "CodedItems",
    "CompressedAttention",
    "CompressedInteraction",
    "ContentGraph",
    "ContextScores",
    "ContrastiveLoss",
    "ConvolutionalHistory",
    "CoreBehaviourInteraction",
    "CrossDomainTransfer",
    "CrossDomainTranslation",
    "CrossNetworkV1",
    "CrossNetworkV2",
    "DecayingAttention",
    "DeferredInteraction",
    "DelayWeighted",
    "DelayedFeedback",
    "DiscreteDiffusion",
    "Distillation",
    "DoublyRobust",
    "DynamicCodeWeights",
    "EasyToHard",
    "EmbeddingFreezing",
    "EntireSpaceProduct",
    "ExpertCodedScores",
    "ExpertQuantiser",
    "ExpertTokeniser",
    "FactorizationMachine",
    "FeatureDropout",
    "FeatureEmbedding",
    "FeatureGraph",
    "FiLMGating",
    "FieldWeightedFM",
    "FrequencyClipping",
    "GRUHistory",
    "GeneratedLayers",
    "GraphEmbedding",
    "GraphPropagation",
    "GraphScores",
    "GroupedPriorEmbedding",
    "IncrementalWindows",
    "InnerProduct",
    "InstanceGuidedMask",
    "InteractionSearch",
    "InterestContrast",
    "InterestDistribution",
    "InterestEvolution",
    "InterpolatedNegatives",
    "InversePropensity",
    "ItemFields",
    "ItemNeighbours",
    "ItemScores",
    "ItemTokeniser",
    "ItemTower",
    "JointRankingCalibration",
    "KernelProduct",
    "LayeredTransfer",
    "LearnedCodeScores",
    "LinearTerm",
    "LongHistorySearch",
    "LowRankAttention",
    "MMoE",
    "MaskedReconstruction",
    "MemorisedCrosses",
    "ModalityAlignment",
    "ModalityGate",
    "MultiInterest",
    "MultiPathAveraging",
    "MultiPositiveContrast",
    "NextItemReader",
    "NumericDiscretisation",
    "OutcomeGRU",
    "OuterProduct",
    "PairNetworks",
    "PairwiseRanking",
    "PersonalisedGate",
    "PretrainThenFinetune",
    "ProgressiveLayeredExtraction",
    "QuantisedEmbedding",
    "QueryMemory",
    "ResidualDNN",
    "ResidualQuantiser",
    "RewardEstimates",
    "SampledSoftmax",
    "ScenarioContrast",
    "ScenarioDistributions",
    "ScenarioNormalisation",
    "SelectivePaths",
    "SelfAttentionInteraction",
    "SelfBalancingReconstruction",
    "SelfGating",
    "SelfTraining",
    "SemanticIdDecoder",
    "SeparateInputs",
    "SharedBottom",
    "SharedRareEmbedding",
    "SharpnessAware",
    "SqueezeExcitation",
    "StarTopology",
    "StructurePreservation",
    "TargetAttention",
    "TransformerHistory",
    "TwoStreamMLP",
    "UncertaintyWeighting",
    "VariationalEmbedding",
    "WindowDistillation",
    "drawn_instead",
    "n_query_fields",
    "pairwise_loss",
    "query_fields",
]
