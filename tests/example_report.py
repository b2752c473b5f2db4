"""Report views built the way a run builds them: simulated predictions, scored and compared by the real code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from simulated_models import Queries, World, list_runs, model_runs

from agents.autotrain.plan import ExperimentPlan
from agents.autotrain.recall import Known, Recall, SimilarPaper
from agents.autotrain.report import (
    AblationView,
    AttemptView,
    CodeView,
    CostView,
    DataView,
    Failed,
    FidelityView,
    LeakCheck,
    ModelView,
    PaperView,
    ReportView,
    SmokeCheck,
)
from agents.autotrain.results import ModelResult, SeedRow, TrialRow
from agents.autotrain.spec import Claim, Evidence, HyperParameter, Mechanism, MethodSpec, Named, Scope
from agents.compare import Comparison, LabelTruth, ListTruth, Question, Trained, Truth, beside_claims, compare
from sandboxes.kit.schema import Predicts
from sandboxes.reports import EpochRow

SEEDS = (1, 2, 3, 4, 5)
ERRORS = {"candidate": 0.55, "lr": 1.6, "dnn": 0.75, "dcnv2": 0.62}  # what each model class gets wrong
DEPTHS = {"candidate": 0.0, "popularity": 1.0, "matrix_factorisation": 0.3, "two_towers": 0.02}  # how much deeper answers stand
TASKS = ("click", "purchase")

MODEL_PY = '''"""Gated cross network: cross layers whose output a gate of the instance weighs (m1, m2)."""

import torch
from torch import Tensor, nn

from sandboxes.kit import Batch, Schema
from sandboxes.kit.layers import DNN, CrossNetworkV2, FeatureEmbedding, LinearTerm


class Model(nn.Module):
    """Embeds the fields, crosses them under a gate, and adds a deep tower."""

    def __init__(self, schema: Schema, *, embedding_dim: int = 16, dropout: float = 0.0) -> None:
        super().__init__()
        width = schema.n_fields * embedding_dim
        self.embedding = FeatureEmbedding(schema, embedding_dim)
        self.linear = LinearTerm(schema, len(schema.tasks))
        self.cross = CrossNetworkV2(width, layers=3)  # m1: full-matrix cross layers
        self.gate = nn.Linear(width, width)  # m2: the instance's gate
        self.deep = DNN(width, (400, 400), dropout)  # m3: the deep tower
        self.out = nn.Linear(width + self.deep.out_dim, len(schema.tasks))

    def forward(self, batch: Batch) -> Tensor:
        fields = self.embedding(batch).flatten(1)  # (B, F * D)
        crossed = self.cross(fields) * torch.sigmoid(self.gate(fields))  # (B, F * D)
        return self.out(torch.cat([crossed, self.deep(fields)], dim=1)) + self.linear(batch)  # (B, T)
'''


class Simulation:
    """Users with several rows or queries each, and predictions of four models on every seed, the candidate's first."""

    def __init__(self, rows: int = 12_000, seeds: tuple[int, ...] = SEEDS, predicts: Predicts = "labels") -> None:
        self.seeds = seeds
        self.truth, self.predictions = (_two_tasks if predicts == "labels" else _ranked_lists)(rows, seeds)
        self.scores = {name: {s: self.truth.score(p) for s, p in runs.items()} for name, runs in self.predictions.items()}

    @property
    def means(self) -> dict[str, dict[str, float]]:
        """Of the primary metric."""
        metric = self.truth.question.primary
        return {n: {metric: float(np.mean([s.primary.values[metric] for s in r.values()]))} for n, r in self.scores.items()}

    def trained(self, name: str) -> Trained:
        (mean,) = self.means[name].values()
        return Trained(name, self.predictions[name], mean - 0.002, data_hash="d4c0ffee")

    def comparison(self) -> Comparison:
        candidate, *baselines = (self.trained(name) for name in self.predictions)
        return compare(candidate, baselines, self.truth, self.seeds)

    def model(self, name: str) -> ModelView:
        rng = np.random.default_rng(len(name))
        question = self.truth.question
        valid = {s: v.primary.values[question.primary] - 0.002 for s, v in self.scores[name].items()}
        result = ModelResult(
            name=name,
            role="candidate" if name == "candidate" else "baseline",
            setting={"learning_rate": 0.0013, "embedding_l2": 1e-6, "dropout": 0.1},
            trials=tuple(
                TrialRow(job="a1b2c3", status="ok", seconds=31.2, setting={"learning_rate": lr}, valid=a)
                for lr, a in ((0.001, 0.7812), (0.0013, 0.7825))
            ),
            seeds=tuple(_seed(s, a, question, rng) for s, a in valid.items()),
            parameters={"lr": 91_204, "dnn": 1_904_331, "dcnv2": 2_101_775}.get(name, 2_317_009),
            device="cpu",
        )
        return ModelView(result=result, test=self.scores[name], valid=valid)


def _two_tasks(rows: int, seeds: tuple[int, ...]) -> tuple[Truth, Mapping[str, Mapping[int, Any]]]:
    rng = np.random.default_rng(3)
    world = World.draw(rng, rows)
    bought = np.where((world.labels == 1) & (rng.random(rows) < 0.3), 1.0, 0.0)
    users: NDArray[np.int64] = rng.integers(0, rows // 8, rows)
    predictions = {
        name: {
            s: np.stack([p, 0.3 * p], 1)
            for s, p in model_runs(np.random.default_rng(100 + i), world, len(seeds), own=own, per_seed=0.08, uneven=0.05).items()
        }
        for i, (name, own) in enumerate(ERRORS.items())
    }
    return LabelTruth(np.stack([world.labels, bought], 1), TASKS, users), predictions


def _ranked_lists(queries: int, seeds: tuple[int, ...]) -> tuple[Truth, Mapping[str, Mapping[int, Any]]]:
    drawn = Queries.draw(np.random.default_rng(3), queries)
    predictions = {
        name: list_runs(np.random.default_rng(100 + i), drawn, len(seeds), own=0.2, per_seed=0.1, deeper=deeper)
        for i, (name, deeper) in enumerate(DEPTHS.items())
    }
    users = np.arange(queries) // 2
    return ListTruth(drawn.answers, drawn.n_items, "rating", users), predictions


def _seed(seed: int, best: float, question: Question, rng: np.random.Generator) -> SeedRow:
    curve = [best - 0.03 * 0.45**e + 0.001 * rng.normal() for e in range(4)] + [best]
    first, second = question.metrics
    epochs = tuple(
        EpochRow(epoch=e + 1, stage="train", train_loss=0.5 - 0.02 * e, valid={first: a, second: 0.47}, seconds=5.0)
        for e, a in enumerate(curve)
    )
    return SeedRow(
        job=f"{seed}f00dfeed",
        status="ok",
        seconds=28.0 + 4 * rng.random(),
        seed=seed,
        epochs=epochs,
        best_epoch=5,
        samples_per_s=41_000.0,
    )


def spec() -> MethodSpec:
    said = Evidence(
        quote="we modulate the output of every cross layer by a gate that is computed from the instance itself",
        section="3.2 Gate",
        start=10,
    )
    return MethodSpec(
        paper_id="0123456789ab",
        title="Gated Cross Networks for Click Prediction",
        model_name="GateCross",
        scope=Scope(kind="in_scope"),
        mechanisms=(
            Mechanism(
                id="m1",
                name="cross network v2",
                block="cross_v2",
                basis="stated",
                confidence=0.91,
                evidence=(said,),
                arguments={"layers": 3},
            ),
            Mechanism(
                id="m2", name="instance-guided gate", block="instance_mask", basis="stated", confidence=0.74, evidence=(said,)
            ),
            Mechanism(
                id="m3", name="deep tower", block="dnn", basis="inferred", confidence=0.6, arguments={"hidden_units": [400, 400]}
            ),
            Mechanism(id="m4", name="annealed temperature of the gate", block=None, basis="stated", confidence=0.5),
        ),
        losses=(Named(name="binary cross-entropy"),),
        hyper_parameters=(HyperParameter(name="embedding_dim", value=16, basis="stated", evidence=said),),
        datasets=(Named(name="Criteo"),),
        baselines=(Named(name="DCN-V2"),),
        claims=(Claim(dataset="Criteo", metric="AUC", value=0.8142, baseline="DCN-V2", baseline_value=0.8115),),
        unclear=(
            Evidence(quote="the temperature is annealed with a schedule described in our released code", section="3.4", start=99),
        ),
    )


def full_view(simulation: Simulation, *, synthetic: bool = True) -> ReportView:
    """A run that went through, with everything a report can show."""
    comparison, understood = simulation.comparison(), spec()
    _, *baselines = simulation.predictions
    return ReportView(
        run_id="20261124-gatecross-1a2b3c",
        created="2026-11-24 14:02 UTC",
        outcome="done",
        paper=PaperView(
            title=understood.title,
            source="https://example.org/gatecross.pdf",
            format="pdf",
            words=7412,
            pages=9,
            sections=14,
            equations=21,
            tables=4,
            notes=("Table 3 could not be read as a table.",),
        ),
        spec=understood,
        recall=Recall(
            papers=(
                SimilarPaper(title="Deep crossing of features", similarity=0.61, outcomes=("done tie: equivalent to dcnv2",)),
            ),
            lessons=(
                Known(
                    topic="t1",
                    in_words="a gate on cross layers (frappe, ctr): 1 run against; strength -0.50",
                    polarity="negative",
                    reason="few fields",
                    lessons=("lesson-1",),
                ),
            ),
            samples_per_s=41_000.0,
        ),
        plan=ExperimentPlan(
            dataset="planted-clicks",
            data_hash="d4c0ffee",
            rows={"train": 96_000, "valid": 12_000, "test": 12_000},
            synthetic=synthetic,
            predicts=simulation.truth.question.predicts,
            tasks=tuple(simulation.truth.tasks),
            baselines=tuple(baselines),
            seeds=simulation.seeds,
            trials=2,
            embedding_dim=16,
            batch_size=2048,
            max_epochs=5,
            patience=1,
            threads=1,
            estimated_minutes=9.5,
            estimate_basis="28 runs at 41,000 samples/s, as past runs here did",
        ),
        data=DataView(
            name="planted-clicks",
            synthetic=synthetic,
            data_hash="d4c0ffee",
            sizes={"train": 96_000, "valid": 12_000, "test": 12_000},
            positive_rates={"click": 0.31, "purchase": 0.09},
            facts={"Provenance": "generated, seed 7", "Split": "by time", "Minimum frequency": "2"},
            leak_checks=(LeakCheck(name="no row of test occurs in train", passed=True, detail="0 of 12,000"),),
        ),
        attempts=(
            AttemptView(number=1, policy=("line 4: import of os is not allowed",), fault="line 4: import of os is not allowed"),
            AttemptView(
                number=2,
                checks=(
                    SmokeCheck(name="builds", passed=True, detail="2,317,009 parameters"),
                    SmokeCheck(name="64 rows can be overfitted", passed=True, detail=""),
                ),
            ),
        ),
        code=CodeView(text=MODEL_PY, composed=True, code_hash="9f" * 32, notes=("m4: left out, no block anneals a gate",)),
        paper_parameters="2.4 M (Table 4)",
        models=tuple(simulation.model(name) for name in simulation.predictions),
        comparison=comparison,
        claims=beside_claims(understood.claims, comparison, simulation.means, "planted-clicks", synthetic),
        fidelity=(
            FidelityView(mechanism="m1", name="cross network v2", status="implemented", lines=(18, 18)),
            FidelityView(
                mechanism="m2", name="instance-guided gate", status="simplified", lines=(19, 25), note="one gate for all layers"
            ),
            FidelityView(mechanism="m3", name="deep tower", status="implemented", lines=(20, 20)),
            FidelityView(mechanism="m4", name="annealed temperature of the gate", status="missing"),
        ),
        ablation=AblationView(mechanism="m2", name="instance-guided gate", note="the budget did not allow it"),
        cost=CostView(seconds=742.0, training_seconds=1240.0, runs=28, reused_runs=7),
        sandbox="bubblewrap",
        sandbox_note="no network, read-only system, own process table",
        environment={"Python": "3.11.9", "torch": "2.13.0", "Kit hash": "77aa77aa77aa77aa"},
        command="agenticrs reproduce gatecross.pdf --data planted-clicks --seeds 5 --trials 2",
        failures=(Failed(stage="check, attempt 1", message="line 4: import of os is not allowed"),),
    )


def out_of_scope_view() -> ReportView:
    """A survey: nothing was trained, and the report says why."""
    said = Evidence(quote="In this survey we review more than two hundred works on recommendation.", section="Abstract", start=3)
    reason = "the paper is a survey and proposes no model of its own"
    return ReportView(
        run_id="20261124-survey-77",
        created="2026-11-24 15:00 UTC",
        outcome="out_of_scope",
        reason=reason,
        paper=PaperView(title="A Survey of Recommender Models", source="survey.pdf", format="pdf", words=30_112, pages=41),
        spec=MethodSpec(
            paper_id="ba9876543210",
            title="A Survey of Recommender Models",
            model_name="",
            scope=Scope(kind="survey", reason=f"{reason.capitalize()}.", evidence=(said,)),
        ),
        cost=CostView(seconds=3.2),
        environment={"Python": "3.11.9"},
        command="agenticrs reproduce survey.pdf",
    )
