"""Small reproductions by an engine that writes the codes it is given, on a table of clicks, in this process."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from command import NOTE
from small_clicks import clicks

from agents.autotrain.engine import Code, Failure, Judged, Review, Tried
from agents.autotrain.paper import Paper
from agents.autotrain.spec import Mechanism, MethodSpec, Scope
from agents.errors import NothingToBuild
from sandboxes.kit.schema import Schema
from workflows.driver import Ended, begin, go
from workflows.request import ReproductionRequest
from workflows.run_folder import RunFolder
from workflows.settings import Settings

GOOD = """
from torch import Tensor, nn

from sandboxes.kit import Batch, Schema
from sandboxes.kit.layers import FeatureEmbedding


class Model(nn.Module):
    def __init__(self, schema: Schema, *, embedding_dim: int = 8) -> None:
        super().__init__()
        self.embedding = FeatureEmbedding(schema, embedding_dim)
        self.output = nn.Sequential(nn.Linear(schema.n_fields * embedding_dim, 32), nn.ReLU(), nn.Linear(32, 1))

    def forward(self, batch: Batch) -> Tensor:
        return self.output(self.embedding(batch).flatten(1))
"""


class Plain:
    """Writes the given codes one after the other, whatever the paper says."""

    name = "plain"

    def __init__(self, *codes: str, composed: bool = True, scope: str = "in_scope") -> None:
        self._codes, self._composed, self._scope = list(codes), composed, scope
        self.failures: list[Failure] = []

    def parse(self, paper: Paper) -> MethodSpec:
        found = (Mechanism(id="m1", name="a network", block=None, basis="inferred", confidence=0.5),)
        scope = Scope(kind=self._scope, reason="" if self._scope == "in_scope" else "it surveys the work of others")  # type: ignore[arg-type]
        return MethodSpec(paper_id=paper.id, title=paper.title, model_name="", scope=scope, mechanisms=found)

    def write(self, spec: MethodSpec, schema: Schema, before: Sequence[Tried] = (), lessons: Sequence[str] = ()) -> Code:
        if not self._codes:
            raise NothingToBuild("nothing that is particular to the paper can be built on this data")
        return Code(self._codes.pop(0), self._composed)

    def repair(self, spec: MethodSpec, schema: Schema, code: Code, failure: Failure) -> Code | None:
        self.failures.append(failure)
        return Code(self._codes.pop(0), self._composed) if self._codes else None

    def review(self, spec: MethodSpec, code: Code) -> Review:
        return Review((Judged("m1", "met", (1, 2)),), None)

    def ablate(self, spec: MethodSpec, schema: Schema, code: Code, mechanism: str) -> Code | None:
        return None


@dataclass(frozen=True)
class Site:
    """A place for runs: its settings and its data."""

    settings: Settings
    data: Path

    @classmethod
    def at(cls, folder: Path) -> Site:
        settings = Settings(home=folder / "home", parallel=2, sandbox="process", drafts=1)
        return cls(settings, clicks(folder / "clicks.csv", rows=2000))

    def run(
        self, engine: Plain, folder: RunFolder | None = None, approved: bool | None = None, processes: int = 1, **asked: object
    ) -> tuple[Ended, list[dict[str, object]]]:
        """Runs a request to its end, and its events; `folder` goes on with an earlier run."""
        site = self.settings.model_copy(update={"processes": processes})
        fields = {
            "data": str(self.data),
            "baselines": ("lr",),
            "seeds": 1,
            "trials": 1,
            "epochs": 1,
            "sandbox": "process",
            **asked,
        }
        events: list[dict[str, object]] = []
        request = ReproductionRequest.model_validate({"paper": str(NOTE), **fields})
        place = folder or begin(site, request)
        changes = {} if folder is None else {k: v for k, v in asked.items() if k == "budget"}
        return go(site, place, events.append, engine=engine, approved=approved, changes=changes), events


def stages(events: list[dict[str, object]]) -> list[object]:
    return [e["stage"] for e in events if e["event"] == "stage_started"]
