"""Target attention: behaviours weighed by a small network that compares each of them with the candidate.

Notation: B rows, L history length, D embedding width.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from sandboxes.kit.card import Argument, Card

CARD = Card(
    name="target_attention",
    block="TargetAttention",
    slot="history",
    needs=("history", "target_item"),
    summary="Sums the user's past behaviours, each weighed by an activation unit that looks at the behaviour and "
    "the candidate item together.",
    equation="v_U(A) = sum_j a(e_j, v_A) e_j, with a = mlp([e_j, v_A, e_j - v_A, e_j * v_A]) and PReLU between its layers;"
    " the weights are not normalised (Zhou et al., KDD 2018, eq. 3 and section 4.3)",
    cues=(
        "target attention",
        "target-aware attention",
        "local activation unit",
        "activation unit",
        "locally activated",
        "attention between the target item and historical behaviors",
        "attention with respect to the target item",
        "attention with respect to the candidate ad",
        "relevance of historical behaviors to the candidate",
        "relevant to the candidate ad",
        "behaviors relevant to the target item",
        "adaptively calculating the representation of user interests",
        "user interest representation varies over different ads",
        "soft-search for relevant behaviors",
        "weighted sum of behavior embeddings given the candidate",
        "candidate-aware user representation",
        "interest in the candidate item",
    ),
    descriptions=(
        "The user's past behaviours get weights by how relevant they are to the candidate item, and are summed "
        "with these weights.",
        "An activation unit takes a behaviour's embedding and the candidate's embedding and gives the "
        "behaviour's attention weight.",
        "The vector of user interests differs from one candidate advertisement to the next instead of being fixed.",
        "Only the part of the history that has to do with the target item is activated, since interests are diverse.",
        "A feed-forward network on the behaviour, the target and their difference and product outputs the activation weight.",
        "The sum of the attention weights is not forced to be one, so the intensity of user interests is kept.",
        (
            "User interests are diverse, so a fixed user vector is a bottleneck. We compute the user representation adaptively "
            "for each candidate ad: a small feed-forward network takes a historical behaviour and the candidate, outputs a "
            "relevance weight, and the behaviours are sum-pooled with these weights."
        ),
        (
            "Each clicked item is paired with the candidate item; their embeddings, difference and product go through a "
            "two-layer perceptron that returns an activation weight. The weighted sum of the history thus varies over different "
            "candidates."
        ),
        (
            "Our model locally activates the historical behaviours that are related to the item being scored. The intensity of "
            "activation is learned by an MLP over the behaviour-candidate pair, without softmax normalisation, and the "
            "activated sequence is summed into the interest vector."
        ),
        (
            "The user's interest with respect to the displayed item is obtained by soft-searching the behaviour sequence with "
            "the item as the query: behaviours relevant to the item receive large weights from a learned scoring network, "
            "others are suppressed, and the weighted embeddings are added."
        ),
        (
            "When a swimsuit is on offer, only the earlier beachwear purchases should speak; when a laptop is on offer, only "
            "the electronics. We let a little network judge every old purchase side by side with the product on offer, and add "
            "up the purchases, each scaled by its verdict."
        ),
        (
            "A listener has as many profiles as there are songs to rate. For the song in question, each previously played song "
            "is set next to it, the two codes are concatenated and graded by a shallow net, and the graded codes are added "
            "together into a profile made for this song alone."
        ),
        (
            "The summary of past stays is rebuilt for every hotel on the page. A stay's contribution is a function of two "
            "arguments, the stay and the hotel under evaluation, realised by a compact learned scorer; stays unlike the hotel "
            "contribute almost nothing."
        ),
        (
            "We do not squeeze all watched clips into one vector beforehand. The clip to be predicted is carried back into the "
            "record, matched with each entry by a trained comparison function, and the entries are accumulated in proportion to "
            "how well they match."
        ),
        (
            "Costs grow with candidates times history length, because the relevance of each logged article must be judged anew "
            "for each headline: a trained judge reads the article's vector together with the headline's vector and emits a "
            "number, by which the article enters the sum."
        ),
        (
            "For a bank with many products, which of a customer's payments matter depends on the product proposed. Given a "
            "proposal, the model feeds (payment, proposal, payment times proposal) to a tiny perceptron, multiplies the "
            "payment's representation by the output, and totals over all payments, regardless of their order."
        ),
        (
            "Which of the games played before explain an install of this very game? The answer is learned: a scoring subnet "
            "receives both games at once. Its raw outputs, not forced to sum to one, preserve how strong the liking is, and "
            "scale the old games' latent factors before addition."
        ),
        (
            "The person's record is looked at through the lens of the thing to be shown. Events resembling it are amplified, "
            "unrelated events are faded out, the amplification being produced by a subnetwork fed with both sides; change the "
            "thing shown and the resulting picture of the person changes too."
        ),
        (
            "Rather than one trained probe for all cases, the offer itself decides what is remembered. Each remembered booking "
            "passes, together with the offer, through hidden layers ending in one unit; that unit's value is the booking's "
            "coefficient in the linear combination describing the guest."
        ),
        (
            "Past installs are mixed into one point whose position depends on the app being advertised. Every mixing "
            "coefficient is the response of a learned two-input function, old app and advertised app, so that the same phone "
            "owner is described differently in front of a puzzle and a racing title."
        ),
        (
            "Which of a guest's earlier stays matter depends on the hotel we are about to show. For each earlier stay a tiny "
            "two-layer scorer receives the vector of that stay, the vector of the hotel in question and their difference, and "
            "returns one number. Stays are multiplied by their numbers and added up, so one and the same guest looks like a "
            "skier beside a mountain lodge and like a swimmer beside a resort."
        ),
        (
            "Let the song under judgement be placed next to each of the songs played earlier. For every such couple a little "
            "two-layer judge, which sees both songs side by side, emits a number telling how much the earlier one matters for "
            "this very judgement. The earlier songs are multiplied by their numbers and added up, so that another song under "
            "judgement gives another portrait of the same listener."
        ),
        (
            "For every pair made of a past purchase and the product now on offer, a little multilayer net reads both codes, "
            "along with their difference and product, and emits one strength. The purchases are then added up, each multiplied "
            "by its strength. Offer something else and the same shopper gets a different summary."
        ),
        (
            "A person who buys both skis and cookbooks should look like a skier when a pair of boots is considered. Our profile "
            "is therefore rebuilt for each product under consideration: a small learned scorer takes an old purchase together "
            "with that product and says how relevant the one is to the other, and the purchases are summed in proportion."
        ),
        (
            "Recipe: place the advertisement's vector beside the vector of the first visited page; push the two through a "
            "compact hidden layer down to one unit; use that unit's value as the page's volume. Repeat for all visited pages "
            "and add the amplified page vectors. No order among the pages is used, and the volumes change from one "
            "advertisement to another."
        ),
        (
            "Imagine a witness questioned about a specific suspect: of all she remembers only the relevant memories speak up. "
            "Here each remembered clip and the clip now being judged enter a tiny feed-forward scorer, whose scalar answer sets "
            "how loudly that memory counts in the sum describing the viewer."
        ),
        (
            "With t for the listing to be scored and b_i for earlier stays, compute a_i as a learned two-layer function of b_i, "
            "t and their elementwise product; the traveller is the sum of a_i times b_i. The weight is a joint judgement on "
            "stay and listing, never on the stay alone."
        ),
        (
            "Compressing all that a gamer has played into one fixed point loses variety, since a single point cannot stand for "
            "several tastes. We make the compression conditional: before summing, every played title is scaled by its "
            "pertinence to the title whose installation is being forecast, pertinence being the output of a shared small "
            "network fed with both."
        ),
        (
            "The listener's record is not condensed ahead of time; it is interrogated anew by each song in the shortlist. An "
            "auxiliary perceptron inspects song and former play side by side and returns a gain, and the gains mix the former "
            "plays. The cost is one pass of the perceptron per play and per song, which is the price of a profile that adapts "
            "to what is proposed."
        ),
        (
            "At inference the article proposed to the reader acts as a spotlight over her earlier reads. How brightly an "
            "earlier read is lit is decided by a trained unit looking at that read and the proposed article jointly, not by a "
            "constant yardstick; the lit reads are added together and passed on with the rest of the row."
        ),
    ),
    arguments=(
        Argument(
            "attention_units",
            (80, 40),
            (
                "hidden units of the attention network",
                "hidden units of the activation unit",
                "attention hidden units",
                "attention mlp",
                "attention layer sizes",
            ),
            low=1,
            high=4096,
        ),
    ),
    example="layer = TargetAttention(history.shape[2], attention_units=(16, 8))\noutput = layer(target, history, mask)",
)


class TargetAttention(nn.Module):
    """(target (B, D), history (B, L, D), mask (B, L)) -> (B, D); zeros for an empty history."""

    def __init__(self, embedding_dim: int, attention_units: Sequence[int] = (80, 40)) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for width, next_width in pairwise((4 * embedding_dim, *attention_units)):
            layers += [nn.Linear(width, next_width), nn.PReLU()]
        self.activation_unit = nn.Sequential(*layers, nn.Linear(attention_units[-1] if attention_units else 4 * embedding_dim, 1))
        self.out_dim = embedding_dim

    def forward(self, target: Tensor, history: Tensor, mask: Tensor) -> Tensor:
        candidate = target.unsqueeze(1).expand_as(history)  # (B, L, D)
        pairs = torch.cat([history, candidate, history - candidate, history * candidate], 2)  # (B, L, 4 D)
        weights = self.activation_unit(pairs) * mask.unsqueeze(2)  # (B, L, 1)
        interest: Tensor = (weights * history).sum(1)  # (B, D)
        return interest
