"""Masked reconstruction: some fields are hidden, and their embeddings are told from the other fields of the row.

Notation: B rows, F fields, D embedding width, M masked fields of a row, H hidden width.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from sandboxes.kit.card import Argument, Card
from sandboxes.kit.layers.table import INITIAL_STD

CARD = Card(
    name="masked_reconstruction",
    block="MaskedReconstruction",
    slot="auxiliary",
    summary="Adds a loss for reconstructing the embeddings of randomly masked fields from the fields that remain.",
    equation="L = 1/(B M) sum_b sum_{i masked} ||g_i(e with its masked fields replaced by m) - sg(e_i / "
    "||e_i||)||^2, g of one hidden"
    " layer, sg the stopped gradient (denoising of Vincent et al., ICML 2008, section 2.3, on masked inputs with "
    "normalised targets"
    " as He et al., CVPR 2022, section 3)",
    cues=(
        "masked feature prediction",
        "masked feature modeling",
        "masked feature reconstruction",
        "masked field prediction",
        "reconstruct masked features",
        "reconstruct the masked fields",
        "reconstruct the original features",
        "reconstruction loss",
        "reconstruction objective",
        "reconstruction supervision",
        "denoising autoencoder",
        "denoising reconstruction",
        "denoising objective",
        "denoising network",
        "recover the masked features",
        "corrupted features",
        "feature corruption",
        "predict masked features from the remaining features",
    ),
    descriptions=(
        "A random share of the feature fields is masked, and the model reconstructs them from the fields that are left.",
        "The reconstruction of corrupted inputs is a self-supervised task that makes use of unlabelled feature co-occurrence.",
        "An auxiliary denoising loss asks the network to restore the embeddings of hidden features.",
        "Masked fields are replaced by a special mask vector, and their original embeddings are the targets.",
        "Reconstructing all feature fields supervises the embeddings densely and so relieves the sparsity of click labels.",
        "As in masked language models, features of a sample are hidden and predicted from their context.",
        (
            "As an auxiliary task, a portion of the feature fields is masked in each sample and the model must recover the "
            "original feature values from the unmasked fields. The recovery loss is added to the click loss and both are "
            "optimised together."
        ),
        (
            "We mask random fields and predict their ids from the context given by the remaining ones using a softmax over "
            "sampled candidates. This extra loss is trained jointly with the CTR objective and forces the embeddings to capture "
            "dependencies among fields."
        ),
        (
            "An auxiliary decoder is attached to the interaction encoder; it regresses the embeddings of hidden fields from "
            "those left visible. Minimising this recovery error together with the binary cross-entropy provides dense "
            "supervision beyond sparse clicks."
        ),
        (
            "Inspired by masked language modelling, we replace some of a sample's features by a special token and ask the "
            "network to infer what was replaced, as a side objective alongside the prediction of the user's response."
        ),
        (
            "Part of each row is covered up, and besides guessing whether a booking follows, the net has to fill in the covered "
            "cells out of the uncovered ones. Mistakes in filling in are charged along with mistakes in the booking guess."
        ),
        (
            "A fill-in-the-blank exercise is attached to training. We blank out the artist or the genre of a track, let the "
            "model guess the blank from the other attributes, and add the guess's error, suitably weighted, to the error of the "
            "play forecast."
        ),
        (
            "Attributes of a bank client explain each other: age hints at product, product at branch. To exploit this, the "
            "learner is additionally penalised when it cannot restore a concealed attribute from the rest, so its codes must "
            "store these mutual hints."
        ),
        (
            "Selected slots have their vectors swapped for a placeholder. A small head reads the hidden state and outputs an "
            "estimate of what the swapped vectors were; the squared gap between estimate and truth becomes a second term of the "
            "objective, next to the response term."
        ),
        (
            "The label supplies one bit per impression, while the inputs themselves supply dozens of targets for free. We take "
            "these targets by withholding some inputs at random and requiring them to be deduced from the inputs not withheld, "
            "all during ordinary supervised learning."
        ),
        (
            "Alongside its main question, whether the reader opens the article, the network faces a restoration question: given "
            "the surviving columns, which values stood in the columns we erased? Both questions share the same latent factors "
            "and are answered in the same step."
        ),
        (
            "The system learns to repair incomplete records. Random gaps are punched into each player's description, the "
            "content of the gaps is inferred from what is left, and the discrepancy with the true content enters the total cost "
            "together with the purchase cost."
        ),
        (
            "Our side objective compares nothing across samples; it looks inside one sample only and checks whether the missing "
            "pieces can be recovered from their companions. It is added with a small factor to the advert-response penalty at "
            "every update."
        ),
        (
            "For a randomly chosen subset of properties we delete the input and keep the value as a target. Through a shared "
            "encoder, the value's probability is computed given the undeleted properties, and its negative logarithm is summed "
            "with that of the visit label."
        ),
        (
            "The decoder branch exists only while learning: it receives the joint code of the visible characteristics and tries "
            "to reproduce the invisible ones. Its failure signal flows into the embedding table at the same time as the click "
            "signal; for serving, the branch is thrown away."
        ),
        (
            "Cover some attributes of the row and let the network guess them from those left visible. The error of the guess is "
            "added to the click error, so that the shared vectors learn which values go together even from rows on which nobody "
            "clicked."
        ),
        (
            "A fill-in-the-blank exercise accompanies the ordinary exam. For each record a few slots are swapped for a blank "
            "symbol, the encoder reads the rest, and a small head for each blanked slot must name the original value among "
            "candidates; its cross-entropy joins the main objective with a weight."
        ),
        (
            "Recipe: choose fifteen percent of the columns at random; substitute a special learned vector; encode; from the "
            "encoding predict the original value (softmax with sampled alternatives for ids, squared difference for amounts). "
            "Total loss equals response loss plus alpha times prediction loss; update all the weights together."
        ),
        (
            "Labels tell little about how genre, artist and listener's country depend on each other. We therefore set the "
            "auxiliary goal of recovering omitted properties from the present ones, as a denoising device does, and train for "
            "it in the same step as the play probability."
        ),
        (
            "The additional question to the network is: which merchant category was removed here, given the amount, hour and "
            "card? Answering correctly needs knowledge of co-occurrence among fields, and that knowledge improves the codes "
            "used for the fraud score, with which the question is optimised jointly."
        ),
        (
            "Unlike merely zeroing inputs as noise, we ask for the zeroed part back. A decoder outputs the values of the hidden "
            "columns out of the visible context, and its mistakes are charged; there is no comparing of two versions of the "
            "sample and no other samples are required as opponents."
        ),
        (
            "Tersely: pick set M of fields; x-tilde equals x with M blanked; h equals enc(x-tilde); L equals logloss(y) plus "
            "alpha times the sum over f in M of minus log q(x_f given h). Both terms flow into the same tables."
        ),
        (
            "Like restoring a torn postcard, our side decoder is shown an incomplete travel query and has to restore the "
            "destination, the season or the party size that we tore off. The restoration penalty, added to the booking penalty, "
            "acts as a regulariser for rare values."
        ),
        (
            "Besides learning clicks, the network is given a second job on the same batch. We hide a sixth of the columns "
            "behind a placeholder, and from those still visible it must guess the values that were hidden, e.g. the product "
            "category from brand, shelf and hour. The error of its guesses, multiplied by 0.2, is added to the click error. The "
            "heads for guessing are thrown away before deployment."
        ),
    ),
    arguments=(
        Argument(
            "mask_rate",
            0.3,
            (
                "mask ratio",
                "masking ratio",
                "mask rate",
                "masking probability",
                "corruption ratio",
                "corrupt ratio",
                "noise ratio",
            ),
            low=0.01,
            high=0.95,
        ),
        Argument(
            "reconstruction_dim",
            64,
            ("hidden units of the decoder", "decoder hidden size", "hidden size of the reconstruction network"),
            low=1,
            high=4096,
        ),
        Argument(
            "loss_weight",
            0.1,
            ("weight of the reconstruction loss", "reconstruction loss weight", "coefficient of the reconstruction loss"),
            low=1e-6,  # at 0 there would be no such loss
            high=100,
        ),
    ),
    example="layer = MaskedReconstruction(fields.shape[1], fields.shape[2], mask_rate=0.5)\noutput = layer(fields)",
)


class MaskedReconstruction(nn.Module):
    """fields (B, F, D) -> a scalar: `loss_weight` times the mean squared distance, summed over D, of the masked fields.

    Every row hides the same number of fields, at least one. Two things keep the embeddings from making the task easy by
    vanishing or growing alike: no gradient flows to them as targets, and targets have unit length. A network that has learned
    nothing and answers zero has a distance of 1.
    """

    def __init__(
        self,
        n_fields: int,
        embedding_dim: int,
        mask_rate: float = 0.3,
        reconstruction_dim: int = 64,
        loss_weight: float = 0.1,
    ) -> None:
        super().__init__()
        self.n_masked = max(1, min(n_fields - 1, round(mask_rate * n_fields)))  # M
        self.loss_weight = loss_weight
        self.mask_vector = nn.Parameter(torch.randn(embedding_dim) * INITIAL_STD)  # (D,)
        width = n_fields * embedding_dim
        self.encode, self.decode = nn.Linear(width, reconstruction_dim), nn.Linear(reconstruction_dim, width)

    def forward(self, fields: Tensor) -> Tensor:
        chosen = torch.rand(fields.shape[:2], device=fields.device).topk(self.n_masked, 1).indices  # (B, M)
        masked = torch.zeros_like(fields[..., 0], dtype=torch.bool).scatter(1, chosen, True)  # (B, F)
        visible = torch.where(masked.unsqueeze(2), self.mask_vector, fields)  # (B, F, D)
        told: Tensor = self.decode(torch.relu(self.encode(visible.flatten(1)))).view_as(fields)  # (B, F, D)
        target = functional.normalize(fields.detach(), dim=2)  # (B, F, D)
        distance = (told - target).square().sum(2)[masked].mean()
        return self.loss_weight * distance
