"""What a mechanism needs of another, and the paper does not name, is there by default and marked so."""

from __future__ import annotations

from agents.autotrain.builtin.parse import parse
from agents.autotrain.paper import Paper
from agents.autotrain.spec import MethodSpec
from sandboxes.kit.layers import CARDS


def spec_of(sentences: str) -> MethodSpec:
    text = f"Abstract\n\nWe study click-through rate prediction for display advertising. {sentences}"
    return parse(Paper(title="A method", source="a.md", format="markdown", text=text), CARDS)


STAGES = "We propose two stages, pre-training and fine-tuning: the model is first pre-trained and then fine-tuned on clicks."


def test_a_pre_training_without_a_loss_gets_the_usual_one() -> None:
    spec = spec_of(STAGES)
    assert spec.scope.inside
    found = {m.block: m.basis for m in spec.mechanisms}
    assert found["pretrain_then_finetune"] == "stated"
    assert found["masked_reconstruction"] == "default"


def test_a_loss_that_is_named_stays_alone() -> None:
    spec = spec_of(f"{STAGES} Pre-training minimises an InfoNCE contrastive loss between two views of a sample.")
    blocks = {m.block: m.basis for m in spec.mechanisms}
    assert blocks.get("contrastive_loss") == "stated"
    assert "masked_reconstruction" not in blocks


def test_a_method_that_borrows_a_language_model_is_of_the_field_where_its_mechanism_is() -> None:
    borrowed = "We ask a large language model (LLM) with a prompt for knowledge of each scenario; the LLM is not fine-tuned. "
    own = (
        "We propose multi-scenario recommendation in which the scenario embedding generates a scale and a shift, a feature-wise "
        "linear modulation of the representation, for click-through rate (CTR) prediction in multi-scenario recommendation. "
    )
    assert spec_of(own + borrowed).scope.inside
    assert not parse(Paper(title="x", source="a.md", format="markdown", text="Abstract\n\n" + 3 * borrowed), CARDS).scope.inside
