"""Composition: whatever mechanisms are recognised, the model that is written is legal, complete and trains."""

from __future__ import annotations

import ast

import pytest
import torch
from composed import model_class, spec_of
from hypothesis import example, given, settings
from hypothesis import strategies as st
from random_rows import ILLUSTRATED, NUMBERS_ONLY, OUTCOMES, PLAIN, RICH, SCHEMAS, TWO_TASKS, random_rows
from torch import Tensor, nn

from agents.autotrain.builtin import BuiltinEngine
from agents.autotrain.builtin.architect import draw
from agents.autotrain.builtin.code_review import built, ids_in
from agents.autotrain.builtin.render import render
from agents.autotrain.engine import Code, Failure
from agents.autotrain.spec import Evidence, MethodSpec
from agents.errors import NothingToBuild
from sandboxes.kit import layers, observed_bce
from sandboxes.kit.card import Card
from sandboxes.kit.layers import CARDS
from sandboxes.kit.schema import Schema
from sandboxes.kit.smoke import smoke
from sandboxes.policy import violations

NAMES = tuple(c.name for c in CARDS)
ENGINE = BuiltinEngine()


def written(spec: MethodSpec, schema: Schema) -> str:
    return render(draw(spec, schema, CARDS))


def faults(code: str, schema: Schema) -> list[str]:
    checks, _ = smoke(model_class(code), schema, random_rows(schema), {"embedding_dim": 4})
    return [f"{c.name}: {c.detail}" for c in checks if not c.passed]


@pytest.mark.parametrize("name", [c.name for c in CARDS if "items" not in c.needs])  # the others: test_compose_items
def test_every_block_can_stand_alone_in_a_model_that_passes_smoke(name: str) -> None:
    spec = spec_of([name], hyper={"hidden_units": [16, 8]})
    code = written(spec, ILLUSTRATED)
    assert not violations(code)
    assert faults(code, ILLUSTRATED) == []
    ports = next(c for c in CARDS if c.name == name).ports
    assert ("m1" in ids_in(Code(code, True))) == ("loss" not in ports.takes)  # a scheme that takes another block's loss


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(NAMES), min_size=1, max_size=9), st.sampled_from(sorted(SCHEMAS)))
@example(["residual_dnn", "self_attention_interaction", "compressed_interaction", "dnn", "gru_history"], "categories only")
def test_every_combination_gives_legal_code_that_says_what_it_holds(blocks: list[str], kind: str) -> None:
    spec, schema = spec_of(blocks), SCHEMAS[kind]
    blueprint = draw(spec, schema, CARDS)
    code = render(blueprint)
    assert not violations(code)
    assert max(map(len, code.splitlines())) <= 130
    held, noted = ids_in(Code(code, True)), {n.source.id for n in blueprint.notes}
    assert held == {s.id for s in blueprint.sources}
    assert held | noted == {m.id for m in spec.mechanisms}  # nothing disappears without a word
    model = model_class(code)(schema, embedding_dim=4)
    rows = random_rows(schema, 8)
    assert model.eval()(rows.whole).shape == (8, len(schema.tasks))


COMBINED = [
    ("fm", "dnn", "linear"),
    ("cross_network_v2", "dnn"),
    ("inner_product", "outer_product", "dnn"),
    ("target_attention", "dnn", "gru_history"),
    ("mmoe", "entire_space_product", "numeric_discretisation"),
    ("ple", "film_gating", "self_attention_interaction"),
    ("masked_reconstruction", "pretrain_then_finetune", "dnn", "feature_dropout"),
    ("contrastive_loss", "variational_embedding", "bilinear_interaction", "squeeze_excitation"),
    ("distillation", "contrastive_loss", "quantised_embedding", "alternating_updates", "sharpness_aware"),
    ("easy_to_hard", "variational_embedding", "pretrain_then_finetune", "masked_reconstruction", "frequency_clipping"),
    ("distillation", "alternating_updates", "pretrain_then_finetune", "masked_reconstruction", "dnn"),
    ("multi_path_averaging", "transformer_history", "scenario_normalisation", "cross_network_v1"),
    ("outcome_gru", "decaying_attention", "target_attention", "dnn"),
    ("memorised_crosses", "feature_graph", "multi_interest", "convolutional_history", "uncertainty_weighting", "mmoe"),
    ("grouped_prior_embedding", "scenario_distributions", "scenario_normalisation", "mmoe"),
    ("window_distillation", "incremental_windows", "shared_rare_embedding", "frequency_clipping", "dnn"),
    ("embedding_freezing", "masked_reconstruction", "pretrain_then_finetune", "linear", "dnn"),
    ("discrete_diffusion", "pretrain_then_finetune", "variational_embedding", "feature_graph", "gru_history", "dnn"),
    ("kernel_product", "self_gating", "joint_ranking_calibration", "variational_embedding", "dnn"),
]


@pytest.mark.parametrize("blocks", COMBINED, ids="+".join)
@pytest.mark.parametrize("kind", ["rich", "plain", "outcomes"])
def test_combinations_as_papers_have_them_pass_smoke(blocks: tuple[str, ...], kind: str) -> None:
    code = written(spec_of(blocks, hyper={"hidden_units": [16, 8]}), SCHEMAS[kind])
    assert faults(code, SCHEMAS[kind]) == []


def test_a_block_that_makes_use_of_outcomes_is_given_them_and_says_when_there_are_none() -> None:
    spec, blocks = spec_of(["outcome_gru", "gru_history"]), {}
    for kind in ("rich", "outcomes"):
        blueprint = draw(spec, SCHEMAS[kind], CARDS)
        blocks[kind] = model_class(render(blueprint))(SCHEMAS[kind], embedding_dim=4)
        told = "m1 (outcome gru): simplified, the data does not say what came of past events"
        assert (told in map(str, blueprint.notes)) == (kind == "rich")
    assert [m.memory.gru.input_size for m in blocks["rich"].outcome_gru] == [4, 4]  # one history after the other
    assert [m.memory.gru.input_size for m in blocks["outcomes"].outcome_gru] == [4 + 1 + 4]  # both are one log
    assert len(blocks["outcomes"].gru_history) == 2
    rows, model = random_rows(OUTCOMES, 30).whole, blocks["outcomes"].eval()
    asked: list[tuple[Tensor, ...]] = []
    model.outcome_gru[0].register_forward_hook(lambda block, inputs, output: asked.append(inputs))
    model(rows)
    assert all(map(torch.equal, asked[0], model.embedding.events(rows, OUTCOMES.event_logs[0])))


def test_schemes_follow_one_another_and_a_rule_goes_with_all_of_them() -> None:
    blocks = ["distillation", "alternating_updates", "pretrain_then_finetune", "masked_reconstruction", "sharpness_aware"]
    model = model_class(written(spec_of(blocks), PLAIN))(PLAIN, embedding_dim=4, pretrain_share=0.25)
    assert [(s.name, s.epochs) for s in model.stages()] == [("pretrain", 0.25), ("teacher", 0.375), ("train", 0.375)]
    *_, last = model.stages()
    assert [s.loss for s in last.beside] == ["auxiliary_loss"] and last.freeze == ("distillation.teacher.",)
    assert {type(s.update).__name__ for s in (*model.stages(), *last.beside)} == {"SharpnessAware"}
    assert not any("masked_reconstruction" in name for name in dict(model.distillation.teacher.named_parameters()))


def test_the_papers_values_become_defaults_and_unusable_ones_are_noted() -> None:
    hyper = {"hidden_units": [300, 200], "dropout": 0.4, "embedding_dim": 12}
    code = written(spec_of(["cross_network_v2", "dnn"], hyper=hyper, n_layers=2), PLAIN)
    for said in (
        "embedding_dim: int = 12",
        "dropout: float = 0.4",
        "hidden_units: tuple[int, ...] = (300, 200)",
        "n_layers: int = 2",
    ):
        assert said in code
    blueprint = draw(spec_of(["cross_network_v2"], n_layers=10_000), PLAIN, CARDS)
    assert "n_layers: int = 3" in render(blueprint)
    assert [str(n) for n in blueprint.notes] == [
        "m1 (cross network v2): simplified, n_layers 10000 is outside [1, 32], so the default 3 stands"
    ] or any("is outside" in str(n) for n in blueprint.notes)


def test_titles_and_names_do_not_reach_the_code() -> None:
    spec = spec_of(["fm", "dnn"])
    other = spec.model_copy(update={"title": "Another title", "model_name": "XYZ", "paper_id": "q"})
    assert written(spec, PLAIN) == written(other, PLAIN)


def test_hostile_names_stay_comments() -> None:
    spec = spec_of(["fm"])
    evil = spec.mechanisms[0].model_copy(
        update={"name": 'x"""\nimport os\n# m9: y', "evidence": (Evidence(quote="q", section="\n*/ eval('1')"),)}
    )
    spec = spec.model_copy(update={"mechanisms": (evil,)})
    code = written(spec, PLAIN)
    assert not violations(code)
    assert ast.dump(ast.parse(code)) == ast.dump(ast.parse(written(spec_of(["fm"]), PLAIN)))


def test_review_believes_the_code_and_not_the_notes() -> None:
    spec = spec_of(["fm", "dnn", None])
    code = ENGINE.write(spec, PLAIN)
    assert [(j.leaf, j.judgement) for j in ENGINE.review(spec, code).judged] == [("m1", "met"), ("m2", "met"), ("m3", "missing")]
    lines = code.text.splitlines()
    first, last = ENGINE.review(spec, code).judged[0].lines or (0, 0)
    assert "m1" in lines[first - 1] and "FactorizationMachine" in lines[last - 1]
    unused = Code("\n".join(line for line in lines if "+ self.fm(" not in line), composed=True)
    assert ENGINE.review(spec, unused).judged[0].judgement == "missing"


def test_ablation_takes_the_main_mechanism_out_and_nothing_else() -> None:
    spec = spec_of(["fm", "dnn"])
    code = ENGINE.write(spec, PLAIN)
    main = ENGINE.review(spec, code).main_mechanism
    assert main == "m1"
    left = ENGINE.ablate(spec, PLAIN, code, main)
    assert left is not None
    assert ids_in(left) == {"m2"} and "FactorizationMachine" not in left.text


def test_an_ablation_whose_gap_is_filled_by_the_same_block_is_none() -> None:
    spec = spec_of(["dnn"])
    assert ENGINE.ablate(spec, PLAIN, ENGINE.write(spec, PLAIN), "m1") is None


def test_repair_leaves_out_what_the_failure_names_then_the_least_sure() -> None:
    spec = spec_of(["cross_network_v2", "fm", "dnn"])
    code = ENGINE.write(spec, PLAIN)
    repaired = ENGINE.repair(spec, PLAIN, code, Failure("smoke", "no gradient reaches fm.weight"))
    assert repaired is not None and ids_in(repaired) == {"m1", "m3"}
    again = ENGINE.repair(spec, PLAIN, repaired, Failure("train", "ValueError: too deep"))
    assert again is not None and ids_in(again) == {"m1"}
    assert "fm" not in {b.attribute for b in built(again.text)}
    assert ENGINE.repair(spec, PLAIN, again, Failure("train", "ValueError: too deep")) is None


@pytest.mark.parametrize("blocks", [["target_attention", "dnn"], ["mmoe"], [None, "dnn", "linear"], ["scenario_normalisation"]])
def test_what_the_data_cannot_hold_is_refused_and_not_replaced(blocks: list[str | None]) -> None:
    with pytest.raises(NothingToBuild, match="nothing that is particular"):
        ENGINE.write(spec_of(blocks), PLAIN)


def test_a_paper_about_plain_parts_gets_them() -> None:
    assert ids_in(ENGINE.write(spec_of(["linear", "dnn"]), NUMBERS_ONLY)) == {"m1", "m2"}


def test_the_same_spec_gives_the_same_code() -> None:
    spec = spec_of(["mmoe", "fm", "target_attention"])
    assert ENGINE.write(spec, RICH) == ENGINE.write(spec, RICH)


class NextBehaviour(nn.Module):
    """A planted block: the loss of telling each behaviour from the one before it."""

    def __init__(self, embedding_dim: int) -> None:
        super().__init__()
        self.step = nn.Linear(embedding_dim, embedding_dim)

    def forward(self, history: Tensor, mask: Tensor) -> Tensor:
        distance = (self.step(history[:, :-1]) - history[:, 1:].detach()).square().sum(2)  # (B, L - 1)
        return 10 * (distance * mask[:, :-1]).mean()


@pytest.mark.parametrize("beside", [(), ("contrastive_loss",), ("contrastive_loss", "pretrain_then_finetune"), ("gru_history",)])
def test_a_loss_on_histories_needs_no_more_than_its_card(monkeypatch: pytest.MonkeyPatch, beside: tuple[str, ...]) -> None:
    monkeypatch.setattr(layers, "NextBehaviour", NextBehaviour, raising=False)
    planted = Card("next_behaviour", "NextBehaviour", "auxiliary", "", "", (), (), needs=("history",), takes=("history", "mask"))
    blueprint = draw(spec_of(["next_behaviour", "dnn", *beside], hyper={"hidden_units": [16, 8]}), RICH, (*CARDS, planted))
    code = render(blueprint)
    assert {s.id for s in blueprint.sources} == ids_in(Code(code, True)) == {f"m{i + 1}" for i in range(2 + len(beside))}
    assert faults(code, RICH) == []
    model, rows = model_class(code)(RICH, embedding_dim=4), random_rows(RICH, 16).whole
    staged = "pretrain_then_finetune" in beside
    method = model.auxiliary_loss if staged else model.loss
    with torch.no_grad():
        others = method(rows) - sum(
            block(*model.embedding.history(rows, s.name)) for s, block in zip(RICH.sequences, model.next_behaviour, strict=True)
        )
        fields = model.embedding(rows) if "gru_history" in beside else model.embedding.with_histories(rows)
    assert len(model.next_behaviour) == 2
    if beside in [(), ("gru_history",)]:
        torch.testing.assert_close(others, observed_bce(model.logits(rows, fields), rows.labels))
    assert hasattr(model, "loss") != staged


def test_a_term_without_an_output_for_each_task_is_said_to_be_shared() -> None:
    assert [str(n) for n in draw(spec_of(["linear", "fm", "dnn"]), TWO_TASKS, CARDS).notes] == [
        "m2 (fm): simplified, its one output is added to the logits of all tasks"
    ]
    assert draw(spec_of(["linear", "fm", "dnn"]), PLAIN, CARDS).notes == ()
