"""Pre-train, then fine-tune: a training scheme of two stages."""

from __future__ import annotations

from sandboxes.kit.card import Argument, Card
from sandboxes.kit.contract import Stage

EMBEDDING = "embedding."  # what the names of a model's embedding parameters start with

CARD = Card(
    name="pretrain_then_finetune",
    block="pretrain_then_finetune",
    slot="scheme",
    summary="Trains in two stages: first on a self-supervised loss alone, then on the click loss from the weights found.",
    equation="theta_0 = argmin L_pretrain over the first share of the epochs, then theta = argmin L_click from "
    "theta_0 over the rest"
    " (Erhan et al., JMLR 2010, section 3)",
    cues=(
        "pre-train then fine-tune",
        "pre-training and fine-tuning",
        "pretrain-finetune",
        "pre-training stage",
        "fine-tuning stage",
        "pre-training task",
        "self-supervised pre-training",
        "generative pre-training",
        "model-agnostic pre-training",
        "two-stage training",
        "two-stage framework with pre-training",
        "first pre-trained and then fine-tuned",
        "initialized with the pre-trained parameters",
        "pre-trained embeddings are fine-tuned",
        "parameters learned from a pretrained model to initialize",
        "supervised fine-tuning",
        "freezing the pre-trained embeddings",
    ),
    descriptions=(
        "The model is first pre-trained on a self-supervised task and then fine-tuned on click labels.",
        "In the first stage the parameters are learned without labels, and in the second they initialise the prediction model.",
        "Training has two phases: generative pre-training, followed by supervised fine-tuning for click-through rate prediction.",
        "The pre-trained embedding and interaction layers are reused in the downstream task and updated with its loss.",
        "After pre-training, the sparse parameters are frozen while the dense layers are fine-tuned.",
        "A pretext task prepares the network before it is adapted to the supervised target.",
    ),
    arguments=(
        Argument(
            "pretrain_share",
            0.5,
            ("share of pre-training epochs", "pre-training share", "fraction of the epochs for pre-training"),
            low=0.05,
            high=0.95,
        ),
        Argument("freeze_embeddings", False, ("frozen embeddings", "freeze the sparse parameters")),
    ),
    example="stages = pretrain_then_finetune('pretrain_loss', pretrain_share=0.25)",
)


def pretrain_then_finetune(
    pretrain_loss: str, pretrain_share: float = 0.5, freeze_embeddings: bool = False
) -> tuple[Stage, Stage]:
    """First the model's method named by `pretrain_loss`, for `pretrain_share` of the epochs, then its loss for the rest, so that
    the model sees no more epochs than others. `freeze_embeddings` keeps what `model.embedding` has learned."""
    if not 0 < pretrain_share < 1:
        raise ValueError(f"pre-training takes a share of the epochs above 0 and below 1, not {pretrain_share}")
    return (
        Stage("pretrain", loss=pretrain_loss, epochs=pretrain_share),
        Stage("finetune", epochs=1 - pretrain_share, freeze=(EMBEDDING,) if freeze_embeddings else ()),
    )
