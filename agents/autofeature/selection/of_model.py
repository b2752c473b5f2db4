"""Methods of a trained model: a sandbox trains it and ranks its fields, by as many methods as are asked for in one job.

What a sandbox says of its own model is a proposal, not a result: whether fewer fields do as well, a comparison on hidden labels
decides.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from agents.autofeature.selection.method import FieldScore, NoRanking, Scores
from sandboxes.jobs import Finished, Job, ModelSource
from sandboxes.kit.data import Prepared
from sandboxes.kit.importance.config import ImportanceConfig
from sandboxes.kit.importance.fields import field_names
from sandboxes.kit.training.config import TrainConfig
from sandboxes.reports import ImportanceReport


@dataclass(frozen=True)
class OfModel:
    """One of the methods of `importance`, as a `Method`. Several of them with equal settings share one job, which `run` keeps."""

    method: str
    run: Callable[[Job], Finished]  # that of a `JobRunner`
    model: ModelSource
    hyper: Mapping[str, int | float] = field(default_factory=dict)
    config: TrainConfig = field(default_factory=TrainConfig)
    importance: ImportanceConfig = field(default_factory=ImportanceConfig)

    def __call__(self, prepared: Prepared, task: int, seed: int) -> Scores:
        """Trains with the seed, if no equal job was kept."""
        if prepared.schema.predicts != "labels":
            raise NoRanking(
                f"fields are ranked by how well they tell labels, and {prepared.name} asks for {prepared.schema.predicts}"
            )
        finished = self.run(self.job(prepared, task, seed))
        if not finished.run.ok:
            raise NoRanking(
                f"{self.model.name} has no fields to rank, since its job ended {finished.run.status}: {finished.fault}"
            )
        found = scores_of(finished.importance_report(), prepared, task, seed)
        return next(s for s in found if s.method == self.method)

    def job(self, prepared: Prepared, task: int, seed: int) -> Job:
        return Job(
            "importance",
            self.model,
            prepared.visible,
            prepared.data_hash,
            self.hyper,
            replace(self.config, seed=seed),
            predict=(),
            importance=replace(self.importance, task=task),
        )


def scores_of(report: ImportanceReport, prepared: Prepared, task: int, seed: int) -> tuple[Scores, ...]:
    """What each method of the report says, in the order of the schema. Raises `NoRanking` where it is about other fields."""
    names = field_names(prepared.schema)
    found = []
    for row in report.methods:
        by_name = {f.field: FieldScore(**f.model_dump()) for f in row.fields}
        if set(by_name) | set(row.unscored) != set(names):
            raise NoRanking(f"the report of {row.method} is about other fields than {prepared.name} has")
        fields = tuple(by_name[n] for n in names if n in by_name)
        found.append(
            Scores(
                method=row.method,
                task=prepared.schema.tasks[task].name,
                unit=row.unit,
                seed=seed,
                fields=fields,
                unscored=row.sentences,
            )
        )
    return tuple(found)
