"""Distillation from window to window: the model that the window before left teaches the one that is trained on the next.

Notation: B rows, T tasks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn

from sandboxes.kit.batch import Batch
from sandboxes.kit.card import Card
from sandboxes.kit.contract import Stage
from sandboxes.kit.layers.distillation import TEACHER_WEIGHT, TEMPERATURE, softened_divergence
from sandboxes.kit.layers.earlier_model import said_before, state_now
from sandboxes.kit.layers.incremental_windows import N_WINDOWS, IncrementalWindows
from sandboxes.kit.losses import observed_bce

CARD = Card(
    name="window_distillation",
    block="WindowDistillation",
    slot="loss",
    needs=("time",),
    summary="Trains from window to window of time, and holds each model to the predictions of the one before lest it forget.",
    equation="L_t = (1 - a) BCE(y, z_t) + a r^2 KL(sigmoid(z_(t-1) / r) || sigmoid(z_t / r)) on the rows of window t, z_(t-1) "
    "the model that window t - 1 left and that training starts from; L_1 = BCE (Li and Hoiem, ECCV 2016, section 3, the whole "
    "model as teacher; for click models Wang et al., 2020, section 3.3)",
    cues=(
        "previous model as the teacher",
        "model of the previous window as teacher",
        "distillation from the previous model",
        "distill knowledge from the previous model",
        "knowledge distillation in incremental training",
        "knowledge distillation for incremental learning",
        "incremental learning with distillation",
        "catastrophic forgetting",
        "alleviate forgetting",
        "learning without forgetting",
        "preserve the knowledge of the old model",
        "preserves long-term preference during incremental updates",
        "historical model as teacher",
        "distillation between consecutive time windows",
    ),
    descriptions=(
        "When the model is updated with new data, its former version acts as the teacher to prevent forgetting.",
        "The loss on today's samples is joined by the divergence from the predictions of yesterday's model.",
        "Each incremental step distils the knowledge of the model that was trained up to the previous time window.",
        "Old knowledge is kept without old data, by imitating the outputs of the old model on the new rows.",
        "Teacher and student have the same architecture; the teacher is simply the checkpoint before the update.",
        "Fine-tuning on the newest window alone forgets long-term preferences, which the previous model's outputs retain.",
        (
            "Incremental updates suffer from catastrophic forgetting: parameters fitted to the newest samples lose what "
            "earlier periods had taught. We add a distillation term that keeps the updated model's predictions close to those "
            "of its predecessor on the incoming data."
        ),
        (
            "The model module is initialised from the model trained on the last window, which at the same time serves as the "
            "teacher. The objective is the sum of the cross-entropy on new labels and the cross-entropy with the teacher's "
            "soft predictions."
        ),
        (
            "Since the data of former periods may not be stored, stability is obtained from the former model itself. A "
            "coefficient balances plasticity, the fit to the newest labels, and stability, the agreement with the teacher."
        ),
        (
            "After each period the current parameters are frozen and become the teacher of the next period. In the first "
            "period no teacher exists and training is ordinary."
        ),
        (
            "Every morning the song ranker studies last night's plays. Lest it forget the winter in the first week of spring, "
            "it is also asked to answer, on the same plays, not too differently from how it would have answered the evening "
            "before."
        ),
        (
            "The shop's model of Monday grades Tuesday's exercises in advance. Tuesday's pupil is marked on two sheets, the "
            "true outcomes and Monday's opinion of them, and on Wednesday the pupil itself does the grading."
        ),
        (
            "Tersely: w starts at w'; minimise loss(D_new; w) plus lambda times KL(p_w' to p_w) on D_new; then w' becomes w "
            "and D_new the next block."
        ),
        (
            "A chain of models is trained along the calendar of the booking site. Links hold to each other by their outputs: "
            "a link may differ from its forerunner where fresh bookings demand it and otherwise repeats it."
        ),
        (
            "No large network teaches a small one here. It is the same network at two dates; the earlier self pulls at the "
            "later self while the later sees data that the earlier never saw."
        ),
        (
            "Continual refreshing of the bank's propensity model drifts with every campaign. An anchor helps that moves only "
            "once a month: the release in production, whose scores on this month's customers are targets beside their "
            "responses."
        ),
        (
            "We replay no old visits. What old visits have taught is present in the released weights, and is brought to bear "
            "by scoring each new visit with them too and charging for disagreement."
        ),
        (
            "The game portal updates hourly. Hour by hour the departing snapshot leaves its probabilities behind as a will, "
            "which its heir must respect to a degree set in advance, next to the clicks of the hour."
        ),
        (
            "To an ad model each day's log is a small and biased sample. The regulariser we use is not a norm of weights but "
            "a distance of functions: that between the model being fitted and the model it was started from, on the rows at "
            "hand."
        ),
        (
            "Streams of news make a recommender short of memory. In our scheme memory is the model of the window before, "
            "consulted on the articles of this window, and never older than one step, for it remembers its own predecessor in "
            "turn."
        ),
        (
            "We train on consecutive slices of the log. On every slice but the first, the objective blends the likelihood of the "
            "observed clicks with a divergence from the probabilities that the weights inherited from the preceding slice assign "
            "to the same impressions; these weights also serve as the starting point."
        ),
        (
            "The proposed refresh keeps what older traffic has taught without keeping older traffic. The parameters in service "
            "before the refresh are frozen, score each incoming record, and the refreshed parameters are charged for deviating "
            "from those scores as well as from the outcomes."
        ),
        (
            "Our model is its own predecessor's student. At the end of a week the network is duplicated; the duplicate does not "
            "learn any more and supplies soft targets for next week's listening events, next to the hard ones, until it is "
            "itself replaced by the newer duplicate."
        ),
        (
            "Engineer's note: before the stage for day t, prev = deepcopy(state). loss = (1 - a) * bce(z, y) + a * r * r * "
            "kl(sigmoid(z_prev / r), sigmoid(z / r)), both on day t's rows, prev in eval mode and without grad. On day 1 there "
            "is no prev and the loss is bce."
        ),
        (
            "Reviewer's summary: the setting is daily finetuning of a click predictor, where each day wipes out some of the days "
            "before. The cure is output-level regularisation toward the pre-update checkpoint on the newly arrived samples. Same "
            "architecture, no replay buffer, no penalty on parameters or embeddings."
        ),
        (
            "Plain updating lets the newest campaign rewrite the predictor. With the amendment, each update has two masters: "
            "what customers did this month, and what last month's predictor would have expected of them. One coefficient between "
            "nought and one says which of them is obeyed."
        ),
        (
            "A ship's watch is relieved every four hours. The officer going off tells the one coming on what he would do with "
            "each vessel now in sight; his relief decides by what she sees, but deviates from the advice only for cause, and "
            "gives advice of her own at the next bell."
        ),
        (
            "Read aloud: the loss in period t is one minus a times the cross-entropy with the labels, plus a times the "
            "divergence between the softened prediction of the network left by period t minus one and the softened prediction of "
            "the present network, both about the rows of period t."
        ),
        (
            "Seasonal demand for hotels returns, but a model refreshed through the summer has unlearned the winter by November. "
            "We slow the unlearning down by function-space inertia: on all rows that arrive, present outputs are tied to the "
            "outputs which the last release gives on them."
        ),
        (
            "Stability and plasticity are traded in our streaming job recommender through its outputs. Plasticity comes from the "
            "fresh applications; stability comes from a static image of the recommender taken just before they arrived, whose "
            "beliefs about them are imitated at raised temperature."
        ),
        (
            "A language changes, yet each generation learns it from the speech of its parents as well as from the street. In our "
            "system a generation is the model for one stretch of the calendar, the street is that stretch's feedback, and the "
            "parents are the model for the stretch before, commenting on it."
        ),
        (
            "It is not compression: old and new networks have the same size, and the old one is no better than the new one. It "
            "is older, that is all, and hence remembers purchases that have left the training slice. Matching its verdicts on "
            "current purchases is how this memory is passed down the line."
        ),
        (
            "For the ticketing site we cut the year into spans and visit them in order. Entering a span, we put the weights at "
            "hand under glass; while these weights are being adapted outside, they are pulled back, example by example, to the "
            "verdict of those under the glass, lest earlier spans vanish from memory."
        ),
        (
            "Courses that are popular this term would drown what was learned about all others. Each term's fitting is therefore "
            "accompanied by an elder, the very network as it stood at the end of the former term, and the loss has a share for "
            "disagreeing with the elder about this term's learners."
        ),
    ),
    arguments=(
        N_WINDOWS,
        replace(TEMPERATURE, default=1.0),
        TEACHER_WEIGHT,
    ),
    example="layer = WindowDistillation(LinearTerm(schema, logits.shape[1]), n_windows=3)\noutput = layer(logits, batch)",
)


class WindowDistillation(nn.Module):
    """(logits (B, T), batch) -> a scalar: the cross-entropy of labels, and from the second window on also the divergence from
    what the model of the window before says of the same rows.

    `teacher` is the model itself, (batch) -> logits (B, T), as far as it is built; nothing of it is copied until a stage begins
    after one that minimised this loss. What is kept then is its state at that time, which is no part of the model's own and is
    not served. Where the scheme has no windows of time yet, it gets `n_windows`, as `incremental_windows` makes them.
    """

    def __init__(self, teacher: nn.Module, n_windows: int = 4, temperature: float = 1.0, teacher_weight: float = 0.5) -> None:
        super().__init__()
        if not (temperature > 0 and 0 <= teacher_weight <= 1):
            raise ValueError("the temperature is positive and the teacher's weight in [0, 1]")
        self.windows, self.temperature, self.teacher_weight = IncrementalWindows(n_windows), temperature, teacher_weight
        self._model = (teacher,)  # in a tuple, since a module that holds this one is no part of it
        self._before: dict[str, Tensor] = {}
        self._learned = False  # whether this loss was minimised since the last stage began

    def forward(self, logits: Tensor, batch: Batch) -> Tensor:
        assert batch.labels is not None
        self._learned = self._learned or self.training
        hard = observed_bce(logits, batch.labels)
        if not self._before:
            return hard
        taught = self._taught(batch).reshape(batch.labels.shape)  # (B, T)
        divergence = softened_divergence(logits.reshape(batch.labels.shape), taught, self.temperature)
        return (1 - self.teacher_weight) * hard + self.teacher_weight * self.temperature**2 * divergence

    def set_progress(self, progress: float) -> None:
        if progress == 0 and self._learned:
            self._before = state_now(self._model[0])
            self._learned = False

    def staged(self, stages: Sequence[Stage]) -> tuple[Stage, ...]:
        return self.windows.staged(stages)

    @torch.compiler.disable  # type: ignore[untyped-decorator]
    def _taught(self, batch: Batch) -> Tensor:
        """What the model of the window before says of the rows."""
        return said_before(self._model[0], self._before, batch)
