"""Blocks with a part in training: a teacher, turns, a curriculum. Notation: B rows, T tasks."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from planted_rows import SCHEMAS, planted
from random_rows import PLAIN, RICH, random_rows
from torch import Tensor, nn

from sandboxes.kit import Batch, Schema, Stage, observed_bce
from sandboxes.kit.layers import AlternatingUpdates, Distillation, EasyToHard, FeatureEmbedding, LinearTerm, SharpnessAware
from sandboxes.kit.served_form import in_served_form, served_state
from sandboxes.kit.smoke import smoke
from sandboxes.kit.training import TrainConfig, build, fit
from sandboxes.kit.training.model import predict

B, T = 64, len(RICH.tasks)
ROWS = random_rows(RICH, B).whole
CONFIG = TrainConfig(max_epochs=4, patience=4, batch_size=50, learning_rate=0.01)


def logits(seed: int = 0) -> Tensor:
    return 2 * torch.randn(B, T, generator=torch.Generator().manual_seed(seed))


class Fixed(nn.Module):
    """Says what it is told to."""

    def __init__(self, said: Tensor) -> None:
        super().__init__()
        self.said = nn.Parameter(said)

    def forward(self, batch: Batch) -> Tensor:
        return self.said


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


@pytest.mark.parametrize(("temperature", "weight"), [(1.0, 1.0), (3.0, 0.3)])
def test_distillation_is_labels_and_divergence(temperature: float, weight: float) -> None:
    ours, theirs = logits(1), logits(2)
    block = Distillation(Fixed(theirs), temperature, weight)
    p, q = (sigmoid(x.double().numpy() / temperature) for x in (theirs, ours))
    divergence = (p * np.log(p / q) + (1 - p) * np.log((1 - p) / (1 - q))).mean(0).sum()
    wanted = (1 - weight) * observed_bce(ours, ROWS.labels).item() + weight * temperature**2 * divergence
    assert block(ours, ROWS).item() == pytest.approx(wanted, rel=1e-4)
    assert Distillation(Fixed(ours), temperature, 1.0)(ours, ROWS).item() == pytest.approx(0, abs=1e-6)


def test_no_gradient_of_the_students_loss_reaches_the_teacher() -> None:
    block, ours = Distillation(Fixed(logits(2))), logits(1).requires_grad_()
    block(ours, ROWS).backward()
    assert ours.grad is not None and block.teacher.said.grad is None
    block.teacher_loss(ROWS).backward()
    assert block.teacher.said.grad is not None


class Taught(nn.Module):
    """First-order weights under a twin of their own; `when` notes which loss was asked for."""

    def __init__(self, schema: Schema) -> None:
        super().__init__()
        self.linear, self.hidden = LinearTerm(schema, 1), nn.Dropout(0.5)
        self.distillation = Distillation(self, teacher_share=0.5)
        self.when: list[str] = []

    def forward(self, batch: Batch) -> Tensor:
        return self.linear(batch) + 0.0 * self.hidden(batch.numeric).sum()

    def loss(self, batch: Batch) -> Tensor:
        self.when.append("student")
        return self.distillation(self(batch), batch)

    def teacher_loss(self, batch: Batch) -> Tensor:
        self.when.append("teacher")
        return self.distillation.teacher_loss(batch)

    def stages(self) -> tuple[Stage, ...]:
        return self.distillation.staged((Stage("train"),))


def test_the_teacher_is_trained_first_alone_and_then_stays_as_it_is() -> None:
    torch.manual_seed(0)
    model, rows, seen = Taught(PLAIN), random_rows(PLAIN, 200), []
    first = {name: value.clone() for name, value in model.state_dict().items()}

    def note(event: dict[str, object]) -> None:
        seen.append({name: value.clone() for name, value in model.state_dict().items()})

    fit(model, rows, rows, CONFIG, emit=lambda event: note(event) if event["event"] == "epoch" else None)
    assert model.when == ["teacher"] * 8 + ["student"] * 8
    teacher = [n for n in first if n.startswith("distillation.teacher.")]
    others = [n for n in first if n not in teacher]
    assert all(torch.equal(seen[1][n], first[n]) for n in others)
    assert any((seen[1][n] != first[n]).any() for n in teacher)
    assert all(torch.equal(seen[3][n], seen[1][n]) for n in teacher)
    assert any((seen[3][n] != first[n]).any() for n in others)
    assert not model.distillation.teacher.training or model.training  # in evaluation mode while it teaches


def test_the_teacher_teaches_in_evaluation_mode() -> None:
    model = Taught(PLAIN).train()
    model.loss(random_rows(PLAIN, 8).whole)
    assert model.training and not model.distillation.teacher.training
    model.teacher_loss(random_rows(PLAIN, 8).whole)
    assert model.distillation.teacher.training


def test_a_served_model_has_no_teacher_and_says_the_same() -> None:
    model, rows = Taught(PLAIN), random_rows(PLAIN, 20).whole
    state = served_state(model, model.state_dict())
    assert state and not any("teacher" in name for name in state)
    said = predict(model, rows, 1)
    torch.manual_seed(9)
    served = in_served_form(Taught(PLAIN))
    served.load_state_dict(state)
    assert torch.equal(predict(served, rows, 1), said)


def test_a_teacher_of_noisy_labels_gives_a_better_student() -> None:
    """Labels of single rows are coin flips around a known rate: an oracle's rates tell more than 64 flips."""
    draw = torch.Generator().manual_seed(3)
    x = torch.randn(64, 1, generator=draw)
    truth = 1.5 * x
    labels = torch.bernoulli(torch.sigmoid(truth), generator=draw)
    batch = Batch(ids=torch.zeros(64, 0, dtype=torch.int64), numeric=x, labels=labels)
    distance = {}
    for weight in (0.0, 0.9):
        torch.manual_seed(0)
        student = nn.Sequential(nn.Linear(1, 32), nn.ReLU(), nn.Linear(32, 1))
        block = Distillation(Fixed(truth), temperature=1.0, teacher_weight=weight)
        optimiser = torch.optim.Adam(student.parameters(), lr=0.02)
        for _ in range(300):
            optimiser.zero_grad()
            block(student(x), batch).backward()
            optimiser.step()
        distance[weight] = (student(x) - truth).square().mean().item()
    assert distance[0.9] < 0.3 * distance[0.0]


@pytest.mark.parametrize("wrong", [{"temperature": 0.0}, {"teacher_weight": 1.1}, {"teacher_share": 1.0}])
def test_a_distillation_out_of_range_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="temperature is positive"):
        Distillation(Fixed(logits()), **wrong)


# Turns


class Turns(nn.Module):
    """Two parts that only one loss each moves; `asked` notes the losses in order."""

    def __init__(self, schema: Schema, every: int = 1, freeze: tuple[str, ...] = ()) -> None:
        super().__init__()
        self.embedding, self.side, self.output = FeatureEmbedding(schema, 3), nn.Linear(3, 1), nn.Linear(3 * schema.n_fields, 1)
        self.every, self.freeze, self.asked = every, freeze, list[str]()

    def forward(self, batch: Batch) -> Tensor:
        return self.output(self.embedding(batch).flatten(1))

    def loss(self, batch: Batch) -> Tensor:
        self.asked.append("loss")
        return observed_bce(self(batch), batch.labels)

    def auxiliary_loss(self, batch: Batch) -> Tensor:
        self.asked.append("auxiliary")
        return (self.side(self.embedding(batch)) - 1).square().mean()

    def stages(self) -> tuple[Stage, ...]:
        return AlternatingUpdates("auxiliary_loss", self.every).staged((Stage("train", freeze=self.freeze),))


def test_losses_take_turns_on_the_same_batches_and_tables_are_updated_as_a_whole() -> None:
    rows, ends = random_rows(PLAIN, 200), []
    for updates in ("whole", "touched"):
        torch.manual_seed(0)
        model = Turns(PLAIN, every=2)
        fitted = fit(model, rows, rows, TrainConfig(max_epochs=1, batch_size=50, learning_rate=0.01, updates=updates))
        assert model.asked == ["loss", "auxiliary", "loss", "loss", "auxiliary", "loss"]
        assert fitted.epochs[0].train_loss == pytest.approx(np.log(2), abs=0.1)  # the main loss alone
        ends.append(model.state_dict())
    assert all(torch.equal(ends[0][name], ends[1][name]) for name in ends[0])


def test_turns_are_steps_of_optimisers_of_their_own() -> None:
    torch.manual_seed(0)
    model, rows = Turns(PLAIN), random_rows(PLAIN, 100)
    torch.manual_seed(0)
    by_hand = Turns(PLAIN)
    fit(model, rows, rows, TrainConfig(max_epochs=2, patience=2, batch_size=100, learning_rate=0.01))
    adams = [torch.optim.Adam(by_hand.parameters(), lr=0.01, fused=True) for _ in range(2)]
    states = []
    for _ in range(2):
        for adam, loss in zip(adams, (by_hand.auxiliary_loss, by_hand.loss), strict=True):
            adam.zero_grad()
            loss(rows.whole).backward()
            adam.step()
        states.append({n: v.detach().clone() for n, v in by_hand.state_dict().items()})
    ends = [all(torch.allclose(v, state[n], atol=1e-6) for n, v in model.state_dict().items()) for state in states]
    assert any(ends)  # the better of the two epochs was kept


def test_what_a_stage_beside_freezes_it_does_not_move() -> None:
    class Adversary(Turns):
        def stages(self) -> tuple[Stage, ...]:
            return (
                Stage("train", freeze=("side",), beside=(Stage("side", loss="auxiliary_loss", freeze=("embedding", "output")),)),
            )

    class Alone(Turns):
        def stages(self) -> tuple[Stage, ...]:
            return (Stage("train", freeze=("side",)),)

    ends, rows = [], random_rows(PLAIN, 200)
    for kind in (Adversary, Alone):
        torch.manual_seed(0)
        model = kind(PLAIN)
        before = model.side.weight.detach().clone()
        fit(model, rows, rows, CONFIG)
        ends.append(model)
        assert torch.equal(before, model.side.weight) == (kind is Alone)
    for one, other in zip(ends[0].embedding.parameters(), ends[1].embedding.parameters(), strict=True):
        assert torch.equal(one, other)
    assert torch.equal(ends[0].output.weight, ends[1].output.weight)


def test_turns_go_with_a_rule_of_update() -> None:
    class Sharp(Turns):
        def stages(self) -> tuple[Stage, ...]:
            return SharpnessAware().staged(super().stages())

    model, rows = Sharp(PLAIN), random_rows(PLAIN, 100)
    fit(model, rows, rows, TrainConfig(max_epochs=1, batch_size=50))
    assert model.asked == ["auxiliary", "auxiliary", "loss", "loss"] * 2


@pytest.mark.parametrize("first", [True, False])
def test_a_rule_of_one_turn_leaves_the_others_alone(first: bool) -> None:
    class Mixed(Turns):
        def stages(self) -> tuple[Stage, ...]:
            rule = SharpnessAware()
            side = Stage("side", loss="auxiliary_loss", update=rule if first else None)
            return (Stage("train", update=None if first else rule, beside=(side,)),)

    model, rows = Mixed(PLAIN), random_rows(PLAIN, 100)
    fit(model, rows, rows, TrainConfig(max_epochs=1, batch_size=50))
    assert model.asked == (["auxiliary", "auxiliary", "loss"] if first else ["auxiliary", "loss", "loss"]) * 2
    assert model.embedding.table.watcher is None


def test_losses_that_work_against_each_other_pass_the_smoke_checks() -> None:
    class Opposed(nn.Module):
        """`critic` guesses a column from the logit, which is to mislead it: no critic is left in the sum of both losses."""

        def __init__(self, schema: Schema, embedding_dim: int = 4) -> None:
            super().__init__()
            self.linear, self.critic = LinearTerm(schema, 1), nn.Linear(1, 1)

        def forward(self, batch: Batch) -> Tensor:
            return self.linear(batch)

        def critic_loss(self, batch: Batch) -> Tensor:
            return 0.1 * (self.critic(self.linear(batch)) - batch.numeric[:, :1]).square().mean()

        def loss(self, batch: Batch) -> Tensor:
            return observed_bce(self(batch), batch.labels) - self.critic_loss(batch)

        def stages(self) -> list[Stage]:
            return [Stage("train", freeze=("critic",), beside=(Stage("critic", loss="critic_loss", freeze=("linear",)),))]

    checks, _ = smoke(Opposed, PLAIN, random_rows(PLAIN), {})
    assert [c for c in checks if not c.passed] == []


def test_a_stage_beside_another_has_none_beside_it() -> None:
    with pytest.raises(ValueError, match="none beside them"):
        Stage("a", beside=(Stage("b", beside=(Stage("c"),)),))
    with pytest.raises(ValueError, match="every batch or more seldom"):
        Stage("a", every=0)


# From easy to hard


def counted(block: EasyToHard, said: Tensor, batch: Batch) -> np.ndarray:
    """Which rows (B, T) have a gradient."""
    x = said.clone().requires_grad_()
    block(x, batch).backward()
    return (x.grad != 0).numpy()


@pytest.mark.parametrize(("progress", "share"), [(0.0, 0.3), (0.25, np.sqrt(0.5 * 0.91 + 0.09)), (0.5, 1.0), (0.9, 1.0)])
def test_the_easiest_rows_of_either_label_count(progress: float, share: float) -> None:
    block, said = EasyToHard(start_share=0.3, full_at=0.5), logits()
    block.set_progress(progress)
    labels, losses = ROWS.labels.numpy(), np.logaddexp(0, -said.numpy() * (2 * ROWS.labels.numpy() - 1))
    wanted, total = np.zeros((B, T), bool), 0.0
    for t in range(T):
        for y in (0, 1):
            own = np.flatnonzero(labels[:, t] == y)
            easiest = own[np.argsort(losses[own, t])][: int(np.ceil(share * len(own) - 1e-6))]
            wanted[easiest, t] = True
        total += losses[wanted[:, t], t].mean()
    assert block(said, ROWS).item() == pytest.approx(total, rel=1e-5)
    assert (counted(block, said, ROWS) == wanted).all()


def test_once_all_rows_count_it_is_the_cross_entropy() -> None:
    assert EasyToHard()(logits(), ROWS).item() == pytest.approx(observed_bce(logits(), ROWS.labels).item(), rel=1e-5)


def test_the_trainer_tells_progress_and_the_share_grows() -> None:
    class Paced(nn.Module):
        def __init__(self, schema: Schema) -> None:
            super().__init__()
            self.linear, self.easy_to_hard, self.shares = LinearTerm(schema, 1), EasyToHard(0.2, 0.5), list[float]()

        def forward(self, batch: Batch) -> Tensor:
            return self.linear(batch)

        def loss(self, batch: Batch) -> Tensor:
            self.shares.append(self.easy_to_hard.share.item())
            return self.easy_to_hard(self(batch), batch)

    model, rows = Paced(PLAIN), random_rows(PLAIN, 200)
    fit(model, rows, rows, CONFIG)
    assert len(model.shares) == 16 and model.shares[0] == pytest.approx(0.2)
    assert all(np.diff(model.shares[:9]) > 0) and model.shares[8:] == [1.0] * 8
    assert "easy_to_hard.progress" not in model.state_dict()


def test_a_curriculum_learns_past_wrong_labels_at_first() -> None:
    """A tenth of the labels are flipped: the early objective hardly holds them."""
    draw = torch.Generator().manual_seed(1)
    x = torch.randn(2000, generator=draw)
    clean = (x > 0).float()
    wrong = torch.rand(2000, generator=draw) < 0.1
    batch = Batch(
        ids=torch.zeros(2000, 0, dtype=torch.int64), numeric=x[:, None], labels=torch.where(wrong, 1 - clean, clean)[:, None]
    )
    block = EasyToHard(start_share=0.5)
    block.set_progress(0.0)
    taken = counted(block, 3 * x[:, None], batch)[:, 0]
    assert wrong.numpy()[taken].mean() < 0.01 < 0.09 < wrong.numpy().mean()


@pytest.mark.parametrize("wrong", [{"start_share": 0.0}, {"full_at": 1.5}])
def test_a_curriculum_out_of_range_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="shares lie above 0"):
        EasyToHard(**wrong)


def test_planted_rows_are_still_learned_under_all_of_it() -> None:
    """A teacher, turns and sharpness-aware steps around one model that has something to learn."""
    schema = SCHEMAS["categorical"]

    class Everything(Turns):
        def __init__(self, schema: Schema) -> None:
            super().__init__(schema)
            self.output = nn.Sequential(nn.Linear(3 * schema.n_fields, 32), nn.ReLU(), nn.Linear(32, 1))
            self.distillation = Distillation(self, teacher_share=0.4)

        def loss(self, batch: Batch) -> Tensor:
            return self.distillation(self(batch), batch)

        def teacher_loss(self, batch: Batch) -> Tensor:
            return self.distillation.teacher_loss(batch)

        def stages(self) -> tuple[Stage, ...]:
            return SharpnessAware(0.02).staged(self.distillation.staged(super().stages()))

    train, valid = planted(schema, 2000, seed=1), planted(schema, 500, seed=2)
    model = build(Everything, schema, {}, seed=0)
    fitted = fit(model, train, valid, TrainConfig(max_epochs=10, patience=10, batch_size=100, learning_rate=0.02))
    assert [e.stage for e in fitted.epochs] == ["teacher"] * 4 + ["train"] * 6
    assert max(e.valid["auc"] for e in fitted.epochs) > 0.6
