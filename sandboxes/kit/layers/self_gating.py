"""Self-gating: each field's vector passes a gate that is computed from that vector alone.

Notation: B rows, F fields, D embedding width.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from sandboxes.kit.card import Argument, Card

CARD = Card(
    name="self_gating",
    block="SelfGating",
    slot="feature",
    summary="Multiplies each field's embedding by a sigmoid gate computed from that embedding alone, with weights of the "
    "field's own.",
    equation="v_i = sigmoid(W_i e_i) * e_i, element-wise, W_i (D, D) of each field; one row of it, and one gate for the whole "
    "vector, where it is not bit-wise (Huang et al., 2020, GateNet, feature embedding gate, field private)",
    cues=(
        "feature embedding gate",
        "embedding gate",
        "embedding gate layer",
        "gated feature embedding",
        "gate each feature embedding by itself",
        "field-private gate",
        "field private gate",
        "gate parameters of each field",
        "private gate for each field",
        "bit-wise gate",
        "vector-wise gate",
        "gate value of the feature embedding",
        "self-gating",
        "select salient latent information",
        "salient information from the feature embedding",
        "gating mechanism on the feature embeddings",
    ),
    descriptions=(
        "Each field's embedding is multiplied by a gate that is a function of this embedding only.",
        "A gate with parameters of the field's own decides which elements of the field's vector pass.",
        "The sigmoid of a linear map of the embedding is multiplied element-wise with the embedding itself.",
        "Before fields interact, salient information is selected inside each embedding by its own gate.",
        "The gate of one field does not look at any other field.",
        "Gates may have one value for the whole vector or one value for each of its elements.",
        (
            "We add a gate layer between the embedding layer and the deep network. For field i the gate values are sigmoid(W_i "
            "e_i), with W_i private to the field; the gated embedding, the product of both, replaces the raw one in everything "
            "that follows."
        ),
        (
            "The importance of the latent factors of a feature can be judged from the feature itself. A linear transformation "
            "followed by a sigmoid maps every embedding vector to gate values, which let through what is informative and block "
            "the rest."
        ),
        (
            "In the field-private setting each field learns its own gate matrix, in the sharing setting all use one. The gates "
            "are applied by Hadamard product at the bit level, so that the dimensions of an embedding are rescaled separately."
        ),
        (
            "Unlike importance networks which look at all fields at once, our gating unit is local: it takes one embedding and "
            "returns the same embedding with its coordinates attenuated by numbers between zero and one derived from it."
        ),
        (
            "Every column has a doorman of its own. The doorman looks at nobody but the guest at his door, the column's "
            "vector, and decides how much of each coordinate may enter. What the other columns bring is none of his business."
        ),
        (
            "For each slot separately: multiply the slot's vector by the slot's square weight table, squash every number to "
            "between zero and one, multiply the result onto the vector. Slots never meet in this step."
        ),
        (
            "A word whispered or shouted by its own content: the track id's code passes through a learned filter that the code "
            "itself sets. The listener's code has another filter, likewise set by the listener's code."
        ),
        (
            "Some ids deserve less trust, and one can read it off their vectors. A rare hotel's vector, short and noisy, may "
            "close its own valve; a famous hotel's vector opens it wide. The valve's setting is a logistic function of the "
            "vector to be let through."
        ),
        (
            "This refinement works field by field, with no pooling across fields and no bottleneck. Its parameters are F "
            "matrices of size D by D, one each, and its output has the shape of its input."
        ),
        (
            "The transformation is x times sigmoid(A x), with A depending on which column x belongs to. It resembles the "
            "activation x times sigmoid(x), but mixes the coordinates of x in deciding about each of them."
        ),
        (
            "Customers' occupation, age and region are encoded; then each code dims some of its own coordinates. Dimming is "
            "decided by a logistic unit per coordinate that reads the code in question and no other."
        ),
        (
            "Introspection rather than comparison: an attribute judges its own latent factors and mutes those which carry "
            "nothing for the task. Each kind of attribute has learned its own way of judging."
        ),
        (
            "Between lookup table and crossing layer we insert multiplicative switches. The switches of the device vector are "
            "driven by the device vector, those of the game vector by the game vector; each group has separate weights."
        ),
        (
            "Engineering: gate = torch.sigmoid(einsum('bfd,fde->bfe', x, w)); return gate * x. One weight slice per field, one "
            "multiplication per element, the rest of the model as before."
        ),
        (
            "We let embeddings regulate themselves. A place's vector produces D numbers in (0, 1), which scale its D "
            "coordinates; a user's vector does the same by other weights. Only afterwards are place and user combined."
        ),
        (
            "The network learns a soft binary pattern for each value: which latent dimensions of this shop matter at all. As "
            "the pattern follows from the shop's vector, it generalises to shops with similar vectors, and other attributes "
            "cannot alter it."
        ),
        (
            "As pupils adapt to the light that falls on them, every news attribute controls its own aperture. There is one "
            "aperture mechanism per attribute, and it reacts to that attribute's vector only."
        ),
        (
            "The multiplier of coordinate k in field i is a logistic regression on all coordinates of field i. F times D such "
            "regressions are trained with the click model, and their outputs scale the inputs of the first hidden layer."
        ),
    ),
    arguments=(Argument("bitwise", True, ("bit-wise gate", "element-wise gate")),),
    example="layer = SelfGating(fields.shape[1], fields.shape[2], bitwise=False)\noutput = layer(fields)",
)


class SelfGating(nn.Module):
    """(B, F, D) -> (B, F, D). `bitwise` has a gate for each element of a field's vector, else there is one for the vector."""

    def __init__(self, n_fields: int, embedding_dim: int, bitwise: bool = True) -> None:
        super().__init__()
        gates = embedding_dim if bitwise else 1
        self.weight = nn.Parameter(torch.randn(n_fields, embedding_dim, gates) * embedding_dim**-0.5)

    def forward(self, fields: Tensor) -> Tensor:
        gates = torch.sigmoid(torch.einsum("bfd,fdg->bfg", fields, self.weight))  # (B, F, D) or (B, F, 1)
        return gates * fields
