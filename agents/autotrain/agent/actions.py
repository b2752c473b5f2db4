"""What search may decide on a data set: model, widths, optimiser, regularisation, weights of losses, training scheme.

The bounds are those within which papers on click prediction report their settings, and what a machine of the size of a laptop
trains in minutes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from agents.autotrain.agent.recipe import WEIGHT, takes
from agents.batch_size import BATCH_SIZES, usual_batch_size
from agents.declared_space import Action, Choice, Decision, DeclaredSpace, Float, Integer, Value, When, stands
from sandboxes.kit.contract import HasLoss
from sandboxes.kit.models import ALL_MODELS, models_of
from sandboxes.kit.needs import NeedName, offered
from sandboxes.kit.schema import Schema

# What a reference model is for; on data without it the model would be another one under its name.
NEEDED: Mapping[str, tuple[NeedName, ...]] = MappingProxyType(
    {
        **dict.fromkeys(("din", "dien", "bst", "sasrec", "coded_sasrec", "semantic_ids"), ("history",)),
        **dict.fromkeys(("dkt", "akt"), ("outcomes",)),
        **dict.fromkeys(("shared_bottom", "mmoe", "ple"), ("several_tasks",)),
        **dict.fromkeys(("delayed_feedback", "delay_weighted"), ("delays",)),
        "star": ("scenario",),
        "esmm": ("entire_space",),
        "lightgcn": ("user",),
        "fm": ("several_fields",),
    }
)
EMBEDDING_DIMS = (4, 8, 16, 32, 64)  # even, since attention shares them out among two heads
PENALTIES = (0.0, 1e-6, 1e-5, 1e-4)
LEAST_STEPS = 8  # an epoch of fewer teaches nothing that the next batch size down would not teach better
PATIENCE = 2
EVEN = 1.0  # what a task's loss counts where nothing is decided
START: Decision = MappingProxyType(
    {
        "embedding_dim": 16,
        "depth": 2,
        "width": 400,  # as the kit's constructors say
        "dropout": 0.0,
        "learning_rate": 2e-3,  # where tuning begins too
        "embedding_l2": 0.0,
        "patience": 1,
        "precision": "fp32",
        "updates": "whole",
    }
)


def fitting_models(schema: Schema) -> tuple[str, ...]:
    """The kit's reference models for what the data asks and has."""
    has = offered(schema)
    return tuple(name for name in models_of(schema.predicts) if set(NEEDED.get(name, ())) <= has)


def declared(schema: Schema, rows: int, most_epochs: int) -> DeclaredSpace:
    """The actions on data of this schema with so many training rows."""
    models = fitting_models(schema)
    return DeclaredSpace(
        (
            Choice("model", models),
            Choice("embedding_dim", EMBEDDING_DIMS, _where(models, "embedding_dim")),
            *(_layers(models)),
            Float("dropout", 0.0, 0.5, when=_where(models, "dropout")),
            Float("learning_rate", 3e-4, 2e-2, log=True),
            Choice("embedding_l2", PENALTIES),
            *_weights(schema, models),
            Choice("batch_size", batch_sizes(rows)),
            Integer("epochs", 1, most_epochs),
            Integer("patience", 1, PATIENCE),
            Choice("precision", ("fp32", "bf16")),
            Choice("updates", ("whole", "touched"), When("embedding_l2", (0.0,))),  # a penalty moves every row at every step
        )
    )


def starting(space: DeclaredSpace, model: str, rows: int, most_epochs: int) -> Decision:
    """A reference model as the kit has it, trained as a reproduction would: where a search begins."""
    usual: dict[str, Value] = {**START, "model": model, "batch_size": usual_batch_size(rows), "epochs": most_epochs}
    decided: dict[str, Value] = {}
    for action in space.actions:
        if stands(action, decided):
            decided[action.name] = usual.get(action.name, EVEN)  # what is not usual is a task's weight
    return decided


def batch_sizes(rows: int) -> tuple[int, ...]:
    """Those that leave an epoch some steps; the two smallest at least."""
    fitting = tuple(b for b in BATCH_SIZES if b * LEAST_STEPS <= rows)
    return fitting if len(fitting) > 1 else BATCH_SIZES[:2]


def _where(models: Sequence[str], *arguments: str) -> When:
    return When("model", tuple(m for m in models if any(takes(m, argument) for argument in arguments)))


def _layers(models: Sequence[str]) -> tuple[Action, ...]:
    layered = _where(models, "hidden_units", "tower_units")
    return Integer("depth", 1, 3, when=layered), Integer("width", 16, 512, log=True, when=layered)


def _weights(schema: Schema, models: Sequence[str]) -> tuple[Action, ...]:
    """Of all tasks but the primary one, which counts once; for models that leave their loss to the kit."""
    plain = When("model", tuple(m for m in models if not issubclass(ALL_MODELS[m], HasLoss)))
    return tuple(Float(WEIGHT + task.name, 0.1, 10.0, log=True, when=plain) for task in schema.tasks[1:])
