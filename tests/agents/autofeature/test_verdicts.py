"""What is kept: at the false discovery rate, with an interval above 0, and only what pays for itself."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from agents.autofeature.changes import Drop, Hash
from agents.autofeature.costs import Cost, Prices
from agents.autofeature.discoveries import discovered
from agents.autofeature.effects import Gain, one_sided
from agents.autofeature.trials import Economy, Trial
from agents.autofeature.verdicts import bundle, judged
from agents.compare import Paired

CHANGE = Hash(name="x", buckets=2)


def gain(value: float, error: float = 0.001, p: float = 0.0001) -> Gain:
    low, high = value - 2 * error, value + 2 * error
    return Gain(value=value, low=low, high=high, p_gain=p, seeds=3, per_seed=(value,) * 3, standard_error=error)


def trial(name: str, value: float | None, p: float, aim: Any = "gain", worth: float = 0.0005, **more: Any) -> Trial:
    own = gain(value, p=p) if value is not None else None
    return Trial(name=name, aim=aim, changes=more.pop("changes", (CHANGE,)), gain=own, worth=worth, p=p, **more)


def kept(*trials: Trial) -> list[str]:
    return [v.name for v in judged(trials, Economy()) if v.kept]


@given(st.lists(st.floats(0, 1), max_size=30), st.floats(0.01, 0.5))
def test_discoveries_are_those_of_benjamini_and_hochberg(p_values: list[float], rate: float) -> None:
    found = discovered(p_values, rate)
    order = sorted(p_values)
    passing = [p for k, p in enumerate(order, 1) if p <= rate * k / len(order)]
    assert found == [bool(passing) and p <= max(passing) for p in p_values]


def test_the_rate_of_false_discoveries_is_kept() -> None:
    rng, shares = np.random.default_rng(0), []
    for _ in range(2000):
        null = np.arange(20) < 14
        p = norm.sf(rng.normal(np.where(null, 0, 3)))
        found = np.array(discovered(p.tolist(), 0.1))
        shares.append((found & null).sum() / max(found.sum(), 1))
    assert 0.04 < np.mean(shares) < 0.1


def test_a_gain_must_be_shown_and_pay() -> None:
    assert kept(trial("good", 0.01, 1e-4), trial("noise", 0.0001, 0.4)) == ["good"]
    assert kept(trial("small", 0.004, 1e-4, worth=0.005)) == []
    assert kept(trial("wide", 0.001, 0.04)) == []  # a discovery whose interval holds 0
    assert kept(trial("failed", None, 1.0, failure="it ran out of memory")) == []


def test_a_saving_may_lose_what_it_saves() -> None:
    assert kept(trial("safe", 0.0, 0.001, "saving", -0.0005), trial("unsure", -0.0001, 0.3, "saving", -0.0005)) == ["safe"]


def test_reasons_say_what_was_seen() -> None:
    said = {
        v.name: v.reason
        for v in judged([trial("a", 0.01, 1e-4), trial("b", 0.0001, 0.9), trial("c", None, 1, failure="oh")], Economy())
    }
    assert "+0.0100 AUC [+0.0080, +0.0120]" in said["a"] and "no gain is shown" in said["b"] and "oh" in said["c"]


def test_all_that_is_kept_goes_together() -> None:
    drops = tuple(Drop(name=f"f{i}") for i in range(4))
    trials = [
        trial("a", 0.01, 1e-4),
        trial("b", 0.0, 1e-4, "saving", -0.0005, changes=(Hash(name="y", buckets=3),)),
        trial("all", -0.01, 0.9, "idle", -0.0005, changes=drops),
        trial("half", 0.0, 0.3, "idle", -0.0005, changes=drops[:2]),
        trial("one", 0.0, 0.3, "idle", -0.0005, changes=drops[:1]),
    ]
    assert bundle(trials, judged(trials, Economy())) == (CHANGE, Hash(name="y", buckets=3), *drops[:2])


def test_idle_fields_go_unless_their_trial_speaks_for_them() -> None:
    unsure = Trial(name="unsure", aim="idle", changes=(CHANGE,), gain=gain(-0.002, 0.002), worth=-0.0005, p=0.4)
    costly = Trial(name="costly", aim="idle", changes=(CHANGE,), gain=gain(-0.003, 0.002), worth=-0.0005, p=0.9)
    shown = Trial(name="shown", aim="idle", changes=(CHANGE,), gain=gain(-0.0007, 0.0001), worth=-0.0005, p=0.99)
    assert kept(unsure, costly, shown) == ["unsure"]


def test_worth_follows_prices() -> None:
    economy = Economy(least=0.001, prices=Prices(auc_per_mb=0.002, auc_per_ms=0.0001))
    dear, cheap = Cost(bytes=3_000_000, ms=10.0, values=5), Cost(bytes=-3_000_000, ms=-10.0, values=-5)
    assert economy.worth("gain", dear) == pytest.approx(0.001 + 0.006 + 0.001)
    assert economy.worth("gain", cheap) == pytest.approx(0.001)  # what is cheap must gain all the same
    assert economy.worth("saving", cheap) == pytest.approx(-0.001 - 0.007)
    assert economy.worth("saving", dear) == pytest.approx(-0.001)
    assert cheap.minus(dear) == Cost(bytes=-6_000_000, ms=-20.0, values=-10)


def test_one_sided_p_values() -> None:
    paired = Paired(0.01, (0.01, 0.01, 0.01), 1e-6, 1e-6, 2.0, 1000.0)
    assert one_sided(paired) == pytest.approx(paired.p_value / 2)
    assert one_sided(replace(paired, estimate=-0.01)) == pytest.approx(1 - paired.p_value / 2)
    assert one_sided(replace(paired, estimate=0.0)) == pytest.approx(0.5)
