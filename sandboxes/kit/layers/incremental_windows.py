"""Incremental training: the training rows are cut into windows of time, and the model goes from one to the next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from sandboxes.kit.card import Argument, Card
from sandboxes.kit.contract import Stage

# What several cards that train window by window have in common.
N_WINDOWS = Argument("n_windows", 4, ("number of windows", "number of time windows", "number of time spans"), low=2, high=1000)

CARD = Card(
    name="incremental_windows",
    block="IncrementalWindows",
    slot="scheme",
    needs=("time",),
    summary="Trains on windows of time one after the other, oldest first, each from the weights that the one before left.",
    equation="w_t = descent on the loss over the rows of window t, started at w_(t-1), t = 1 .. k "
    "(the sequential fine-tuning of Wang et al., 2020, section 3; online updates as McMahan et al., KDD 2013, section 1)",
    cues=(
        "incremental training",
        "incremental learning",
        "incremental update",
        "incrementally update the model",
        "incrementally trained",
        "trained incrementally",
        "sequential fine-tuning on the newest data",
        "warm start from the previous model",
        "warm-started from yesterday's model",
        "daily incremental training",
        "online incremental updates",
        "chronological windows of training data",
        "model is updated with the newest data only",
        "continual training on streaming logs",
    ),
    descriptions=(
        (
            "The log is cut into consecutive periods, and the model is fine-tuned on each in turn, starting from the weights "
            "of the period before."
        ),
        "Yesterday's model is the initialisation of today's, which sees today's samples only.",
        "Samples are consumed in chronological order, so that the newest have the last word.",
        (
            "Instead of retraining from scratch on a shuffled history, the existing parameters are updated with what has come"
            " in since."
        ),
        "The model follows the drift of the distribution by training on one time slice after another.",
        "Each slice of time is visited once, the oldest first, and is never returned to.",
        (
            "Because user interests and items shift, we do not shuffle the whole training set. It is partitioned by timestamp"
            " into equally large chunks; the network is optimised on the first until its epochs are over, and the resulting "
            "parameters initialise the optimisation on the next, up to the most recent chunk."
        ),
        (
            "In production the model is refreshed every day: the checkpoint of the day before is loaded and trained on the "
            "samples of the last day alone. We reproduce this protocol offline by replaying the training days in order, "
            "carrying the parameters from one day to the next."
        ),
        (
            "Let D_1, ..., D_k be the data of successive periods. The parameters for period t minimise the loss on D_t with "
            "theta_{t-1} as starting point, theta_0 being random. Old periods are not stored, which makes the cost of an "
            "update proportional to the amount of new data."
        ),
        (
            "Full retraining on a month of logs takes days. Updating with the latest partition only, from the present "
            "weights, takes an hour and gives the recent past more weight than the distant one, at the risk of forgetting "
            "what has not occurred lately."
        ),
        (
            "Training jobs form a relay: January's job starts from random parameters, February's from those that January's "
            "job saved, and so on to December's, whose parameters are deployed. Each job has its own month of examples as its"
            " whole training set."
        ),
        (
            "A music service's catalogue changes weekly. Weights learned up to week n are taken as they are into week n plus "
            "one, adjusted there to that week's plays, and passed on; at no time do plays of two weeks meet in one batch."
        ),
        (
            "Sort by timestamp. Split into k runs of equal length. For i from 1 to k: fit(run i), keep weights. Evaluate "
            "after the last run. No reinitialisation, no replay."
        ),
        (
            "Prices and fashions move, so the order of rows carries information that random order destroys. Going through the"
            " shop's quarters from the oldest to the newest lets the gradient steps of the newest quarter be the final ones, "
            "so the deployed state leans towards present behaviour."
        ),
        (
            "Fraud patterns at the bank are replaced by new ones within weeks. The detector is therefore never rebuilt. It is"
            " nudged: every fortnight's transactions serve as a small training set of their own on top of what the detector "
            "has become by then."
        ),
        (
            "As a course that is repeated every term with new examples keeps last term's slides and edits them, so the ranker"
            " of news is not trained anew for the hour's readers: gradient descent on that hour's examples begins where the "
            "hour before had stopped."
        ),
        (
            "Travel demand in summer tells little about autumn. Rather than average both, the weights are optimised on June's"
            " training rows, then, without being reset, on July's, and so on, so that the deployed weights suit the month "
            "that borders on the test month."
        ),
        (
            "Engineering: a scheduler launches one job per partition of the event table; each job restores the snapshot that "
            "its predecessor wrote, runs a fixed number of passes over its own partition, and writes a snapshot in turn. The "
            "last one is released."
        ),
        (
            "Apps are installed for reasons that age quickly. We therefore chain several short trainings instead of a long "
            "one; the link between two of them is the full set of parameters, and the material of each is the stretch of the "
            "log that immediately follows the stretch of its forerunner."
        ),
        (
            "To study ageing we compare two regimens with the same number of gradient steps. One draws every batch from the "
            "whole period; the other exhausts the first tenth of the period before it touches the second, and so forth. The "
            "latter's answers resemble the present more closely."
        ),
        (
            "The parameters of the ad model that serve at eight o'clock are those of seven o'clock, moved by gradient steps "
            "on the impressions logged between. Training examples older than seven are not used again; only the starting "
            "point of the optimisation still owes something to them."
        ),
        (
            "New games appear, old ones fade. We train in instalments; an instalment covers the sessions of one season, "
            "begins with the parameters at the end of the previous season, and its epochs do not mix sessions of other "
            "seasons."
        ),
        (
            "Retraining from zero forgets nothing but learns the recent slowly; continuing from the last state on fresh "
            "visits alone learns the recent at once. The recommender of places adopts the second course, stage after stage "
            "along the timeline."
        ),
        (
            "The training set is treated as a queue of blocks ordered by date. A block is popped, the weights at hand are "
            "refined on it for a couple of passes, the block is dropped. When the queue is empty the weights have seen "
            "everything exactly as often as under shuffling, but in the order in which it happened."
        ),
    ),
    arguments=(N_WINDOWS,),
    example="stages = IncrementalWindows(n_windows=3).staged((Stage('train'),))",
)


@dataclass(frozen=True)
class IncrementalWindows:
    """The last stage, which trains what is served, becomes `n_windows` stages on as many spans of its rows in order of time, of
    equally many rows each. Each takes the stage's epochs over its own span, so that the model sees no more rows than others;
    stages before it stay as they are, and so do all where the last two go through neighbouring spans already. The optimiser
    begins anew with each window.
    """

    n_windows: int = 4

    def __post_init__(self) -> None:
        if self.n_windows < 2:
            raise ValueError(f"training goes through at least 2 windows, not {self.n_windows}")

    def staged(self, stages: Sequence[Stage]) -> tuple[Stage, ...]:
        *before, last = stages
        if before and before[-1].rows[1] == last.rows[0]:
            return tuple(stages)
        (start, end), k = last.rows, self.n_windows
        borders = [start + (end - start) * i / k for i in range(k)] + [end]
        windows = pairwise(borders)
        return *before, *(replace(last, name=f"{last.name} {i}/{k}", rows=rows) for i, rows in enumerate(windows, 1))
