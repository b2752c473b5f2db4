"""AutoFeature as an agent: it looks at a data set, decides which changes of its features to try, tries them, and keeps what pays.

Its measure is the AUC gained on test, less what the features cost at the prices set; the model stays as it is meanwhile. Each
method is a step that may be run again: what is trained is found by its key.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from agents.autofeature.changes import changed, identity
from agents.autofeature.confirmation import Confirmation, confirmed
from agents.autofeature.diary import Diary
from agents.autofeature.observation import Observation, set_aside, usable
from agents.autofeature.profile import Profile, profile
from agents.autofeature.propose import Known, Proposer, propose
from agents.autofeature.propose.known import field_codes
from agents.autofeature.registry import AGENT, active, tried_before
from agents.autofeature.screening import Screened, residuals_of, screened
from agents.autofeature.select import Selection, selected
from agents.autofeature.selection import NoRanking
from agents.autofeature.settings import Settings
from agents.autofeature.shortlist import Bundle, ProposedRow, bundles, droppable
from agents.autofeature.space import FeatureSpace
from agents.autofeature.trainer import Incumbent, Trainer
from agents.autofeature.trials import Tried, try_all
from agents.autofeature.verdicts import Judged, bundle, judged
from agents.contract import Feedback, Measured, Outcome, Proposal, Turn
from agents.strict import Strict
from memory.beliefs import newest_beliefs
from memory.narrowing import Only
from memory.store import MemoryStore
from sandboxes.kit.data import DataError
from sandboxes.kit.data.spec import TableSpec

Decision = tuple[Bundle, ...]
BELIEFS = 20  # that proposals are made with


class Proposals(Strict):
    """What could be changed, for the model as it is tuned here."""

    incumbent: Incumbent
    rows: tuple[ProposedRow, ...]
    skipped: tuple[str, ...] = ()  # that were tried on this very data before


class Shortlist(Strict):
    """What is worth a trial, and how that was found."""

    screened: tuple[Screened, ...]
    selection: Selection | None
    unranked: str = ""  # why there is no selection
    bundles: tuple[Bundle, ...] = ()


class Done(Strict):
    """What came of acting."""

    tried: Tried
    verdicts: tuple[Judged, ...]
    last: Confirmation


@dataclass(frozen=True)
class BundleSpace:
    """Decisions of AutoFeature: bundles of changes, each legal by itself, under different names."""

    features: FeatureSpace

    def faults(self, decision: Decision) -> list[str]:
        found = [fault for b in decision for fault in self.features.faults(b.changes)]
        if len({b.name for b in decision}) < len(decision):
            found.append("two bundles have one name")
        return found

    def sample(self, random: random.Random) -> Decision:
        drawn = (self.features.sample(random) for _ in range(random.choice((1, 2))))
        return tuple(Bundle(name=f"drawn_{i}", aim="gain", changes=changes, why="drawn") for i, changes in enumerate(drawn))


@dataclass
class AutoFeature:
    """One data set, the model that features are judged by, and the memory of what was tried. `run` names what it writes, or
    else each turn has a name of its own."""

    trainer: Trainer
    memory: MemoryStore
    settings: Settings
    run: str = ""
    mlflow_run: str = ""
    created: str = ""
    known_profile: Profile | None = None
    proposer: Proposer | None = None

    name = AGENT
    measure = "AUC gained on test less the price of the features"

    @property
    def spec(self) -> TableSpec:
        return self.trainer.source.spec

    @cached_property
    def profile(self) -> Profile:
        return self.known_profile or profile(self.trainer.source)

    def observe(self) -> Observation:
        """Raises `DataError` for a table that cannot be read, of which nothing is left, or that asks for no labels."""
        if self.spec.predicts != "labels":
            raise DataError(
                f"features are judged by how well labels are told, and {self.spec.name} asks for {self.spec.predicts}"
            )
        aside = set_aside(self.profile, self.spec, self.settings.allowed)
        seen = Observation(dataset=self.spec.name, set_aside=aside, columns=usable(self.profile, self.spec, aside))
        began = seen.description(self.spec)
        data_hash = self.trainer.prepared(began).data_hash
        tried = () if self.settings.again else tried_before(self.memory, self.spec.name, data_hash, self.settings.model)
        beliefs = newest_beliefs(self.memory, BELIEFS, Only(dataset=self.spec.name, agent=AGENT))
        return seen.model_copy(
            update={
                "data_hash": data_hash,
                "active": active(self.memory, self.spec.name, began),
                "tried": tried,
                "lessons": tuple(b.in_words for b in beliefs),
                "relied_on": tuple(lesson.id for b in beliefs for lesson in b.lessons),
            }
        )

    def description(self, seen: Observation) -> TableSpec:
        return seen.description(self.spec)

    def space(self, seen: Observation) -> BundleSpace:
        refused = tuple((s.column, s.reason) for s in seen.set_aside)
        held = frozenset(c.name for c in self.profile.columns)
        return BundleSpace(FeatureSpace(self.description(seen), refused, held))

    def proposals(self, seen: Observation) -> Proposals:
        """Every change that the families of proposals offer, none of which was tried on this data before."""
        spec = self.description(seen)
        prepared = self.trainer.prepared(spec)
        incumbent = self._tuned(spec)
        residuals = residuals_of(self.trainer.half_seen(spec, incumbent), prepared)
        known = Known(spec, self.space(seen).features, seen.offered, prepared, residuals, seen.lessons, seen.relied_on)
        found = propose(known, self.proposer)
        rows = [ProposedRow(change=p.change, why=p.why, by=by, relied_on=p.relied_on) for p, by in found]
        tried = {row.change.name for row in rows if identity(row.change) in seen.tried}
        fresh = tuple(row for row in rows if row.change.name not in tried)
        return Proposals(incumbent=incumbent, rows=fresh, skipped=tuple(sorted(tried)))

    def _tuned(self, spec: TableSpec) -> Incumbent:
        """The model that features are judged by, at the learning rate that suits it on this description."""
        return self.trainer.tuned(spec, self.settings.incumbent(self.trainer.prepared(spec).sizes["train"]))

    def shortlist(self, seen: Observation, offered: Proposals) -> Shortlist:
        """The proposals that explain residuals, the fields that lie idle, and the large vocabularies."""
        spec = self.description(seen)
        adds = {row.change.name: row.change for row in offered.rows if row.change.kind == "add"}
        base, wide = self.trainer.prepared(spec), self.trainer.prepared(changed(spec, tuple(adds.values())))
        residuals = residuals_of(self.trainer.half_seen(spec, offered.incumbent), base)
        codes = {name: c for name, c in field_codes(wide, residuals.rows).items() if name in adds}
        found = screened(residuals, codes, self.settings.most)
        chosen = tuple(adds[s.name] for s in found if s.chosen)
        ranked, why = self._ranked(changed(spec, chosen), offered.incumbent)
        tried = set(seen.tried)
        idle = droppable(spec, ranked.idle) if ranked else []
        tries = [b for b in bundles(offered.rows, found, idle) if not {identity(c) for c in b.changes} <= tried]
        return Shortlist(screened=tuple(found), selection=ranked, unranked=why, bundles=tuple(tries))

    def _ranked(self, spec: TableSpec, incumbent: Incumbent) -> tuple[Selection | None, str]:
        """All fields ranked, or why they cannot be."""
        try:
            return selected(self.trainer.prepared(spec), incumbent, self.trainer.run, self.trainer.parallel), ""
        except NoRanking as error:
            return None, str(error)

    def decide(self, seen: Observation) -> Proposal[Decision]:
        offered = self.proposals(seen)
        listed = self.shortlist(seen, offered)
        return Proposal(
            listed.bundles, f"{len(offered.rows)} proposals looked at", by=self.proposer.name if self.proposer else "rules"
        )

    def try_out(self, seen: Observation, listed: Sequence[Bundle], incumbent: Incumbent) -> Tried:
        """Every bundle by itself, on the trial seeds and valid rows."""
        named = {b.name: (b.aim, b.changes) for b in listed}
        settings = self.settings
        return try_all(self.trainer, self.description(seen), named, incumbent, settings.trial_seeds, settings.economy)

    def verdicts(self, tried: Tried) -> tuple[Judged, ...]:
        return tuple(judged(tried.trials, self.settings.economy))

    def last_word(self, seen: Observation, tried: Tried, verdicts: Sequence[Judged], incumbent: Incumbent) -> Confirmation:
        """All that was kept, together, on fresh seeds and test rows."""
        kept = bundle(tried.trials, verdicts)
        return confirmed(self.trainer, self.description(seen), kept, incumbent, self.settings.fresh_seeds, self.settings.economy)

    def act(self, seen: Observation, proposal: Proposal[Decision]) -> Outcome:
        incumbent = self._tuned(self.description(seen))
        tried = self.try_out(seen, proposal.decision, incumbent)
        verdicts = self.verdicts(tried)
        return outcome_of(Done(tried=tried, verdicts=verdicts, last=self.last_word(seen, tried, verdicts, incumbent)))

    def judge(self, seen: Observation, outcome: Outcome) -> Feedback:
        done = outcome.result
        if not isinstance(done, Done):
            return Feedback(None, False, outcome.reason)
        return Feedback(reward_of(done.last, self.settings), done.last.verdict == "adopted", done.last.reason)

    def learn(self, turn: Turn[Observation, Decision]) -> None:
        if isinstance(turn.outcome.result, Done):
            self.keep(turn.state, turn.outcome.result, turn.feedback)

    def keep(self, seen: Observation, done: Done, feedback: Feedback) -> None:
        """Writes a run into memory; the same run twice leaves the same records."""
        self.diary(seen, self.run or _name_of(seen, done)).write(
            done.tried, done.verdicts, done.last, feedback.reward, self.measure
        )

    def diary(self, seen: Observation, run: str) -> Diary:
        return Diary(
            memory=self.memory,
            run=run,
            dataset=seen.dataset,
            data_hash=seen.data_hash,
            model=self.settings.model,
            sandbox=self.trainer.sandbox,
            created=self.created,
            mlflow_run=self.mlflow_run,
        )


def _name_of(seen: Observation, done: Done) -> str:
    """Equal for the same turn, and for no other."""
    parts = [
        seen.model_dump_json(),
        done.last.model_dump_json(),
        *(t.model_dump_json(exclude={"cost"}) for t in done.tried.trials),
    ]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def outcome_of(done: Done) -> Outcome:
    last, failure = done.last, done.tried.failure
    gain = {"AUC gained on test": Measured(last.gain.value, last.gain.low, last.gain.high)} if last.gain else {}
    cost = {"served_bytes": float(last.cost.bytes), "ms_per_1000_rows": last.cost.ms} if last.cost else {}
    return Outcome(
        status="failed" if failure else "done",
        measures=gain,
        cost={**cost, "seconds": sum(t.seconds for t in done.tried.trials)},
        evidence=last.jobs,
        reason=failure or last.reason,
        result=done,
    )


def reward_of(last: Confirmation, settings: Settings) -> Measured | None:
    """The gain on test less the price of the features, None where nothing was measured."""
    if last.gain is None:
        return None
    price = settings.economy.prices.of(last.cost) if last.cost else 0.0
    return Measured(last.gain.value - price, last.gain.low - price, last.gain.high - price)
