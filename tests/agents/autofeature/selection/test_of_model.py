"""Methods that ask a model trained in a sandbox: one job serves all, and a failed one ranks nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from agents.autofeature.selection import NoRanking, OfModel, agreement, consensus, scores_of
from sandboxes import Limits, RunResult
from sandboxes.jobs import Finished, Job, JobRunner, ModelSource
from sandboxes.kit.data import Prepared
from sandboxes.kit.data.prepare import prepare
from sandboxes.kit.datasets.synthetic_features import SyntheticFeatures, synthetic_source, truth
from sandboxes.kit.datasets.synthetic_visits import SyntheticVisits
from sandboxes.kit.datasets.synthetic_visits import synthetic_source as visits_source
from sandboxes.kit.importance.config import NAMES, SENTENCES, ImportanceConfig
from sandboxes.kit.importance.fields import field_names
from sandboxes.kit.training import TrainConfig
from sandboxes.process import ProcessSandbox
from sandboxes.reports import FieldRow, ImportanceReport, MethodRow

CONFIG = SyntheticFeatures(rows=20_000, users=240, items=300, levels=4, noise=1, noise_cardinality=2_000, plain=0.6)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    return prepare(synthetic_source(CONFIG), tmp_path_factory.mktemp("features"))


def report(names: tuple[str, ...], methods: tuple[str, ...] = NAMES) -> ImportanceReport:
    """The first field has no score; of the others each is worth less than the one before, and they stand upside down."""
    fields = tuple(FieldRow(field=n, score=-float(i), standard_error=None) for i, n in list(enumerate(names))[:0:-1])
    return ImportanceReport(
        rows=9,
        auc=0.7,
        methods=tuple(MethodRow(method=m, fields=fields, unscored={names[0]: "draws"}, seconds=1.0) for m in methods),
    )


@dataclass
class FakeRun:
    """Leaves a report of these fields under each job's key, or fails."""

    folder: Path
    names: Callable[[], tuple[str, ...]]
    status: str = "ok"
    jobs: list[Job] = field(default_factory=list)

    def __call__(self, job: Job) -> Finished:
        self.jobs.append(job)
        (self.folder / "importance.json").write_text(report(self.names(), job.importance.methods).model_dump_json())
        return Finished(job, RunResult(self.status, "fake", reason="it fell"), self.folder)  # type: ignore[arg-type]


def test_one_job_serves_every_method(made: Prepared, tmp_path: Path) -> None:
    run = FakeRun(tmp_path, lambda: field_names(made.schema))
    methods = [OfModel(name, run, ModelSource("fm", reference="fm"), {"embedding_dim": 4}) for name in NAMES]
    scores = [method(made, 0, 3) for method in methods]
    assert len({job.key for job in run.jobs}) == 1 and [s.method for s in scores] == list(NAMES)
    (job, *_) = run.jobs
    assert (job.action, job.data, job.data_hash, job.predict) == ("importance", made.visible, made.data_hash, ())
    assert (job.config.seed, job.importance.task, dict(job.hyper)) == (3, 0, {"embedding_dim": 4})
    assert methods[0](made, 0, 4) and run.jobs[-1].key != job.key
    assert methods[0].job(made, 1, 3).importance.task == 1


def test_scores_stand_in_the_order_of_the_schema(made: Prepared) -> None:
    names = field_names(made.schema)
    (one,) = scores_of(report(names, ("gates",)), made, 0, 5)
    assert [f.field for f in one.fields] == list(names[1:]) == list(one.ranking)
    assert one.unscored == {names[0]: SENTENCES["draws"]}
    assert (one.task, one.seed, one.unit) == ("click", 5, "a gate that is open at every price")


def test_a_report_of_other_fields_is_refused(made: Prepared) -> None:
    names = field_names(made.schema)
    for others in (names[:-1], (*names, "more"), ("other", *names[1:])):
        with pytest.raises(NoRanking, match="other fields"):
            scores_of(report(others), made, 0, 0)


def test_a_job_that_fails_ranks_nothing(made: Prepared, tmp_path: Path) -> None:
    method = OfModel("gates", FakeRun(tmp_path, lambda: ("a", "b"), "timed_out"), ModelSource("fm", reference="fm"))
    with pytest.raises(NoRanking, match="fm has no fields to rank, since its job ended timed_out: it fell"):
        method(made, 0, 0)


def test_data_without_labels_is_refused(tmp_path: Path) -> None:
    visits, run = prepare(visits_source(SyntheticVisits(users=60, items=40)), tmp_path), FakeRun(tmp_path, lambda: ())
    with pytest.raises(NoRanking, match="asks for items"):
        OfModel("gates", run, ModelSource("fm", reference="fm"))(visits, 0, 0)
    assert not run.jobs


@pytest.mark.slow
def test_the_planted_truth_is_found_in_a_sandbox(made: Prepared, tmp_path: Path) -> None:
    """A model that learns the cross makes every method see its two sides, which no method that looks at fields alone does."""
    runner = JobRunner(ProcessSandbox(), tmp_path / "jobs", Limits(timeout_s=300.0, memory_mb=4000, disk_mb=64))
    config = TrainConfig(learning_rate=5e-3, batch_size=256, max_epochs=5, embedding_l2=1e-6)
    asked = ImportanceConfig(rows=2_000, repeats=3, orders=2)
    source = ModelSource("deepfm", reference="deepfm")
    hyper = {"embedding_dim": 8}
    scores = [OfModel(name, runner.run, source, hyper, config, asked)(made, 0, 0) for name in NAMES]
    known = truth(CONFIG)
    for one in scores:
        assert not one.unscored and max(one.values[n] for n in known.noise) < min(one.values[n] for n in known.crossed), one
    best = set(consensus(scores).ranking[: len(known.useful)])
    assert best == set(known.useful)
    assert (agreement(scores, len(known.useful)).mean_kendall or 0) > 0.5
    assert sum(1 for _ in (tmp_path / "jobs").glob("*/run.json")) == 1
