"""Pair networks: every pair of fields has a small network of its own, and what these say goes to the deep network.

Notation: B rows, F fields, D embedding width, P pairs, U units of a layer.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from sandboxes.kit.card import Argument, Card
from sandboxes.kit.layers.pairs import field_pairs

CARD = Card(
    name="pair_networks",
    block="PairNetworks",
    slot="interaction",
    needs=("several_fields",),
    placement="input",
    summary="Runs a small multilayer network of its own for each pair of fields on both embeddings and their element-wise "
    "product, and hands the outputs of all networks to the deep network.",
    equation="h_ij = net_ij([e_i, e_j, e_i * e_j]) for i < j, each layer of it relu(LayerNorm(W h + b)) with weights of the "
    "pair; all h_ij join the embeddings below the first hidden layer (Qu et al., TOIS 2018, product-network in network; a "
    "network for each pair also in Khawar et al., CIKM 2020)",
    cues=(
        "net-in-net",
        "network in network",
        "product-network in network",
        "micro network for each pair of fields",
        "micro networks",
        "sub-network for each field pair",
        "sub-network for each pair of fields",
        "sub-networks for pairs",
        "sub-nets",
        "pairwise sub-networks",
        "neural network as the interaction function",
        "interaction function of two fields is a neural network",
        "generalizes the kernel product by a network",
        "mlp for each feature pair",
        "field-pair-specific network",
        "pair-wise multilayer perceptrons",
    ),
    descriptions=(
        "Each pair of fields has its own sub-network, which takes both embeddings and their product and outputs a short vector.",
        "The inner product of two fields is replaced by a small neural network that belongs to these two fields.",
        "A network of networks: the outputs of many tiny networks, one per field pair, are the input of the large one.",
        "How two fields interact is not a fixed product but is learned by an MLP with weights of the pair.",
        "Micro networks over pairs of embeddings act as feature extractors below the deep classifier.",
        "Hidden layers stand inside the interaction of a pair, before any pairs are mixed.",
        (
            "We generalise the product layer to a net-in-net architecture. For fields i and j, a sub-network receives the "
            "concatenation of the two embeddings and their element-wise product; the outputs of all sub-networks are "
            "concatenated and fed into a multilayer perceptron."
        ),
        (
            "Inner products and bilinear forms are restricted interaction functions. A universal approximator is used instead: a "
            "two-layer perceptron with layer normalisation per field pair, so that each pair may have an interaction of "
            "arbitrary form."
        ),
        (
            "The feature extractor consists of F(F-1)/2 micro networks, which do not share parameters, and are evaluated in "
            "parallel by batched matrix products. Each of them has one hidden layer and emits a few units that summarise the "
            "relation of its two fields."
        ),
        (
            "In contrast to deep networks over the flat embeddings, where the interaction of two given fields has to be found "
            "among all inputs, local networks see two fields only. Their gradients are therefore not insensitive to the "
            "pairwise structure."
        ),
        (
            "Every couple of columns employs an analyst. The analyst for city and season reads these two and their "
            "coordinatewise product, thinks it over in a hidden layer, and writes a note of five numbers. The head office reads "
            "the notes of all analysts together with the raw columns."
        ),
        (
            "Whether an artist suits an hour may follow a rule that no multiplication expresses: only loud artists, and only "
            "after ten, unless it is Sunday. So we give the couple artist-hour a little brain, the couple artist-device another, "
            "and join their verdicts."
        ),
        (
            "For i < j: x = (u, v, u*v); h = relu(norm(x W1[i,j] + b1[i,j])); out = relu(norm(h W2[i,j] + b2[i,j])). Collect out "
            "over all couples, attach the original codes, continue with ordinary dense layers. W1 and W2 carry the indices of "
            "the couple; nothing is shared."
        ),
        (
            "We do not trust a matrix between two vectors to say all there is to say about income and loan purpose, since it is "
            "linear in either of them. Between them we put a compact perceptron, private to this combination, and do likewise "
            "for every other combination in the application."
        ),
        (
            "A ranking model for games is built of small machines. A machine has two inlets, reserved for two particular "
            "properties, one hidden stage and an outlet of a few lamps. There are as many machines as there are ways to choose "
            "two properties, and a big machine watches all lamps."
        ),
        (
            "The lowest layer of our news ranker is wired sparsely: its units are split into groups, and a group is connected to "
            "two slots, and to their product, but to no other slot. After a second grouped layer the groups are opened and a "
            "fully connected tower begins."
        ),
        (
            "Couples of attributes are embedded again. The second embedding is not looked up but computed, by a shallow network "
            "whose weights are chosen by which two attributes meet, from their first embeddings; it is a handful of numbers long "
            "and passes to the predictor as it is."
        ),
        (
            "One could let a single perceptron judge all couples; but that publisher goes with advertiser and weekday with hour "
            "are different kinds of knowledge. Each couple is judged by a perceptron trained for it alone, and judgements are "
            "vectors, so that the tower can still weigh them."
        ),
        (
            "The relation of hotel and traveller is learned as an arbitrary function of both latent vectors, with a nonlinearity "
            "inside and several outputs. A function of this sort exists for all two-element subsets of the inputs, and their "
            "outputs, side by side, widen what the main network sees."
        ),
        (
            "Imagine a tournament in which every two entries of the record play a short match under house rules of their own. "
            "The score sheet of a match, a few rectified values, depends on both players and on how they multiply; the jury "
            "above gets all score sheets at once."
        ),
        (
            "Pairwise effects are left to specialists. A specialist's parameters amount to a few hundred, its field of vision to "
            "two embeddings; it normalises its hidden values so that its voice is neither too loud nor too faint among hundreds. "
            "What the specialists produce is concatenated."
        ),
        (
            "No scalar per pair, no common matrix, no pooling over pairs: what reaches the hidden layers is a vector for brand "
            "and price, one for brand and user, one for price and user, each formed by a multilayer map that was trained for "
            "this pair of attributes and bends its inputs before they are merged."
        ),
        (
            "We replace the dot product by a learnable relation. For any two attributes of an impression, our model instantiates "
            "an independent shallow feed-forward module whose input is the two codes stacked with their Hadamard product, and "
            "whose low-dimensional activation joins the input of the final classifier."
        ),
        (
            "The proposed extraction stage holds one miniature regressor per combination of columns. As all of them have the "
            "same shape, their matrices are stacked into a tensor of order three and evaluated at once, yet no parameter is seen "
            "by two combinations."
        ),
        (
            "What a movie's director tells us about a viewer's age group need not be bilinear. We therefore parameterise this "
            "dependence, and each of the other two-way dependences, by hidden layers with rectifiers and learned weights that "
            "are exclusive to the two signals concerned; the resulting vectors are stacked beneath the ranking tower."
        ),
        (
            "Factorisation machines say how strongly two categories go together with one number obtained by multiplying and "
            "summing. In our design that number gives way to the activations of a tiny learned circuit, one circuit for every "
            "twosome of slots, which can express thresholds, exceptions and saturation."
        ),
        (
            "Reviewer's summary: the authors argue that plain dense stacks hardly discover which two inputs should be combined. "
            "They put a layer of bivariate subnets in front, one for each combination of inputs, normalise the hidden values, "
            "and let the usual stack read the concatenated outputs next to the raw lookups."
        ),
        (
            "A grocery basket has twelve facts attached. Sixty-six dwarfs sit underneath the model, one for each twosome of "
            "facts, each with his own two-storey workshop; what they hammer out of their two lumps of ore, and of the alloy of "
            "both, is carried upstairs on sixty-six trays."
        ),
        (
            "Read aloud: for each i less than j take the vector of i, the vector of j and their entrywise product; send all "
            "three through the network with index i j; write down its last layer; put everything that has been written down into "
            "one long row and let the deep part begin."
        ),
        (
            "Engineer's note: with 20 inputs that makes 190 private MLPs of shape 3D to 40 to 5. Use a batched matmul over the "
            "combination axis, layer norm without affine terms, ReLU after each. The head sees 950 extra inputs. No attention, "
            "no pooling over combinations."
        ),
        (
            "We learn second-order signals with function approximators of local scope. Each approximator observes exactly two "
            "slots of the job advertisement, for example seniority and region, possesses its own coefficients throughout, and "
            "emits several numbers instead of one, thus leaving it to the upper layers which of them matter."
        ),
        (
            "Before: one matrix per combination of inputs, sandwiched between two vectors, giving a scalar. After: one small "
            "nonlinear net per combination, giving a short code. The step from linear-in-each-side to anything a perceptron can "
            "represent is the whole difference."
        ),
        (
            "In the proposed course recommender, interest between learner level and subject is modelled by a dedicated two-layer "
            "mapping; so is that between subject and device, and so on for all combinations. Because a mapping never sees a "
            "third attribute, it must specialise in how its two attributes act jointly."
        ),
        (
            "Think of duets. Each two instruments of the band rehearse in a room by themselves, with a score written only for "
            "that duo, and record a few seconds. The producer mixes from all duo recordings and from the solo tracks, never "
            "having heard the whole band play."
        ),
        (
            "The bottom of our ticket-sale predictor is block-structured: block (i, j) is fully connected inside, receives "
            "fields i and j and what they give when multiplied coordinate by coordinate, and has no wire to any other block. The "
            "blocks' top units are the cross features, discovered by training and not by hand."
        ),
        (
            "Our contribution is to let the interaction operation itself be deep. Rather than crossing first and applying layers "
            "to the sum of crosses, we apply layers inside each cross, with untied weights for all F choose 2 crosses, and only "
            "then bring the crosses together in a joint predictor."
        ),
    ),
    arguments=(
        Argument(
            "pair_units",
            (40, 5),
            (
                "hidden units of the sub-network",
                "hidden units of each sub-network",
                "sub-net",
                "sub-net size",
                "size of the micro network",
                "layers of the micro network",
            ),
            low=3,  # normalised to mean zero, fewer units say next to nothing
            high=1024,
        ),
    ),
    example="layer = PairNetworks(fields.shape[1], fields.shape[2], pair_units=(8, 4))\noutput = layer(fields)",
)


class PairNetworks(nn.Module):
    """(B, F, D) -> (B, P * U), U the last of `pair_units`. Raises `ValueError` for fewer than two fields.

    Layers are normalised over their units, without a scale and shift of their own: embeddings start near zero, and their
    products nearer still.
    """

    first: Tensor
    second: Tensor

    def __init__(self, n_fields: int, embedding_dim: int, pair_units: Sequence[int] = (40, 5)) -> None:
        super().__init__()
        first, second = field_pairs(n_fields)
        self.register_buffer("first", first, persistent=False)
        self.register_buffer("second", second, persistent=False)
        widths = list(pairwise((3 * embedding_dim, *pair_units)))
        self.weights = nn.ParameterList(torch.randn(len(first), n, m) * n**-0.5 for n, m in widths)  # each (P, U before, U)
        self.biases = nn.ParameterList(torch.zeros(len(first), 1, m) for _, m in widths)
        self.out_dim = len(first) * widths[-1][1]

    def forward(self, fields: Tensor) -> Tensor:
        one, other = fields[:, self.first], fields[:, self.second]  # (B, P, D)
        hidden = torch.cat([one, other, one * other], 2).transpose(0, 1)  # (P, B, 3 D)
        for weight, bias in zip(self.weights, self.biases, strict=True):
            hidden = torch.baddbmm(bias, hidden, weight)  # (P, B, U)
            hidden = torch.relu(functional.layer_norm(hidden, hidden.shape[2:]))
        return hidden.transpose(0, 1).flatten(1)  # (B, P * U)
