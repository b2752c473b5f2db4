"""Attention pooling: behaviours weighed by a learned query, whatever the candidate.

Notation: B rows, L history length, D embedding width, A attention width.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from sandboxes.kit.card import Argument, Card
from sandboxes.kit.layers.masked_softmax import masked_softmax

CARD = Card(
    name="attention_pooling",
    block="AttentionPooling",
    slot="history",
    needs=("history",),
    summary="Averages the user's past behaviours with softmax weights from a learned query vector; the candidate plays no part.",
    equation="a_j = softmax_j q^T tanh(W e_j + b); u = sum_j a_j e_j, over the real entries (Yang et al., NAACL "
    "2016, eq. 5 to 7)",
    cues=(
        "attention pooling over behaviors",
        "attention pooling over the history",
        "attentive pooling of clicked items",
        "attention pooling layer over the behavior sequence",
        "additive attention over clicked items",
        "additive attention over behaviors",
        "self-attentive pooling of the sequence",
        "learned query vector over the behaviors",
        "learnable query attends to the history",
        "attention query vector",
        "global attention vector over the history",
        "informative behaviors for representing the user",
        "weights of historical behaviors independent of the candidate",
        "aggregate the behavior sequence by attention",
        "weighted pooling of the user history",
    ),
    descriptions=(
        "The embeddings of clicked items are averaged with attention weights that a trainable query vector gives.",
        "Some past behaviours say more about a user than others, so an additive attention selects the important ones.",
        "One user vector is pooled from the history by attention and is the same for every candidate item.",
        "Each behaviour is passed through a tanh layer and compared with a learned context vector to find its weight.",
        "Instead of mean pooling over the behaviour sequence, the weights of the sum are learned and normalised by softmax.",
        (
            "We summarise the behaviour sequence by a weighted sum whose softmax weights come from the similarity between each "
            "behaviour embedding and a single trainable query vector. The query is shared by all users and does not depend on "
            "the candidate item, so the user representation can be computed once per request."
        ),
        (
            "Instead of mean pooling the clicked items, our user encoder learns a global context vector; every clicked item is "
            "scored against it, scores are softmax-normalised, and the embeddings are averaged accordingly. The item to be "
            "ranked is not used when building the user vector."
        ),
        (
            "To distinguish informative from uninformative interactions, the user history is aggregated with learned importance "
            "weights produced by a trainable query and a softmax over the sequence. The resulting user embedding is the same "
            "for all candidates."
        ),
        (
            "The history embeddings are passed through a tanh projection, multiplied by a learned vector to give one logit "
            "each, normalised over the sequence, and summed. This candidate-independent pooling replaces the average in the "
            "user tower."
        ),
        (
            "Not every track a listener played tells us something about taste. We let training discover one fixed probe vector; "
            "each played track is measured against the probe, the measurements are turned into shares adding to one, and the "
            "tracks are blended in these shares, whatever song is being considered next."
        ),
        (
            "A reader's portrait is a mixture of the articles opened before. How much each article contributes depends only on "
            "the article's own code and on a set of trained coefficients common to everybody; the headline under evaluation is "
            "never consulted, so portraits may be stored ahead of time."
        ),
        (
            "For each visited hotel a scalar salience is obtained by multiplying its latent factors with a parameter vector. "
            "Exponentiating and dividing by the total yields proportions, by which the visits are mixed into one traveller "
            "profile that is reused unchanged for all hotels on the page."
        ),
        (
            "Plain averaging treats an accidental tap and a long session alike. The model therefore holds one vector of free "
            "parameters that asks 'how telling is this game?' of every game in the log, and takes the convex combination that "
            "the answers dictate. The game being advertised has no say."
        ),
        (
            "We collapse the variable-length list of transactions into a single point of fixed size. A trained reference "
            "direction decides the share of each transaction, shares are non-negative and sum to one, and neither the order of "
            "the transactions nor the offered product influences the result."
        ),
        (
            "Because thousands of offers must be rated per visitor, we avoid recomputing the visitor's summary for each offer: "
            "past purchases are condensed once, by a softmax over their agreement with a learned prototype, and the same "
            "summary is set beside every offer."
        ),
        (
            "The summary of watched clips is a soft selection. A small scorer with its own weights looks at one clip at a time, "
            "in isolation from the clip to be recommended, and says how representative such clips generally are; the clips' "
            "vectors are then added up in proportion."
        ),
        (
            "Our model learns which kinds of past events matter on the whole, rather than which matter for this particular ad. "
            "One global key is fitted jointly with the other parameters, compared with all events of the person, and the "
            "normalised comparisons serve as mixing coefficients."
        ),
        (
            "Some bookings in a guest's record are noise. They are played down by a learned, guest-wide weighting: coefficient "
            "i is exp(w·h_i) over the sum of all such terms, with w a parameter of the model and h_i the booking's code. No "
            "term involves the listing to be shown."
        ),
        (
            "A person is represented by the centre of gravity of the things they consumed, where the masses are not equal but "
            "fitted. The mass of a thing follows from its own coordinates and one trained vector, hence stays the same no "
            "matter what is put forward as the next suggestion."
        ),
        (
            "Everything a shopper put in the basket during the last month is condensed to one summary. A single trainable "
            "vector, identical for all shoppers and ignorant of the product about to be ranked, is multiplied with each stored "
            "purchase vector; the resulting numbers are exponentiated, divided by their total and serve as mixing proportions. "
            "Since the product on the shelf has no say in this, we compute the summary once per visit."
        ),
        (
            "What somebody has read is condensed in a portrait that stays the same whichever article is to be judged. Each past "
            "article, written as a list of numbers, is compared by dot product with one and the same trained list of numbers, "
            "common to all readers. The exponentials of these comparisons, divided by their total, tell what share every "
            "article receives in the mean."
        ),
        (
            "Each film the viewer has watched receives one number: how well its code lines up with a single trainable probe "
            "that is shared by all viewers and all requests. The numbers are exponentiated and divided by their total, and the "
            "codes are blended in those shares. Which title is about to be offered has no influence on the blend."
        ),
        (
            "To shrink a variable list of earlier purchases into one summary, we keep a free parameter vector that learns what "
            "a telling purchase looks like. Every purchase is graded against it, the grades are turned into fractions that add "
            "to one, and the summary is the fraction-weighted mean. Because the product being scored is never consulted, the "
            "summary can be computed once per shopper and stored."
        ),
        (
            "Step one: take the codes of the last fifty tracks. Step two: multiply each coordinate by coordinate with one "
            "fitted query and add up, giving a grade. Step three: normalise grades exponentially so they sum to unity, then add "
            "the codes up by share; the same summary serves every song we might play next."
        ),
        (
            "Think of a librarian who, with one fixed taste acquired in training, judges which of a reader's loans are worth "
            "remembering, and who is not told which book will be suggested. Her judgements, made positive and scaled to total "
            "one, are the proportions in which the loans' latent points are averaged into the reader's portrait."
        ),
        (
            "A plain mean treats an accidental tap like a deliberate booking. We therefore let the mean be uneven: the "
            "proportions come from comparing each visited hotel's representation with a constant trained direction, the same "
            "for everybody, and a softmax over the visits. The hotel under evaluation enters only later, in the layers above."
        ),
        (
            "Log entries e1 to eT; a global parameter q; shares s_t equal to the exponential of q matched with e_t, over the "
            "sum of such exponentials; output the sum of s_t e_t. Nothing about the ad shown enters q or the shares, so one "
            "profile per visitor suffices for the whole slate."
        ),
        (
            "The account's earlier transactions are collapsed to a fixed-size record by a trainable, context-free ranking of "
            "salience. A lone learned pattern decides how much any transaction counts compared with its companions, the amounts "
            "being forced to total one, and order is ignored. The offer on the table is deliberately left out of that decision."
        ),
        (
            "What the reader opened before is boiled down to one point: articles whose codes resemble a jointly trained "
            "reference point pull it towards them, others hardly at all. The pulls are nonnegative and total one. Unlike "
            "schemes that recompute the pulls for every story up for display, ours depend only on the reader's log and the "
            "reference."
        ),
    ),
    arguments=(
        Argument(
            "attention_dim",
            64,
            (
                "attention query dimension",
                "dimension of the attention query",
                "dimension of the query vector",
                "additive attention size",
                "hidden size of the attention",
            ),
            low=1,
            high=1024,
        ),
    ),
    example="layer = AttentionPooling(history.shape[2], attention_dim=8)\noutput = layer(target, history, mask)",
)


class AttentionPooling(nn.Module):
    """(target (B, D), history (B, L, D), mask (B, L)) -> (B, D); the target is ignored, an empty history gives zeros."""

    def __init__(self, embedding_dim: int, attention_dim: int = 64) -> None:
        super().__init__()
        self.key = nn.Linear(embedding_dim, attention_dim)
        self.query = nn.Parameter(torch.randn(attention_dim) * attention_dim**-0.5)  # (A,)
        self.out_dim = embedding_dim

    def forward(self, target: Tensor, history: Tensor, mask: Tensor) -> Tensor:
        shares = masked_softmax(torch.tanh(self.key(history)) @ self.query, mask)  # (B, L)
        return torch.einsum("bl,bld->bd", shares, history)
