"""Negatives that are no items: points between the vectors of items, made anew in every step.

Notation: B rows, I ids of the target item, N negatives drawn for a row, V virtual ones made of pairs of them.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from sandboxes.kit.batch import Batch
from sandboxes.kit.card import Argument, Card
from sandboxes.kit.layers.drawn_instead import drawn_instead
from sandboxes.kit.layers.sampled_softmax import TEMPERATURE

CARD = Card(
    name="interpolated_negatives",
    block="InterpolatedNegatives",
    slot="item_loss",
    needs=("items", "answers"),
    summary="Trains against negatives synthesised between item vectors: mixtures of two negatives, each moved some way towards "
    "the positive.",
    equation="v = b e_j + (1 - b) e_k, e' = a e_i + (1 - a) v, a and b uniform; -log softmax of s(q, e_i) against all s(q, e') "
    "or the hardest alone (Huang et al., KDD 2021, eq. 5, 6; Kalantidis et al., NeurIPS 2020, section 3.2)",
    cues=(
        "interpolated negatives",
        "synthesised negatives",
        "synthetic negatives",
        "synthetic hard negatives",
        "virtual negatives",
        "virtual negative samples",
        "generates virtual samples",
        "dense interpolation",
        "virtual samples in the embedding space",
        "negative mixing",
        "hard negative mixing",
        "positive mixing",
        "mixup of negative samples",
        "interpolating between positive and negative",
        "interpolation between negatives",
        "linear interpolation of item embeddings as negatives",
        "injects positive information into negatives",
        "interpolation-based negative sampling",
    ),
    descriptions=(
        "New negatives are made in the embedding space by interpolating between the vectors of existing ones.",
        "A share of the positive's vector is blended into each negative, which makes it harder to tell apart.",
        "The negative that a row is trained against is no item of the catalogue but a point on the line between two of them.",
        "Convex combinations of sampled negatives fill the gaps that the sampled items leave.",
        "Random mixing coefficients decide how near to the positive each synthesised negative lies.",
        "Among the blended candidates, the one that scores highest for the user is the negative of the step.",
        (
            "Rather than sampling raw negatives from data, we synthesise them. For a set of candidate negatives, positive mixing "
            "interpolates each candidate with the positive item's embedding using a random coefficient in (0, 1); the candidate "
            "with the largest inner product with the user is then selected for the pairwise loss."
        ),
        (
            "We propose to create hard negatives on the fly, at the level of features. A pair of the hardest existing negatives "
            "is combined linearly, and the result joins the queue of negatives in the contrastive objective at almost no cost."
        ),
        (
            "Sampling more items from the corpus is expensive, since each has to pass the item tower. We instead densify the "
            "negative distribution after the tower: the low-dimensional outputs at hand are interpolated pairwise, which "
            "yields any number of additional samples."
        ),
        (
            "The decision boundary is tightened by artificial samples that lie between the target item and an unobserved "
            "item. With the mixing ratio drawn uniformly, the model cannot rely on easy separations."
        ),
        (
            "No song in the library is difficult enough for a listener whose taste the model already knows. So we invent "
            "some: take a song she did not play, slide its coordinates a random part of the way to the one she did play, and "
            "demand that the played one still wins."
        ),
        (
            "In formula: draw j and k from the unseen items and b from [0, 1]; the impostor is b x_j + (1 - b) x_k. It has "
            "coordinates but no identity, and it is forgotten after the step."
        ),
        (
            "Think of the apps as cities on a map. Most rivals drawn at random lie on other continents and teach nothing. We "
            "place tents along the roads between them, and along the road to the installed app, and treat each tent as a rival."
        ),
        (
            "Engineering note: the encoder ran over 256 hotels. From these we get 2,000 contrast points by weighted averages "
            "of their output rows with random weights; the extra matrix product takes less than a millisecond."
        ),
        (
            "An advertiser's thousand candidates look alike to the loss after one epoch; all are far away. Adding counterfeit "
            "candidates, each a cocktail of the clicked ad's code and another ad's code, keeps the gradient alive."
        ),
        (
            "Banking products are few, so that a rare customer sees the same contrasts over and over. We multiply them by "
            "averaging the codes of two products not held, in proportions that change with every visit."
        ),
        (
            "What the player is asked to prefer is real; what it is to be preferred to is fabricated. The fabrication is a "
            "blend: mostly a game she never opened, seasoned with up to one half of the game she did."
        ),
        (
            "Let the wrong answers be phantoms. Between each two museums nobody chose there is a continuum of museums that do "
            "not exist; picking from this continuum covers regions in which the city has no museum, and the learned surface "
            "becomes smooth there too."
        ),
        (
            "Every grocery the shopper left on the shelf is pulled towards the one in her basket by a random fraction before "
            "the two are compared. Only the most threatening of those pulled ones counts, the others are discarded."
        ),
        (
            "Items are not re-encoded and the catalogue is not searched. The contrast set is enlarged by arithmetic on vectors "
            "alone: sums of two with weights adding up to one, which gives density where sampled news articles are sparse."
        ),
        (
            "We fabricate foils in the latent space. Given the vector of the clicked product and those of a few products that "
            "were not clicked, each foil is a random convex combination of a non-clicked vector with the clicked one, so that "
            "it shares traits with the truth and is hard to reject; the loss contrasts the clicked product with the foils."
        ),
        (
            "Our training scheme enlarges the set of contrasts without further calls of the item encoder. Couples of encoded "
            "distractors are averaged with random weights, which populates the regions between them, and the averages join "
            "the originals in the softmax denominator."
        ),
        (
            "The proposed sampler neither selects from the catalogue by popularity nor searches for high scorers. It "
            "manufactures: one step mixes unobserved songs among themselves, a second step injects a random portion of the "
            "observed song into the mixture, and the most plausible mixture is used against the observed song."
        ),
        (
            "By blending the target's representation into those of the non-targets with a coefficient drawn uniformly from "
            "zero to an upper limit, we control difficulty: the larger the limit, the closer the impostors come to the target "
            "and the sharper the margin that the ranker must learn."
        ),
        (
            "In our pairwise objective the losing side is no real hotel. It is obtained by moving the vector of an unbooked "
            "hotel along the segment that leads to the booked one, and among several such moved vectors the traveller's own "
            "score decides which is the toughest and hence enters the loss."
        ),
        (
            "We argue that randomly sampled non-interacted articles are too easy and leave most of the space untouched. "
            "Linear blends of them are generated in each iteration instead, with fresh coefficients, providing an unlimited "
            "supply of informative contrasts at the price of some vector additions."
        ),
        (
            "Feature-level augmentation is applied by us solely to the wrong side of the comparison. The right answer and the "
            "query keep their genuine vectors; wrong answers are replaced by points sampled on lines between two genuine "
            "wrong answers, or between one and the right answer."
        ),
        (
            "Cheap trick for retrieval training: after the item tower, lerp. neg = lerp(neg[j], neg[k], rand) for extra ones, "
            "then neg = lerp(neg, pos, 0.5 * rand) for all. No additional forward passes, and the gradient stops dying after "
            "the first epoch."
        ),
        (
            "Ordinarily: draw a video nobody watched, find it miles away from the watched one, learn nothing. With blending: "
            "that video is dragged a random part of the way towards the watched one and becomes an opponent worth beating."
        ),
        (
            "A fencing master who runs out of good opponents builds dummies: half of one poor fencer, half of another, and a "
            "dash of the champion himself. The pupil must prefer the champion to every dummy. Dummies are burnt after each "
            "lesson."
        ),
        (
            "Reviewer's summary: mixup moves into the loss of an implicit-feedback recommender. Instead of mixing samples "
            "together with their labels, only the vectors of contrasts are mixed, partly with the true item, the mixture "
            "keeps the label 'wrong', and the top scoring one can be singled out."
        ),
        (
            "With e+ the chosen course and e1, e2 passed-over ones: x = b e1 + (1 - b) e2; y = a e+ + (1 - a) x; b uniform, a "
            "uniform below one half; minimise -log of exp(q e+) over itself plus the sum of exp(q y). Here y belongs to no "
            "course in the catalogue."
        ),
        (
            "Between any two job ads that an applicant skipped there stretches a line of ads that could have existed. We test "
            "the ranker on points of that line too, and on points leaning towards the ad applied for, which smooths the score "
            "between the ads that do exist."
        ),
        (
            "Ghost rivals for dating profiles: coordinates are a compromise between someone ignored and someone liked. As the "
            "compromise may come arbitrarily near to the liked one, the matcher must attend to fine distinctions; as it is "
            "redrawn at every update, it can't be learnt by heart."
        ),
    ),
    arguments=(
        Argument(
            "n_negatives",
            32,
            ("number of candidate negatives", "size of the candidate set", "number of sampled negatives"),
            low=1,
            high=4096,
        ),
        Argument(
            "n_mixed",
            32,
            ("number of virtual negatives", "number of synthetic negatives", "number of interpolated samples"),
            low=0,
            high=4096,
        ),
        Argument(
            "positive_share",
            0.5,
            ("maximum share of the positive", "upper bound of the mixing coefficient", "positive mixing coefficient"),
            low=0.0,
            high=1.0,
        ),
        Argument("hardest", 0, ("number of hardest negatives kept", "number of selected hard negatives"), low=0, high=4096),
        TEMPERATURE,
    ),
    example="layer = InterpolatedNegatives(n_negatives=4, n_mixed=8)\noutput = layer(scores, batch)",
)


class InterpolatedNegatives(nn.Module):
    """(scores (B, I), batch) -> scalar: cross-entropy of each row's answer against its virtual negatives; with `hardest` above 0
    against the so many of highest score alone. With one, this is -ln sigmoid of the difference to it.

    For each row `n_negatives` other items are drawn, each as likely, and `n_mixed` points between two of these; then all are
    moved towards the answer by a share of the way, uniform up to `positive_share` (Huang et al., KDD 2021, eq. 5, with one share
    for all coordinates). Points are made where they are scored: wherever scores are products with an item's vector, the score of
    a point between two is the same mean of their scores, and so are its gradients.
    """

    def __init__(
        self,
        n_negatives: int = 32,
        n_mixed: int = 32,
        positive_share: float = 0.5,
        hardest: int = 0,
        temperature: float = 1.0,
    ) -> None:
        super().__init__()
        self.n_negatives, self.n_mixed, self.hardest = n_negatives, n_mixed, hardest
        self.positive_share, self.temperature = positive_share, temperature

    def forward(self, scores: Tensor, batch: Batch) -> Tensor:
        assert batch.answer is not None
        others = drawn_instead(batch.answer[:, None].expand(-1, self.n_negatives), scores.shape[1])  # (B, N)
        taken = scores.gather(1, batch.answer[:, None])  # (B, 1)
        virtual = self._moved(self._mixed(scores.gather(1, others)), taken)  # (B, N + V)
        if self.hardest:
            virtual = virtual.topk(min(self.hardest, virtual.shape[1]), dim=1).values
        first = torch.zeros_like(batch.answer)
        return functional.cross_entropy(torch.cat([taken, virtual], 1) / self.temperature, first)

    def _mixed(self, drawn: Tensor) -> Tensor:
        """The negatives (B, N), and after them points between two of them (B, N + V)."""
        ends = torch.randint(self.n_negatives, (2, len(drawn), self.n_mixed), device=drawn.device)
        share = torch.rand(len(drawn), self.n_mixed, dtype=drawn.dtype, device=drawn.device)
        return torch.cat([drawn, torch.lerp(drawn.gather(1, ends[0]), drawn.gather(1, ends[1]), share)], 1)

    def _moved(self, negatives: Tensor, taken: Tensor) -> Tensor:
        """Some of the way to the answer's score (B, 1)."""
        return torch.lerp(negatives, taken, self.positive_share * torch.rand_like(negatives))
