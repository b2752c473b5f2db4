"""What every block and card of the kit keeps, whatever it computes.

Notation: B rows, F fields, D embedding width, L history length, T tasks, O outcomes of a past event, I ids of the target item.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import pytest
import torch
from random_rows import ILLUSTRATED, random_rows
from slopes import away_from_the_start, gradients_are_slopes
from torch import Tensor, nn

from sandboxes.kit import layers
from sandboxes.kit.batch import Batch
from sandboxes.kit.card import Card
from sandboxes.kit.collection import Collection
from sandboxes.kit.contract import KnowsCollection, Stage, SurveysRows
from sandboxes.kit.example import whole_example
from sandboxes.kit.layers import CARDS
from sandboxes.kit.ports import SLOTS, VALUES, Value
from sandboxes.kit.schema import FIRST_ID, Task

B, F, D, L, T, S, O = 64, ILLUSTRATED.n_fields, 4, 6, len(ILLUSTRATED.tasks), 5, 2  # noqa: E741 - the letter of outcomes
GIVEN: dict[str, object] = {
    "schema": ILLUSTRATED,
    "embedding_dim": D,
    "n_fields": F,
    "n_tasks": T,
    "n_numeric": len(ILLUSTRATED.numeric),
    "n_scenarios": S,
    "n_outcomes": O,
    "in_dim": F * D,
    "auxiliary_loss": "auxiliary_loss",
    "teacher": layers.LinearTerm(ILLUSTRATED, T),
}
AROUND_STEPS = ("scheme", "update")  # blocks that no forward pass goes through
OF_ITEMS = replace(ILLUSTRATED, tasks=(Task("click"),), user="user", predicts="items")
BLOCKS = [c for c in CARDS if c.slot not in AROUND_STEPS]
FROM_SECOND_STAGE = ("self_training",)  # learn from the model of the stage before
# Gradients stop at weights, teachers, estimates, side information and before gates, and pass a rounding.
NO_SLOPES = (
    "compressed_attention",
    "delay_weighted",
    "distillation",
    "doubly_robust",
    "grouped_prior_embedding",
    "learned_codes",
    "personalised_gate",
    "quantised_embedding",
    "self_balancing_reconstruction",
    "separate_inputs",
    "window_distillation",
)
HAS_TARGETS = ("masked_reconstruction",)  # takes its inputs as targets too, which get no gradient
BY_ROW = [c for c in BLOCKS if c.slot not in ("auxiliary", "loss", "item_loss")]

every_card = pytest.mark.parametrize("card", CARDS, ids=lambda c: c.name)
every_block = pytest.mark.parametrize("card", BLOCKS, ids=lambda c: c.name)
every_block_by_row = pytest.mark.parametrize("card", BY_ROW, ids=lambda c: c.name)


@dataclass
class Inputs:
    """Everything that any block may be called on; `mask` has empty histories and full ones."""

    batch: Batch
    fields: Tensor  # (B, F, D)
    flat: Tensor  # (B, F * D)
    target: Tensor  # (B, D)
    history: Tensor  # (B, L, D)
    mask: Tensor  # (B, L)
    outcomes: Tensor  # (B, L, O): 1, -1 and 0
    scenario: Tensor  # (B,)
    logits: Tensor  # (B, T)
    scores: Tensor  # (B, I)

    def __getitem__(self, rows: Tensor | slice) -> Inputs:
        return Inputs(**{f.name: getattr(self, f.name)[rows] for f in fields(self)})


class Scorer(nn.Module):
    """A model with the same scores for all rows."""

    def __init__(self, scores: Tensor) -> None:
        super().__init__()
        self.scores = scores  # (I,)

    def forward(self, batch: Batch) -> Tensor:
        return self.scores.expand(len(batch), -1)  # (B, I)


def inputs() -> Inputs:
    draw = torch.Generator().manual_seed(1)
    shapes = {"fields": (B, F, D), "flat": (B, F * D), "target": (B, D), "history": (B, L, D), "logits": (B, T)}
    shapes["scores"] = (B, OF_ITEMS.n_items)
    drawn = {name: torch.randn(shape, generator=draw) for name, shape in shapes.items()}
    mask = torch.arange(L) >= L - torch.arange(B).unsqueeze(1) % (L + 1)  # (B, L)
    drawn["history"] = drawn["history"] * mask.unsqueeze(2)
    drawn["outcomes"] = torch.randint(-1, 2, (B, L, O), generator=draw) * mask.unsqueeze(2).float()
    batch = replace(
        random_rows(ILLUSTRATED, B).whole,
        answer=torch.randint(FIRST_ID, OF_ITEMS.n_items, (B,), generator=draw),
        propensity=0.1 + 0.9 * torch.rand(B, generator=draw),
    )
    return Inputs(batch, mask=mask, scenario=torch.arange(B) % S, **drawn)


def parameters(card: Card) -> dict[str, inspect.Parameter]:
    found = inspect.signature(getattr(layers, card.block)).parameters
    return {n: p for n, p in found.items() if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)}  # which nn.Module's own has


def built(card: Card, seed: int = 0) -> nn.Module:
    """The block with its defaults, its other parameters filled in by name, as the composer of models does it."""
    torch.manual_seed(seed)
    given = GIVEN | ({"schema": OF_ITEMS} if "items" in card.needs else {})
    required = {n: given[n] for n, p in parameters(card).items() if p.default is inspect.Parameter.empty}
    block: nn.Module = getattr(layers, card.block)(**required)
    if isinstance(block, KnowsCollection):
        block.meet(collection())
    if isinstance(block, SurveysRows):
        block.survey(random_rows(ILLUSTRATED, B).whole)
    return block


def collection() -> Collection:
    rows = random_rows(ILLUSTRATED, OF_ITEMS.n_items).whole
    return Collection(replace(rows, labels=None), torch.tensor([[2, 3], [2, 4], [5, 3], [11, 8], [4, 2]]))


def called(card: Card, block: nn.Module, x: Inputs, seed: int = 0) -> Tensor:
    torch.manual_seed(seed)
    values: dict[Value, object] = {"numbers": x.batch.numeric, "representation": x.flat, "predictor": lambda v: v.sum(2)[:, :T]}
    values["embedding"] = layers.FeatureEmbedding(OF_ITEMS, D).to(x.fields.dtype)
    values["model"] = Scorer(x.scores[0])
    for _ in range(2 if card.name in FROM_SECOND_STAGE else 0):
        block.set_progress(0.0)  # type: ignore[operator]
    output: Tensor = block(*(values[v] if v in values else getattr(x, v) for v in card.ports.takes))
    return output


def beside(block: nn.Module, x: Inputs) -> Tensor:
    """What training minimises beside what becomes of the last output: a divergence, and the loss of the block's own stage."""
    losses = [block.kl()] if hasattr(block, "kl") else []
    losses += [getattr(block, block.stage_loss)(x.batch)] if hasattr(block, "stage_loss") else []
    return sum(losses, torch.zeros(()))


def shape(card: Card, block: nn.Module) -> tuple[int, ...]:
    """What the ports promise for B rows; a term may be the same for all tasks."""
    if card.ports.gives in ("flat", "representation") or card.placement == "logit":
        assert isinstance(block.out_dim, int)
        return (B, block.out_dim)
    by_value: dict[Value, tuple[int, ...]] = {
        "number_vectors": (B, len(ILLUSTRATED.numeric), D),
        "fields": (B, F, D),
        "scores": (B, OF_ITEMS.n_items),
        "loss": (),
        "main_loss": (),
    }
    return by_value.get(card.ports.gives, (B, T))


# Cards


@every_card
def test_constructor_and_card_agree_on_arguments(card: Card) -> None:
    taken = parameters(card)
    assert {n: taken[n].default for n in (a.name for a in card.arguments)} == {a.name: a.default for a in card.arguments}
    others = set(taken) - {a.name for a in card.arguments}
    assert others - {"dropout", "numeric"} <= GIVEN.keys(), "the composer of models fills no other parameter"
    assert all(taken[n].default is inspect.Parameter.empty for n in others & GIVEN.keys())


@every_card
def test_defaults_lie_in_their_bounds(card: Card) -> None:
    for a in card.arguments:
        if isinstance(a.default, bool | str):
            assert a.low is a.high is None
            continue
        assert a.low is not None and a.high is not None
        assert all(a.low <= v <= a.high for v in (a.default if isinstance(a.default, tuple) else (a.default,)))


@every_card
def test_card_speaks_of_its_block(card: Card) -> None:
    assert card.name.isidentifier() and card.name.islower()
    assert card.summary.endswith(".") and card.summary.count(". ") == 0
    assert re.search(r"\((?:[^()]|\([^()]*\))*\b(?:19|20)\d\d\b", card.equation), (
        "the formula's source, with its year, in brackets"
    )
    assert len(set(card.descriptions)) == len(card.descriptions) >= 5
    assert all(d[0].isupper() and d.endswith(".") for d in card.descriptions)
    assert (card.placement is not None) == (card.slot == "interaction")
    needed = {SLOTS[card.slot].needs, *(VALUES[v].needs for v in card.ports.takes)} - {None}
    assert needed <= set(card.needs), "what the slot and the values it takes need of the data"


@every_card
def test_phrases_are_lower_case_and_not_repeated(card: Card) -> None:
    for phrases in (card.cues, *(a.phrases for a in card.arguments)):
        assert all(p == p.lower().strip() and p for p in phrases)
        assert len(set(phrases)) == len(phrases)
    assert 10 <= len(card.cues) <= 20


def test_names_are_cards_own_and_a_cue_is_shared_only_by_variants() -> None:
    """What two cards of a slot are called alike, their descriptions tell apart."""
    assert len({card.name for card in CARDS}) == len({card.block for card in CARDS}) == len(CARDS)
    owners: dict[str, list[str]] = {}
    for card in CARDS:
        for cue in {c.replace("-", " ") for c in card.cues}:
            owners.setdefault(cue, []).append(card.slot)
    shared = {cue: slots for cue, slots in owners.items() if len(slots) > 1}
    assert all(len(slots) == 2 and len(set(slots)) == 1 for slots in shared.values()), shared
    assert [c.name for c in CARDS] == sorted({c.name for c in CARDS})


def test_every_file_with_a_card_is_listed() -> None:
    found = [importlib.import_module(f"{layers.__name__}.{m.name}") for m in pkgutil.iter_modules(layers.__path__)]
    assert {m.CARD.name for m in found if hasattr(m, "CARD")} == {c.name for c in CARDS}
    assert {c.block for c in CARDS} <= set(layers.__all__)


# Blocks


@every_card
def test_whole_example_runs_as_it_is_and_shows_the_ports_shape(card: Card, capsys: pytest.CaptureFixture[str]) -> None:
    text, names = whole_example(card), dict[str, Any]()
    assert card.example.strip() in text
    exec(compile(text, card.name, "exec"), names)
    if card.slot in AROUND_STEPS:
        assert all(isinstance(stage, Stage) for stage in names["stages"])
        return
    block = next(v for v in names.values() if isinstance(v, getattr(layers, card.block)))
    rows, fields = 4, names["fields"].shape if "fields" in names else (4, 5, 8)
    shapes = {"fields": (rows, 5, 8), "number_vectors": (rows, 2, 8), "scores": (rows, 9), "loss": (), "main_loss": ()}
    promised = shapes.get(card.ports.gives, (rows, 2))
    if card.ports.gives in ("flat", "representation") or card.placement == "logit":
        promised = (rows, block.out_dim)
    assert tuple(fields)[:1] == (rows,) and capsys.readouterr().out == f"{promised}\n"


@every_block
def test_output_has_the_slots_shape_and_is_finite(card: Card) -> None:
    block = built(card)
    for training in (True, False):
        output = called(card, block.train(training), inputs())
        assert output.shape == shape(card, block)
        assert torch.isfinite(output).all()
    if card.placement == "logit":
        assert block.out_dim in (1, T)
    if card.slot == "scenario":
        assert block.out_dim == F * D


@every_block
def test_gradient_reaches_every_parameter_and_is_finite(card: Card) -> None:
    """Within three steps: a gate that starts at zero opens after the first."""
    block = built(card).train()
    optimizer = torch.optim.Adam([*block.parameters(), nn.Parameter(torch.zeros(1))], lr=1e-2)
    waiting = {name for name, _ in block.named_parameters()}
    weights = torch.randn(shape(card, block), generator=torch.Generator().manual_seed(2))
    for step in range(3):
        optimizer.zero_grad()
        x = inputs()
        leaves = [leaf.requires_grad_() for leaf in (x.fields, x.flat, x.target, x.history, x.logits, x.scores)]
        loss = (called(card, block, x, seed=step) * weights).sum()
        (loss + beside(block, x)).backward()
        grads = {name: p.grad for name, p in block.named_parameters() if p.grad is not None}
        reached = [*grads.values(), *(leaf.grad for leaf in leaves if leaf.grad is not None)]
        assert reached and all(torch.isfinite(g).all() for g in reached)
        waiting -= {name for name, g in grads.items() if (g != 0).any()}
        optimizer.step()
    assert waiting == set()


@pytest.mark.parametrize("card", [c for c in BLOCKS if c.name not in NO_SLOPES], ids=lambda c: c.name)
@pytest.mark.parametrize("training", [True, False])
def test_gradients_are_slopes_in_float64(card: Card, training: bool) -> None:
    """In all parameters, and in the inputs but for a loss's own targets. With the tests that hold blocks to loops written from
    the papers' formulas: gradients are the formulas' own."""
    block, x = away_from_the_start(built(card)).train(training), inputs()[:6]
    for name in (reals := ("fields", "flat", "target", "history", "outcomes", "logits", "scores")):
        setattr(x, name, getattr(x, name).double())
    x.batch.numeric = x.batch.numeric.double()
    given = [] if card.name in HAS_TARGETS else [getattr(x, name) for name in reals]

    def call() -> Tensor:
        return called(card, block, x) + beside(block, x)

    assert gradients_are_slopes(block, call, [*given, x.batch.numeric])


@every_block_by_row
def test_a_rows_output_is_its_own_in_evaluation(card: Card) -> None:
    block, x = built(card), inputs()
    called(card, block.train(), x)  # moving statistics move
    block.eval()
    together, order = called(card, block, x), torch.randperm(B, generator=torch.Generator().manual_seed(3))
    torch.testing.assert_close(called(card, block, x[order]), together[order], rtol=1e-5, atol=1e-5)
    for row in (0, 1, B - 1):
        torch.testing.assert_close(called(card, block, x[row : row + 1]), together[row : row + 1], rtol=1e-5, atol=1e-5)


@every_block
def test_a_single_row_can_be_trained_on(card: Card) -> None:
    block, x = built(card).train(), inputs()
    for row in range(3):
        output = called(card, block, x[row : row + 1])
        output.sum().backward() if output.requires_grad else None
        assert torch.isfinite(output).all()
    assert all(p.grad is None or torch.isfinite(p.grad).all() for p in block.parameters())


@every_block
def test_a_seed_decides_everything(card: Card) -> None:
    first, second = (called(card, built(card).train(), inputs()) for _ in range(2))
    assert torch.equal(first, second)


@every_block
def test_state_round_trips(card: Card) -> None:
    trained, fresh = built(card, seed=0), built(card, seed=1)
    called(card, trained.train(), inputs())
    fresh.load_state_dict(trained.state_dict())
    assert torch.equal(called(card, fresh.eval(), inputs()), called(card, trained.eval(), inputs()))


@every_block
def test_inputs_are_left_as_they_were(card: Card) -> None:
    x, untouched = inputs(), inputs()
    called(card, built(card).train(), x)
    for now, then in ((x, untouched), (x.batch, untouched.batch)):
        pairs = ((getattr(now, f.name), getattr(then, f.name)) for f in fields(now))
        assert all(np.array_equal(a, b, equal_nan=True) for a, b in pairs if isinstance(a, Tensor))
