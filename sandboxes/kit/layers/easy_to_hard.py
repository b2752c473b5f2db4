"""From easy to hard: at first only the rows with the smallest losses count, and ever more until all do.

Notation: B rows, T tasks.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from sandboxes.kit.batch import Batch
from sandboxes.kit.card import Argument, Card

CARD = Card(
    name="easy_to_hard",
    block="EasyToHard",
    slot="loss",
    summary="Lets only the easiest share of each batch's rows count, a share that grows from a start to all rows while training.",
    equation="L = sum_i v_i l_i / sum_i v_i, v_i = 1 for the c(p) share of rows with the smallest l_i, else 0, "
    "c(p) = min(1, sqrt(p (1 - c0^2) / p1 + c0^2)), p the progress of training"
    " (self-paced weights of Kumar et al., NeurIPS 2010, eq. 2; the share's growth as Platanios et al., NAACL 2019, eq. 7)",
    cues=(
        "curriculum learning",
        "self-paced learning",
        "curriculum strategy",
        "curriculum schedule",
        "from easy to hard",
        "easy-to-hard",
        "easy samples first",
        "easy to difficult",
        "difficulty of samples",
        "difficulty of each sample",
        "sample difficulty",
        "harder samples are gradually",
        "gradually introduce hard samples",
        "pacing function",
        "competence function",
        "training from simple to complex",
    ),
    descriptions=(
        "Training begins with easy samples and gradually includes harder ones.",
        "A row counts only if its loss is among the smallest of the batch, and the share of counted rows grows with time.",
        "The order of difficulty is told by the model's own loss on each sample.",
        "A pacing function decides which part of the data may be learned from at each point of training.",
        "Hard and probably noisy samples have weight zero at first.",
        "At the end of the schedule every sample takes part with equal weight.",
        (
            "Inspired by the way humans learn, we organise training so that simple instances come first. Instance difficulty "
            "is measured by the current loss, and the proportion of instances admitted to the objective is a growing function "
            "of the training step."
        ),
        (
            "Implicit feedback contains false positives that mislead the model early on. Our schedule assigns binary weights "
            "to samples: those whose loss is below an increasing threshold are used, the others wait."
        ),
        (
            "We define the competence of the model as a square-root function of the elapsed training steps. In each batch "
            "only the fraction of samples within the model's competence, sorted by difficulty, contributes gradients."
        ),
        (
            "The learning objective jointly considers model parameters and latent sample weights; given the parameters, the "
            "optimal weights select the samples with small losses, and the age parameter is annealed until all are selected."
        ),
        (
            "Children read primers before novels. Our song ranker likewise starts on plays it nearly gets right and is handed "
            "the baffling ones only when it has matured; by the last pass nothing is kept from it."
        ),
        (
            "Tersely: sort the batch by error, keep the best c per cent, average; raise c from thirty to a hundred as the "
            "epochs go by."
        ),
        (
            "In travel logs some bookings make no sense to any model. Early gradient steps ignore whatever is predicted "
            "worst, and the ignored portion shrinks to nothing in the second half of the training."
        ),
        (
            "A gatekeeper looks at each ad impression's present error. In the first hours he lets only the low ones pass to "
            "the average from which gradients are taken; his bar is lifted little by little, and at last he goes home."
        ),
        (
            "News rows are admitted by merit: which of them the network may study is decided by how well it already does on "
            "them. Admission widens along a fixed curve over time, steep first and flat later."
        ),
        (
            "The weight of an app's row is one or nought. It is nought while the row's error ranks among the highest of its "
            "peers and the schedule is young; it becomes one for good when the schedule has run its course."
        ),
        (
            "Instead of feeding the bank's cases in arbitrary fashion we let the network advance from the plain to the "
            "intricate ones. What is plain is not labelled by experts but judged by the size of the residual."
        ),
        (
            "A mountain guide takes beginners up the gentle path and adds steeper stretches week by week. Row by row, the "
            "stretches are ranked by how much the network still slips on them."
        ),
        (
            "As training time t goes from zero to one, a quantile q of t rises. Rows of a batch with an error above the q-th "
            "quantile are multiplied by zero. Since q of one is one, the objective ends as the ordinary one."
        ),
        (
            "For players with erratic habits, labels surprise even a good model. These surprises are kept out of the early "
            "objective and let in later, which prevents the network from memorising them before it knows the rule."
        ),
    ),
    arguments=(
        Argument(
            "start_share",
            0.5,
            (
                "initial competence",
                "initial proportion of samples",
                "initial share of easy samples",
                "starting fraction of the data",
            ),
            low=0.01,
            high=1.0,
        ),
        Argument(
            "full_at", 0.5, ("curriculum length", "duration of the curriculum", "end of the curriculum"), low=0.01, high=1.0
        ),
    ),
    example="layer = EasyToHard(start_share=0.3)\nlayer.set_progress(0.1)\noutput = layer(logits, batch)",
)


class EasyToHard(nn.Module):
    """(logits (B, T), batch) -> a scalar: the mean cross-entropy of the rows that count, summed over tasks.

    The share is taken of observed positive and negative rows each, of every task: clicks are rare and so the hardest, and a start
    without any would teach nothing but their rate. The share grows from `start_share` to all rows at the progress `full_at`;
    where nobody tells the progress, as outside of training, all rows count.
    """

    progress: Tensor

    def __init__(self, start_share: float = 0.5, full_at: float = 0.5) -> None:
        super().__init__()
        if not (0 < start_share <= 1 and 0 < full_at <= 1):
            raise ValueError(f"shares lie above 0 and up to 1, not {start_share} and {full_at}")
        self.start_share, self.full_at = start_share, full_at
        self.register_buffer("progress", torch.ones(()), persistent=False)  # a tensor, so that compiled code sees it change

    def set_progress(self, progress: float) -> None:
        self.progress.fill_(progress)

    @property
    def share(self) -> Tensor:
        """Of the rows that count, a scalar."""
        squared = self.start_share**2
        return (self.progress * (1 - squared) / self.full_at + squared).sqrt().clamp(max=1.0)

    def forward(self, logits: Tensor, batch: Batch) -> Tensor:
        assert batch.labels is not None
        logits = logits.reshape(batch.labels.shape)  # (B, T)
        target = batch.labels.nan_to_num(0.0).to(logits.dtype)
        losses = functional.binary_cross_entropy_with_logits(logits, target, reduction="none")  # (B, T)
        counts = torch.zeros_like(losses)
        for label in (0.0, 1.0):
            own = batch.labels == label  # (B, T)
            easiest = losses.detach().masked_fill(~own, torch.inf).argsort(dim=0, stable=True)  # (B, T): rows, others last
            rank = easiest.argsort(dim=0)  # (B, T)
            counts += own & (rank < (self.share * own.sum(0)).ceil())
        return ((losses * counts).sum(0) / counts.sum(0).clamp(min=1)).sum()
