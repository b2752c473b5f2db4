"""Discrete diffusion over a row's fields: a generative loss for the ids that noise of a random level has hidden.

Notation: B rows, C categorical fields.
"""

from __future__ import annotations

from torch import Tensor, nn

from sandboxes.kit.batch import Batch
from sandboxes.kit.card import Argument, Card
from sandboxes.kit.layers.feature_embedding import FeatureEmbedding
from sandboxes.kit.layers.field_denoising import HEAD_DIM, N_CANDIDATES, N_STEPS, FieldDenoising
from sandboxes.kit.schema import Schema

CARD = Card(
    name="discrete_diffusion",
    block="DiscreteDiffusion",
    slot="auxiliary",
    needs=("category_pairs", "labels"),
    takes=("embedding", "batch"),
    summary="Adds a generative loss: fields are hidden at a random noise level, and a denoising network predicts their ids.",
    equation="s ~ U{1 .. S}, field i absorbed by [MASK] with probability s/S; L = mean over rows of 1/|M| sum_{i in M} "
    "-log softmax(h_i . E_i)[x_i], h the denoising network's output on x_s (absorbing diffusion of Austin et al., NeurIPS 2021, "
    "section 3.1; the mean over what is masked as the any-order form of Ou et al., ICLR 2025, section 3)",
    cues=(
        "discrete diffusion",
        "discrete diffusion model",
        "diffusion-based generative pre-training",
        "absorbing state",
        "absorbing diffusion",
        "masked diffusion",
        "forward noising process over feature fields",
        "reverse denoising process",
        "denoising diffusion over categorical features",
        "noise level is sampled",
        "diffusion timestep",
        "sample-level generation",
        "mask rate grows with the timestep",
        "generates the feature ids of a sample",
    ),
    descriptions=(
        "Feature ids are corrupted to a mask token at a randomly drawn diffusion step, and a network recovers the original ids.",
        "A generative model of whole samples is learned by reversing a process that absorbs one field after another.",
        "The time step decides what share of a row's fields is absorbed, from almost none to all of them.",
        "The cross-entropy of the true ids, over the vocabulary of each field, is the training signal of the denoiser.",
        "Because the noise ranges from light to total, the network learns the joint distribution of a row's categories.",
        "The denoiser is told the noise level and predicts every absorbed field at once.",
        (
            "We model the joint distribution of all fields of a sample with a discrete diffusion process. In the forward process"
            " each categorical value jumps to an absorbing mask state with a probability that increases with t; the reverse "
            "process is parameterised by a Transformer that predicts the original categories."
        ),
        (
            "Rather than generating the next item of a sequence, our paradigm generates the sample itself: user, item and "
            "context features are noised to a random time step and denoised jointly. The parameters so obtained initialise the "
            "model for click prediction."
        ),
        (
            "The training objective is a variational bound on the likelihood of a row. For absorbing corruption it reduces to a "
            "weighted sum of cross-entropies at the positions that were masked, with t drawn uniformly for each row."
        ),
        (
            "Vocabularies of id fields are too large for a full softmax in the reverse process; we therefore contrast the true "
            "id with a sampled set of ids of the same field, and correct the logits for the sampling rate."
        ),
        (
            "Think of a song's record sheet left out in the rain. On some days a drop smears one entry, on others nearly "
            "everything is illegible, and the dampness is known. The restorer must name what each smeared entry said, whatever "
            "the weather, and comes to know how sheets are usually filled in."
        ),
        (
            "How much of a booking we erase is itself left to chance. A dial between zero and one is spun, each column is then "
            "wiped with that chance, and from the remainder plus the dial's reading the network names the wiped values. With the"
            " dial at one it must invent a plausible booking from nothing."
        ),
        (
            "Tersely: u uniform on (0, 1]; z_i equals x_i with probability 1-u, else the blank; minimise the mean of minus log "
            "p(x_i given z, u) over blanks. No fixed corruption share exists, and targets are names, not vectors."
        ),
        (
            "Ad logs hold few clicks but very many complete rows. We let a network learn to write such rows: beginning at an "
            "entirely blank row it could fill in cell by cell, and it is taught this by being shown rows at all stages of "
            "blankness."
        ),
        (
            "A fill-in exercise with one fixed share of gaps teaches only how to patch small holes. Ours varies the share from "
            "row to row, from a single hole to nothing but holes, and tells the solver which. What it maximises is thereby a "
            "bound on how probable it finds the bank's records as wholes."
        ),
        (
            "Every news impression is a tuple of symbols. A chain of S small corruptions replaces symbols by a void that is "
            "never left again; we jump to a random link of the chain and train a classifier per slot that tells which symbol "
            "the void swallowed."
        ),
        (
            "The retailer's generator works on categories, so that no Gaussian noise is involved: corruption means vanishing. "
            "Weakly corrupted baskets train fine completion, strongly corrupted ones train the coarse statistics, and one "
            "network conditioned on the strength does both."
        ),
        (
            "In the games shop we first teach a model what sessions look like. It is handed partly vanished sessions, at every "
            "degree of vanishing, and graded on the exact identifiers it proposes for the vanished attributes, out of a few "
            "hundred alternatives each."
        ),
        (
            "Places, times and visitors obey a common law that a click label hardly reveals. The law is caught by a stepwise "
            "destroyer and a learned repairer: the destroyer removes attributes for good, more of them the later the step, and "
            "the repairer reads the step number along with what survived."
        ),
        (
            "As an engineer would put it: sample step, sample mask with rate step/S, replace embeddings, add position and step "
            "encodings, run two attention layers, score against the field's table, take the log loss on masked slots. The "
            "app-install head comes later and inherits the tables."
        ),
        (
            "We add a generative task on the categorical inputs of each impression: a corruption level is drawn at random, "
            "every column is replaced by a blank symbol with that probability, and a level-aware attention network classifies "
            "what each blank used to be."
        ),
        (
            "Our model learns to invert a Markov chain whose only move is from a value to the void. Inverting it from any "
            "point, whether nearly intact or nearly void, means learning how users, goods and contexts occur together, and this "
            "knowledge is shared with the click predictor through common embeddings."
        ),
        (
            "The proposed pre-task reconstructs symbols of a sample rather than its label. Corruption strength is a random "
            "variable spanning the whole range, the reconstructor is informed of it, and its error is the log loss of the right "
            "symbol among candidates from the same column."
        ),
        (
            "Before, we hid fifteen per cent of the slots of each app-install record and guessed them. Now the percentage is "
            "itself thrown by dice for every record, up to a hundred, and stated to the guesser, which turns a guessing game "
            "into a proper likelihood model of records."
        ),
        (
            "A restorer practises on frescoes with a few flakes missing, with half the wall gone, and with bare plaster, and is "
            "always told how much time has gnawed at it. So he learns what saints, colours and places go together; here the "
            "fresco is a row of a ticketing log."
        ),
        (
            "Reviewer's summary: generative modelling of tabular click logs by iterative unmasking. Time runs from clean to "
            "fully masked, one network predicts the clean ids for all hidden columns at any time, and the cross-entropy over "
            "hidden columns is used as an extra loss next to the click loss."
        ),
        (
            "Read aloud: draw s from one to S; hide each field with chance s over S; encode the rest together with s; for each "
            "hidden field minus log softmax of its true id; mean over hidden fields; mean over rows. That is an upper bound on "
            "minus the log-likelihood of the row."
        ),
        (
            "Since job id, skill and town are symbols and not real numbers, additive noise makes no sense. We destroy by "
            "deletion, with a deletion rate that goes through all values between nought and one, and restore by classification "
            "over the vocabulary."
        ),
        (
            "It is all about rows, not sequences: what gets hidden are attributes of one and the same restaurant visit, in any "
            "combination and any amount, and what gets learned is the joint law of these attributes, conditional on whichever "
            "remain."
        ),
        (
            "We hand the network a loan file with a stated degree of redaction. For every blacked-out box it names the entry "
            "out of the true one and a sample of false ones. Being trained on all degrees, it can, in principle, write a whole "
            "file from a fully black page, box by box."
        ),
        (
            "Click labels give one bit per row, the row itself gives many. To exploit them, our auxiliary branch views each row "
            "under random erosion, whose progress is encoded as an extra token, and is trained to undo the erosion by "
            "predicting the vanished ids at once."
        ),
        (
            "The forward process erases courses, learners and terms independently as the clock advances, and what is erased "
            "remains erased. The learned backward process gives for each erased slot a categorical distribution over ids, with "
            "the clock as input. Fitted jointly with the main objective, it enriches id vectors."
        ),
        (
            "Engineer's note: t = randint(1, T); mask = rand(C) < t / T; x = where(mask, MASK, emb); x = x + time_emb[t]; h = "
            "transformer(x); loss = sampled softmax per masked column; divide by the number of masked columns of the row; "
            "multiply by 0.1; add."
        ),
        (
            "Generative knowledge is wanted of which profile, partner and hour make a plausible meeting. Our denoising "
            "objective supplies it by letting discrete noise of variable intensity swallow entries of the meeting's record and "
            "by rewarding the probability given to the entries that were swallowed."
        ),
    ),
    arguments=(
        N_STEPS,
        N_CANDIDATES,
        HEAD_DIM,
        Argument(
            "loss_weight",
            0.1,
            ("weight of the diffusion loss", "diffusion loss weight", "coefficient of the generative loss"),
            low=1e-6,  # at 0 there would be no such loss
            high=100,
        ),
    ),
    example="embedding = FeatureEmbedding(schema, 8)\nlayer = DiscreteDiffusion(schema, 8, n_steps=10)\n"
    "output = layer(embedding, batch)",
)


class DiscreteDiffusion(nn.Module):
    """(embedding, batch) -> a scalar: `loss_weight` times the mean cross-entropy of a row's hidden ids, averaged over the rows
    that hide any; 0 where none does.

    The mean over what a row hides makes it, with many steps, an estimate of the bound on the row's log-likelihood per field. The
    network takes raw vectors, before features are refined, so that nothing of a hidden field shows in the others; what a later
    stage inherits is the embedding.
    """

    def __init__(
        self,
        schema: Schema,
        embedding_dim: int,
        n_steps: int = 100,
        n_candidates: int = 128,
        head_dim: int = 16,
        loss_weight: float = 0.1,
    ) -> None:
        super().__init__()
        self.loss_weight = loss_weight
        self.denoising = FieldDenoising(schema, embedding_dim, n_steps, n_candidates, head_dim)

    def forward(self, embedding: FeatureEmbedding, batch: Batch) -> Tensor:
        cross_entropy, hidden = self.denoising(embedding, batch)  # (B, C) each
        loss: Tensor = (cross_entropy * shares_of_hidden(hidden)).sum()
        return self.loss_weight * loss


def shares_of_hidden(hidden: Tensor) -> Tensor:
    """What each hidden field (B, C) counts: as much as any other of its row, and rows that hide something alike; 1 in all."""
    n_hidden = hidden.sum(1, keepdim=True)  # (B, 1)
    return hidden / n_hidden.clamp(min=1) / (n_hidden > 0).sum().clamp(min=1)
