"""Traps that others fell into, and the tests here that would notice: the list is kept true, so that no guard gets lost."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]

TRAPS = {
    "a timeout scored as fitness": (
        "agents/autotrain/test_experiment.py::test_a_trial_that_does_not_end_well_is_no_score_and_is_never_chosen",
        "sandboxes/test_jobs.py::test_no_other_ending_is_kept_as_a_result",
    ),
    "a seed reset by generated code": (
        "kit/training/test_fit.py::test_a_model_that_reseeds_torch_sees_the_rows_in_the_same_order",
        "kit/training/test_fit.py::test_another_seed_gives_another_model",
    ),
    "metrics taken from what a run says": (
        "agents/autotrain/test_experiment.py::test_the_better_trial_is_chosen_by_predictions_not_by_what_the_job_says_of_itself",
        "sandboxes/test_real_job.py::test_hidden_labels_are_not_in_the_sandbox",
    ),
    "success with no files written": (
        "sandboxes/test_jobs.py::test_unusable_outputs_are_bad_output",
        "sandboxes/test_jobs.py::test_a_run_cannot_mark_itself_as_finished",
    ),
    "L2 that was computed once and never again": (
        "kit/training/test_fit.py::test_l2_shrinks_embeddings_at_every_step_and_nothing_else",
        "kit/training/test_updates.py::test_with_a_penalty_every_row_is_updated",
    ),
    "ids cast to float32": ("kit/test_large_ids.py::test_neighbours_above_two_to_the_24_keep_rows_of_their_own",),
    "AUC averaged over batches": ("kit/training/test_fit.py::test_auc_is_of_the_whole_split_not_a_mean_over_batches",),
    "a squeeze that drops a batch of one": ("kit/training/test_smoke.py::test_a_planted_fault_is_caught",),
    "validation set = test set": (
        "kit/data/test_prepare.py::test_changing_test_rows_changes_nothing_that_train_shows",
        "agents/autotrain/test_experiment.py::test_every_seed_trains_by_the_chosen_setting_and_alone_predicts_test",
    ),
    "containers left behind": ("sandboxes/test_sweep.py::test_leftovers_of_a_killed_process_are_found",),
    "unpickling what a container wrote": ("sandboxes/test_outputs_are_data.py::test_a_pickle_is_not_taken",),
    "a hang after a timeout": (
        "sandboxes/test_limits_hold.py::test_ignoring_sigterm_does_not_help",
        "sandboxes/test_limits_hold.py::test_a_grandchild_that_holds_the_output_open_does_not_hold_the_run",
    ),
    "an image that must be pulled first": (
        "sandboxes/test_choose.py::test_the_strongest_that_works_is_chosen",
        "sandboxes/test_choose.py::test_why_docker_does_not_answer",
    ),
    "a server bound to all interfaces": ("house/test_traps.py::test_nothing_listens_yet",),
    "no spending cap": (
        "agents/test_llm_openai_server.py::test_the_cap_stops_before_the_call",
        "workflows/test_flow_budgets.py::test_what_a_model_costs_ends_the_run_before_the_next_question",
        "workflows/test_flow_budgets.py::test_time_that_is_spent_ends_a_training_that_runs",
    ),
}


@pytest.mark.parametrize("trap", TRAPS)
def test_every_trap_has_its_tests(trap: str) -> None:
    assert TRAPS[trap]
    for name in TRAPS[trap]:
        path, _, function = name.partition("::")
        tree = ast.parse((TESTS / path).read_text(encoding="utf-8"))
        assert function in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}, f"{name} is gone"


def test_nothing_listens_yet() -> None:
    """There is no server of ours. Whoever adds one replaces this by a test that it keeps to loopback without authentication."""
    root = TESTS.parent
    for path in (p for top in ("agents", "memory", "workflows", "sandboxes") for p in (root / top).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            called = node.func if isinstance(node, ast.Call) else None
            name = called.attr if isinstance(called, ast.Attribute) else called.id if isinstance(called, ast.Name) else ""
            assert name not in ("listen", "serve", "create_server", "serve_forever"), f"{path} listens"
