"""The modelling kit: data, layers, models, training and metrics; the only package that generated code imports."""

from sandboxes.kit.batch import Batch
from sandboxes.kit.collection import Collection
from sandboxes.kit.contract import Stage
from sandboxes.kit.losses import observed_bce, softmax_over_items
from sandboxes.kit.policy_losses import inverse_propensity_loss, softmax_policy
from sandboxes.kit.schema import CategoricalField, NumericField, Schema, SequenceField, Task, VectorField
from sandboxes.kit.vector_table import VectorTable

__all__ = [
    "Batch",
    "CategoricalField",
    "Collection",
    "NumericField",
    "Schema",
    "SequenceField",
    "Stage",
    "Task",
    "VectorField",
    "VectorTable",
    "inverse_propensity_loss",
    "observed_bce",
    "softmax_over_items",
    "softmax_policy",
]
