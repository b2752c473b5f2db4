"""A team of processes comes to what one process comes to: lookups, gradients, losses, weights, predictions."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from planted_rows import SCHEMAS, planted
from shared_training import PADDING, TABLE_ROWS, WIDTH, added_up, drawn, looked_up, loss_of_lookups, refused, rows_asked, trained
from team_of_processes import Cases, in_team

from sandboxes.kit.batch import joined as joined_batches
from sandboxes.kit.layers import table as table_module
from sandboxes.kit.layers.table import Table
from sandboxes.kit.team import ALONE, Team, building_for
from sandboxes.kit.training import TrainConfig
from sandboxes.kit.training.order import BLOCK_ROWS, shared_out, shuffled

WHOLE = TrainConfig(learning_rate=1e-2, batch_size=64, max_epochs=3, patience=3)
TOUCHED = replace(WHOLE, updates="touched")
TRAININGS: dict[str, tuple[str, str, int, TrainConfig]] = {
    "deepfm, whole": ("deepfm", "categorical", 601, WHOLE),  # the last batch has 25 rows
    "deepfm, touched": ("deepfm", "categorical", 577, TOUCHED),  # and here 1, too few for two
    "deepfm, penalty": ("deepfm", "categorical", 577, replace(WHOLE, embedding_l2=1e-3)),
    "history, whole": ("every_lookup", "two_histories", 577, WHOLE),
    "history, touched": ("every_lookup", "two_histories", 601, TOUCHED),
    "unobserved labels": ("every_lookup", "tasks_and_history", 601, TOUCHED),
    "weights of tasks": ("every_lookup", "tasks_and_history", 577, replace(WHOLE, task_weights=(1.0, 0.2, 0.5))),
    "stages": ("in_stages", "two_histories", 601, TOUCHED),
    "sharpness-aware": ("sharp", "two_histories", 97, TOUCHED),
    "scenarios": ("dcnv2", "scenario", 601, replace(WHOLE, batch_size=65)),  # an odd batch
}
ROUNDED = ("deepfm", "two_histories", 601, replace(WHOLE, learning_rate=1e-3, precision="bf16"))
OF_THREE = ("deepfm, touched", "unobserved labels")  # what a larger team is asked for, besides the parts
SIZES = (2, 3)


@pytest.fixture(scope="module", params=SIZES)
def members(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    names = TRAININGS if request.param == 2 else OF_THREE
    cases: dict[str, Any] = {name: (trained, TRAININGS[name]) for name in names}
    cases["rounded"] = (trained, ROUNDED)
    more: Cases = {
        "lookups": (looked_up, ()),
        "sums": (added_up, ()),
        "tied": (refused, ("tied",)),
        "clipped": (refused, ("clipped",)),
        "drawn": (drawn, ()),
    }
    return in_team(request.param, tmp_path_factory.mktemp("team"), {**cases, **more})


@pytest.mark.slow
@pytest.mark.parametrize("name", TRAININGS)
def test_a_team_trains_to_where_one_process_does(members: list[dict[str, Any]], name: str) -> None:
    if name not in members[0]:
        pytest.skip("two members are enough")
    alone = trained(ALONE, *TRAININGS[name])
    assert len(alone["epochs"]) >= 3
    for member in members:
        told = member[name]
        assert told["parameters"] == alone["parameters"]
        for mine, its in zip(told["epochs"], alone["epochs"], strict=True):
            assert mine["auc"] == pytest.approx(its["auc"], abs=2e-3)  # near ties may change places
            assert mine | {"auc": its["auc"]} == pytest.approx(its, abs=1e-5)
        assert torch.allclose(told["predictions"], alone["predictions"], atol=1e-5, rtol=0)
        assert torch.equal(told["predictions"], members[0][name]["predictions"])
        assert torch.allclose(told["of_one_row"], alone["of_one_row"], atol=1e-5, rtol=0)
    whole = members[0][name]["weights"]
    assert whole.keys() == alone["weights"].keys()
    for key, value in alone["weights"].items():  # single weights may differ: Adam makes steps of gradients that are all rounding
        assert whole[key].shape == value.shape and (whole[key] - value).abs().mean() < 1e-5, key
    assert all(member[name]["weights"] == {} for member in members[1:])


@pytest.mark.slow
def test_weights_of_parts_are_not_rounded_with_the_products_of_matrices(members: list[dict[str, Any]]) -> None:
    alone = [e["train_loss"] for e in trained(ALONE, *ROUNDED)["epochs"]]
    assert [e["train_loss"] for e in members[-1]["rounded"]["epochs"]] == pytest.approx(alone, abs=2e-5)


@pytest.mark.slow
def test_lookups_and_their_gradients_are_those_of_a_plain_table(members: list[dict[str, Any]]) -> None:
    torch.manual_seed(5)
    table = Table(TABLE_ROWS, WIDTH, std=1.0)
    torch.stack([loss_of_lookups(table, rows_asked(rank)) for rank in range(len(members))]).sum().backward()
    assert table.weight.grad is not None
    for rank, member in enumerate(members):
        told = member["lookups"]
        assert torch.equal(told["vectors"], table(rows_asked(rank)))
        assert torch.allclose(told["means"], table.pooled(rows_asked(rank), PADDING))
        assert torch.allclose(told["gradient"], table.weight.grad[rank :: len(members)], rtol=1e-5)


@pytest.mark.slow
def test_gradients_add_up_and_those_that_nobody_has_stay_away(members: list[dict[str, Any]]) -> None:
    size = len(members)
    for member in members:
        told = member["sums"]
        assert told["all"].tolist() == [size, sum(range(size))]
        assert told["first"].tolist() == [1, 1] and told["none"] is None
        assert told["running_mean"].item() == sum(range(size)) / size


@pytest.mark.slow
def test_weights_of_a_shared_table_may_only_be_looked_up(members: list[dict[str, Any]]) -> None:
    assert all("embedding.table.weight is shared out" in member["tied"] for member in members)


@pytest.mark.slow
def test_clipping_by_frequency_is_for_one_process(members: list[dict[str, Any]]) -> None:
    assert all("train this model with one process" in member["clipped"] for member in members)


@pytest.mark.slow
def test_members_draw_differently_while_they_train_and_the_first_as_one_alone(members: list[dict[str, Any]]) -> None:
    draws = [member["drawn"] for member in members]
    assert draws[0] == drawn(ALONE) and len(draws[0]) == 2
    assert len({number for of_member in draws for number in of_member}) == 2 * len(members)


@pytest.mark.parametrize("size", [2, 3, 7])
@pytest.mark.parametrize("rows", [1, 3, 500, 517])
def test_initial_values_do_not_depend_on_the_team(monkeypatch: pytest.MonkeyPatch, size: int, rows: int) -> None:
    monkeypatch.setattr(table_module, "DRAWN_AT_ONCE", 50)
    torch.manual_seed(1)
    whole, after = Table(rows, 4).weight, torch.rand(())
    for rank in range(size):
        torch.manual_seed(1)
        with building_for(Team(rank, size)):
            own = Table(rows, 4).weight
        assert torch.equal(own, whole[rank::size])
        assert torch.equal(torch.rand(()), after)  # whatever else is initialised is the same everywhere too
    if rows > 50:
        assert whole.unique().numel() == whole.numel()  # no block is another's copy
        assert whole.std().item() == pytest.approx(table_module.INITIAL_STD, rel=0.1)


@pytest.mark.parametrize("window", [1 << 28, 2 * BLOCK_ROWS * 60])
@pytest.mark.parametrize("size", SIZES)
def test_parts_make_up_the_batches_of_one_process(size: int, window: int) -> None:
    rows = planted(SCHEMAS["tasks_and_history"], 10_001, seed=1)
    batches = list(shuffled(rows, 1000, torch.Generator().manual_seed(3), window))
    parts = [list(shared_out(rows, 1000, torch.Generator().manual_seed(3), Team(rank, size), window)) for rank in range(size)]
    assert [len(p) for p in parts] == [len(batches)] * size
    for batch, *of_members in zip(batches, *parts, strict=True):
        there = [p.batch for p in of_members if p.weight > 0]
        together = joined_batches(there)
        assert torch.equal(together.ids, batch.ids) and torch.equal(together.history["seen"], batch.history["seen"])
        assert torch.equal(together.labels.nan_to_num(-1), batch.labels.nan_to_num(-1))
        assert max(map(len, there)) - min(map(len, there)) <= 1 and all(len(p.batch) and p.rows == len(batch) for p in of_members)
        assert sum(p.weight.item() for p in of_members) == pytest.approx(1)
        observed = ~torch.isnan(batch.labels)
        weights = sum(p.task_weights for p in of_members)
        assert torch.allclose(weights, observed.any(0).float())
    assert any(len(b) == 1 for b in batches) == (window == 1 << 28)


def test_a_small_split_is_read_in_parts() -> None:
    asked: list[int] = []

    class Counting(type(planted(SCHEMAS["categorical"], 1))):
        def batch(self, rows: np.ndarray | slice) -> Any:
            taken = super().batch(rows)
            asked.append(len(taken))
            return taken

    rows = Counting(planted(SCHEMAS["categorical"], 600).all)
    list(shared_out(rows, 100, torch.Generator(), Team(1, 2)))
    assert sum(asked) == 300 + asked.count(1)  # once, one row to see how large a row is


@pytest.mark.parametrize(("rank", "size"), [(2, 2), (-1, 3), (0, 0)])
def test_there_are_no_members_beyond_a_team(rank: int, size: int) -> None:
    with pytest.raises(ValueError, match="no member"):
        Team(rank, size)
