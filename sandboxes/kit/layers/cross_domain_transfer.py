"""Cross-domain transfer: a gate mixes what all scenarios know with what the row's own scenario knows.

Notation: B rows, K width, S scenarios.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from sandboxes.kit.card import Card
from sandboxes.kit.kernels.dense import Dense, start_before_relu
from sandboxes.kit.layers.by_scenario import by_scenario

CARD = Card(
    name="cross_domain_transfer",
    block="CrossDomainTransfer",
    slot="scenario",
    needs=("scenario",),
    summary="Mixes a layer that all scenarios share with a layer of the row's own scenario, in proportions that a gate on both "
    "computes for each row and element.",
    equation="z' = g * h + (1 - g) * h_s, g = sigmoid(V [h, h_s] + c), h = relu(W z + b), h_s = relu(W_s z + b_s), "
    "element-wise (the gate of Srivastava et al., 2015, eq. 3, between two layers)",
    cues=(
        "transfer gate",
        "gated transfer",
        "gated knowledge transfer",
        "gated transfer between domains",
        "gate controls how much knowledge is transferred",
        "gate decides how much is transferred",
        "gated fusion of shared and domain-specific representations",
        "gated fusion of shared and scenario-specific representations",
        "gate between the shared and the domain-specific representation",
        "shared representation and domain-specific representation",
        "domain-shared and domain-specific representations",
        "domain-shared and domain-specific features",
        "scenario-shared and scenario-specific representations",
        "adaptively fuse shared and specific representations",
    ),
    descriptions=(
        "A gate decides, for each sample, how much of the shared representation and how much of the domain's own is used.",
        "Knowledge is transferred from all domains to one through a shared encoder, whose share a sigmoid gate controls.",
        "Shared and domain-specific representations are fused by a learned gate that looks at both.",
        "Where a scenario has few samples, the gate lets more of the shared knowledge in.",
        "The representation of the target domain is a gated combination of what is transferred and what is its own.",
        "The gate avoids negative transfer by shutting out shared features that do not suit the domain.",
        (
            "Two encoders read every sample: a domain-shared one trained on all domains and a domain-specific one trained on "
            "the sample's domain. A transfer gate computed from both outputs by a linear layer and a sigmoid weighs them "
            "element-wise, and the gated sum is passed on to the prediction layers."
        ),
        (
            "To transfer knowledge adaptively and avoid negative transfer, we fuse the domain-invariant and the domain-specific "
            "representation as g * h_shared + (1 - g) * h_specific, where g is produced by a gating network conditioned on the "
            "two representations."
        ),
        (
            "Cross-domain recommendation should borrow from the source domains only what helps the target domain. In our "
            "transfer layer the amount borrowed is determined per instance and per dimension by a gate between the common "
            "features and the features private to the domain."
        ),
        (
            "We model the commonalities of scenarios by a layer shared among them and their peculiarities by one layer each, "
            "and let a gated fusion unit balance both for each example, so that sparse scenarios rely on the commonalities."
        ),
        (
            "A doctor new to a town trusts the textbook; an old one trusts what she has seen in the town. Our unit holds both "
            "opinions on each row, the general and the local, and settles by looking at them how far to believe either."
        ),
        (
            "Each song request is coded twice, by machinery common to all surfaces and by machinery of the surface it came "
            "from. A mixing coefficient between zero and one for each coordinate, worked out from the two codes, makes one code "
            "of them."
        ),
        (
            "Let c = relu(W x + b) with W and b for all markets, and o = relu(W_m x + b_m) with those of market m. With g = "
            "sigmoid(V [c; o]) the market's row goes on as g c + (1 - g) o. That is the whole of the transfer."
        ),
        (
            "The new insurance line has eight hundred customers, motor has two million. Rather than fine-tune one on the other, "
            "we train a joint encoder and one encoder a line at once; how much of the joint code flows into a customer's final "
            "code is decided by a valve that reads the customer's two codes."
        ),
        (
            "What the books department has learnt may help the toys department, or mislead it. A soft switch on each latent "
            "feature chooses between the version learnt across departments and the version learnt in toys alone, with anything "
            "in between allowed."
        ),
        (
            "For rows of a rarely used page the private layer is hardly trained. The blender notices, since its inputs are the "
            "private and the public hidden vector, and gives the public one the larger part; on busy pages it goes the other "
            "way."
        ),
        (
            "Two streams run towards a lock. The first comes from all games together, the second from the game at hand only. "
            "The lock lets through so much of the first and, for each channel, exactly the complementary part of the second, "
            "depending on what the streams carry at that moment."
        ),
        (
            "Parameters of the regions do not modify one another here. Both the world-wide and the regional layer are evaluated "
            "in full on the same travel query, and their outputs are interpolated coordinatewise with learned, input-dependent "
            "proportions."
        ),
        (
            "News editions share a reader model and keep one each. An arbiter between both, a single affine map with a logistic "
            "output, states for each hidden feature which fraction of the shared value to import; the rest is filled up from "
            "the edition's own."
        ),
        (
            "Procedure: look up the scenario; run the shared dense layer; run the scenario's dense layer; concatenate; one more "
            "layer with sigmoid gives proportions; output the proportionally weighted sum. Proportions differ from row to row "
            "within the same scenario."
        ),
        (
            "Our app store has a thousand installs in one country and ten million in another. Import of knowledge is regulated "
            "rather than fixed: the common hidden vector is admitted in the measure that a learned controller finds fitting, "
            "and displaces the country's hidden vector in the same measure."
        ),
        (
            "It is not the task that chooses among experts, but the row that chooses between the universal and the parochial "
            "account of itself. There are just these two accounts, the second bound to the row's ad channel, and a convex "
            "combination of them leaves the layer."
        ),
        (
            "One kitchen cooks for all restaurants of the chain, each restaurant has a stove of its own. A plate is made up "
            "from both, ingredient by ingredient, in a ratio that the waiter fixes after seeing both; he has learnt which "
            "guests are better off with which."
        ),
        (
            "Source-domain experience arrives through the jointly trained branch, target-domain experience through the private "
            "branch. The fusion is multiplicative gating: one minus the gate multiplies the latter, the gate multiplies the "
            "former, and a sum closes the block."
        ),
    ),
    example="flat = fields.flatten(1)\nlayer = CrossDomainTransfer(flat.shape[1], n_scenarios=5)\noutput = layer(flat, scenario)",
)


class CrossDomainTransfer(nn.Module):
    """(x (B, K), scenario ids (B,)) -> (B, K). Holds (S + 3) K^2 weights. All scenarios start from the shared layer's weights."""

    def __init__(self, in_dim: int, n_scenarios: int) -> None:
        super().__init__()
        self.shared = start_before_relu(Dense(in_dim, in_dim, relu=True))
        self.own_weight = nn.Parameter(self.shared.weight.detach().repeat(n_scenarios, 1, 1))  # (S, K, K)
        self.own_bias = nn.Parameter(torch.zeros(n_scenarios, in_dim))  # (S, K)
        self.gate = nn.Linear(2 * in_dim, in_dim)
        self.out_dim = in_dim

    def forward(self, x: Tensor, scenario: Tensor) -> Tensor:
        weights, biases = self.own_weight.unbind(), self.own_bias.unbind()
        shared = self.shared(x)  # (B, K)
        own: Tensor = by_scenario(x, scenario, lambda rows, s: functional.linear(rows, weights[s], biases[s])).relu()  # (B, K)
        shares = torch.sigmoid(self.gate(torch.cat([shared, own], 1)))  # (B, K)
        mixed: Tensor = own + shares * (shared - own)
        return mixed
