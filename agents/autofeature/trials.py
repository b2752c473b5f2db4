"""Tries changes of the features: the incumbent with each of them beside the incumbent without, on the same seeds and rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from agents.autofeature.changes import Change, changed
from agents.autofeature.costs import Cost, Prices, measured
from agents.autofeature.effects import Gain, compared
from agents.autofeature.trainer import Incumbent, Trained, Trainer
from agents.strict import Strict
from sandboxes.kit.data import DataError
from sandboxes.kit.data.spec import TableSpec

BASE = "as it is"
# What a change is for: quality; the same quality for less; or to be rid of fields in which every method finds nothing.
Aim = Literal["gain", "saving", "idle"]


class Trial(Strict):
    """A bundle of changes that was tried, by a name of its own. `cost` is what it adds, None where nothing was measured.

    `worth` is the least gain that pays for it: what must be gained, or, below 0, what may be lost. `p` is the one-sided p-value
    of what has to be refuted: for a gain that there is none, else that more is lost than may be.
    """

    name: str
    aim: Aim
    changes: tuple[Change, ...]
    gain: Gain | None = None
    cost: Cost | None = None
    worth: float = 0.0
    p: float = 1.0
    failure: str = ""
    jobs: tuple[str, ...] = ()
    seconds: float = 0.0


class Tried(Strict):
    """All trials against one base, whose jobs and mean AUC on valid stand beside them."""

    base_jobs: tuple[str, ...]
    base_cost: Cost | None
    seeds: tuple[int, ...]
    trials: tuple[Trial, ...]
    failure: str = ""


class Economy(Strict):
    """What a change must come to: `least` gain in AUC to be worth having, prices, and the false discovery rate."""

    least: float = 0.0005
    prices: Prices = Prices()
    rate: float = 0.1

    def worth(self, aim: Aim, cost: Cost | None) -> float:
        """The least gain that pays: at least `least` plus its price; for a saving, a loss below `least` and what it saves."""
        price = self.prices.of(cost) if cost else 0.0
        return self.least + max(price, 0.0) if aim == "gain" else min(price, 0.0) - self.least


def try_all(
    trainer: Trainer,
    spec: TableSpec,
    bundles: Mapping[str, tuple[Aim, Sequence[Change]]],
    incumbent: Incumbent,
    seeds: Sequence[int],
    economy: Economy,
) -> Tried:
    """Every bundle by itself. A bundle that cannot be prepared or trained is a failed trial. Raises as `Trainer.train` does."""
    faults, specs = dict[str, str](), {BASE: spec}
    for name, (_, changes) in bundles.items():
        try:
            specs[name] = changed(spec, changes)
            trainer.prepared(specs[name])
        except DataError as error:
            faults[name] = str(error)
            specs.pop(name, None)
    trained = trainer.train(specs, incumbent, seeds)
    costs = _costs(trainer, {name: t for name, t in trained.items() if not t.failure})
    base = trained[BASE]
    trials = []
    for name, (aim, changes) in bundles.items():
        blank = Trial(name=name, aim=aim, changes=tuple(changes))
        trials.append(
            blank.model_copy(update={"failure": faults[name]})
            if name in faults
            else _judged(blank, trained[name], base, costs, economy)
        )
    return Tried(base_jobs=base.jobs, base_cost=costs.get(BASE), seeds=tuple(seeds), trials=tuple(trials), failure=base.failure)


def _judged(blank: Trial, own: Trained, base: Trained, costs: Mapping[str, Cost], economy: Economy) -> Trial:
    cost = costs[blank.name].minus(costs[BASE]) if blank.name in costs and BASE in costs else None
    worth = economy.worth(blank.aim, cost)
    found = compared(own, base, "valid", margin=max(-worth, 0.0))
    return blank.model_copy(
        update={
            "gain": found.gain,
            "cost": cost,
            "worth": worth,
            "p": (found.gain.p_gain if blank.aim == "gain" else found.p_loss) if found.gain else 1.0,
            "failure": found.failure,
            "jobs": own.jobs,
            "seconds": own.seconds,
        }
    )


def _costs(trainer: Trainer, trained: Mapping[str, Trained]) -> dict[str, Cost]:
    with TemporaryDirectory() as folder:
        return dict(zip(trained, measured(list(trained.values()), trainer.source, Path(folder)), strict=True))
