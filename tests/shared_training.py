"""What members of a team do under test: train models, look up rows, add up gradients. A team of one does the same alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import torch
from planted_rows import SCHEMAS, planted
from torch import Tensor, nn

from sandboxes.kit import Batch, Schema, Stage, observed_bce
from sandboxes.kit.layers import DNN, FeatureEmbedding, FrequencyClipping, LinearTerm, SharpnessAware
from sandboxes.kit.layers.table import Table
from sandboxes.kit.models import MODELS
from sandboxes.kit.team import Team, building_for
from sandboxes.kit.training import TrainConfig, build, fit, predictions
from sandboxes.kit.training.parallel import average_statistics, parameter_count, sum_gradients, whole_state

TABLE_ROWS, WIDTH, PADDING = 13, 3, 4
HYPER: dict[str, Any] = {"embedding_dim": 4, "hidden_units": (16,)}  # few units, of which rounding seldom switches one on or off


class EveryLookup(nn.Module):
    """Fields, a history vector by vector and as a mean, first-order weights."""

    def __init__(self, schema: Schema, *, embedding_dim: int = 4) -> None:
        super().__init__()
        self.embedding, self.linear = FeatureEmbedding(schema, embedding_dim), LinearTerm(schema, len(schema.tasks))
        self.history = schema.sequences[0].name
        self.deep = DNN((schema.n_fields + len(schema.sequences) + 1) * embedding_dim, (8,))
        self.output = nn.Linear(8, len(schema.tasks))

    def forward(self, batch: Batch) -> Tensor:
        vectors, mask = self.embedding.history(batch, self.history)
        again = (vectors.sum(1) / mask.sum(1, keepdim=True).clamp(min=1)).unsqueeze(1)
        fields = torch.cat([self.embedding.with_histories(batch), again], 1)
        return self.linear(batch) + self.output(self.deep(fields.flatten(1)))


class InStages(EveryLookup):
    """A loss of its own on the embedding, then all but the embedding."""

    def stages(self) -> list[Stage]:
        return [Stage("first", loss="own", freeze=("deep", "output")), Stage("rest", freeze=("embedding",))]

    def own(self, batch: Batch) -> Tensor:
        assert batch.labels is not None
        return observed_bce(self(batch)[:, :1], batch.labels[:, :1]) + 1e-3 * self.linear.bias.square().sum()


class Sharp(EveryLookup):
    """Under sharpness-aware steps."""

    def stages(self) -> Sequence[Stage]:
        return SharpnessAware(rho=0.1).staged((Stage("train"),))


class Clipped(EveryLookup):
    """Under clipping by frequency."""

    def stages(self) -> Sequence[Stage]:
        return FrequencyClipping().staged((Stage("train"),))


class Tied(EveryLookup):
    """Uses the table's weights as such."""

    def loss(self, batch: Batch) -> Tensor:
        assert self.embedding.table is not None
        return self(batch).square().mean() + self.embedding.table.weight.square().sum()


class Drawing(EveryLookup):
    """Keeps what it draws while it trains, as dropout does."""

    def __init__(self, schema: Schema) -> None:
        super().__init__(schema)
        self.drawn: list[float] = []

    def forward(self, batch: Batch) -> Tensor:
        if self.training:
            self.drawn.append(torch.rand(()).item())
        return super().forward(batch)


OWN = {"every_lookup": EveryLookup, "in_stages": InStages, "tied": Tied, "sharp": Sharp, "clipped": Clipped}


def trained(team: Team, model: str, schema: str, rows: int, config: TrainConfig) -> dict[str, Any]:
    """Epochs, predictions of valid and of a single row, whole weights (of whoever leads) and the number of parameters."""
    model_class: type[nn.Module] = OWN[model] if model in OWN else MODELS[model]
    train, valid, tasks = planted(SCHEMAS[schema], rows, seed=1), planted(SCHEMAS[schema], 200, seed=2), SCHEMAS[schema].tasks
    made = build(model_class, SCHEMAS[schema], HYPER, seed=0, team=team)
    fitted = fit(made, train, valid, config, team=team)
    return {
        "epochs": [
            {name: value for name, value in (asdict(e) | e.valid).items() if name not in ("seconds", "valid")}
            for e in fitted.epochs
        ],
        "predictions": torch.from_numpy(predictions(made, valid, len(tasks), team=team)),
        "of_one_row": torch.from_numpy(predictions(made, planted(SCHEMAS[schema], 1, seed=3), len(tasks), team=team)),
        "weights": whole_state(made, fitted.state, team),
        "parameters": parameter_count(made),
    }


def refused(team: Team, model: str) -> str:
    """What is said of a model that several processes cannot train."""
    try:
        trained(team, model, "two_histories", 64, TrainConfig(batch_size=32))
    except ValueError as error:
        return str(error)
    return ""


def drawn(team: Team) -> list[float]:
    """What a model draws in one epoch."""
    model = build(Drawing, SCHEMAS["two_histories"], {}, seed=0, team=team)
    rows = planted(SCHEMAS["two_histories"], 64)
    fit(model, rows, rows, TrainConfig(batch_size=32, max_epochs=1), team=team)
    assert isinstance(model, Drawing)
    return model.drawn


def rows_asked(member: int) -> Tensor:
    """Rows (4, 5) that a member looks up: often the same, and of the third member no more than one."""
    drawn = torch.randint(0, TABLE_ROWS, (4, 5), generator=torch.Generator().manual_seed(member))
    return drawn if member < 2 else torch.full_like(drawn, PADDING)


def loss_of_lookups(table: Table, rows: Tensor) -> Tensor:
    """Of a lookup and of means, with a weight of its own for every number."""
    weights = torch.arange(1.0, rows.numel() * WIDTH + 1).view(*rows.shape, WIDTH)
    return (table(rows) * weights).sum() + (table.pooled(rows, PADDING) * weights[:, 0]).square().sum()


def looked_up(team: Team) -> dict[str, Tensor]:
    """Vectors, means, own weights and their gradient."""
    torch.manual_seed(5)
    with building_for(team):
        table = Table(TABLE_ROWS, WIDTH, std=1.0)
    rows = rows_asked(team.rank)
    loss_of_lookups(table, rows).backward()
    assert table.weight.grad is not None
    gradient = table.weight.grad.to_dense()
    return {"vectors": table(rows).detach(), "means": table.pooled(rows, PADDING).detach(), "gradient": gradient}


def added_up(team: Team) -> dict[str, Tensor | None]:
    """Gradients that all, the first member, or none has; and running means, after they were averaged."""
    model = nn.ParameterDict({name: nn.Parameter(torch.zeros(2)) for name in ("all", "first", "none")})
    model["all"].grad = torch.tensor([1.0, team.rank])
    model["first"].grad = torch.ones(2) if team.leads else None
    sum_gradients(model, team)
    statistics = nn.BatchNorm1d(1)
    statistics.running_mean = torch.tensor([float(team.rank)])
    average_statistics(statistics, team)
    return {name: p.grad for name, p in model.items()} | {"running_mean": statistics.running_mean}
