"""Scenario-supervised contrast: a row encoded by its own scenario's network and by another's should be told from other rows.

Notation: B rows, F fields, D embedding width, S scenarios, H hidden width, P projection width.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from sandboxes.kit.card import Argument, Card
from sandboxes.kit.layers.contrastive_loss import LEAST_NORM, LOSS_WEIGHT, PROJECTION_DIM, TEMPERATURE, info_nce
from sandboxes.kit.layers.drawn_instead import drawn_instead
from sandboxes.kit.layers.side_fields import fields_but
from sandboxes.kit.layers.star_topology import StarLayer
from sandboxes.kit.schema import Schema

CARD = Card(
    name="scenario_contrast",
    block="ScenarioContrast",
    slot="auxiliary",
    takes=("fields", "scenario"),
    needs=("scenario",),
    summary="Adds an InfoNCE loss: a row as the encoder of its own scenario and as that of another scenario has it "
    "attract each other, other rows in the batch repel.",
    equation="L = -1/2B sum_b [ln softmax_c(z_b z'_c / t)_b + ln softmax_c(z'_b z_c / t)_b], z_b = P relu((W * W_s) x_b + "
    "b + b_s) at unit length with s the row's scenario, z'_b with another one, x_b the row without its scenario "
    "(van den Oord et al., 2018, eq. 4; scenarios as views: Zhang et al., CIKM 2022, scenario-supervised "
    "contrastive learning, and Xie et al., KDD 2022, inter-domain contrastive learning)",
    cues=(
        "scenario-supervised contrastive",
        "scenario supervised contrastive",
        "cross-scenario contrastive",
        "cross-domain contrastive learning",
        "inter-domain contrastive learning",
        "scenario-level contrastive",
        "domain-level contrastive",
        "representations of the same user in different scenarios",
        "same user in different scenarios as positive",
        "same user under different domains as a positive pair",
        "contrast representations across scenarios",
        "contrast representations across domains",
        "alignment of representations across scenarios",
        "unlabeled data space",
        "entire space samples",
    ),
    descriptions=(
        "The representations of one user in two scenarios form a positive pair, those of different users negative ones.",
        "Scenario-supervised contrastive learning pulls together what different scenario networks say of the same sample.",
        "The two views of a sample are made by changing the scenario, not by masking or dropping features.",
        "A contrastive task across domains aligns the domain-specific encoders.",
        "Samples need no click label, only their scenario, so that unlabelled impressions can be used as well.",
        "Other samples of the batch, encoded by another scenario's network, serve as negatives.",
        (
            "In the pre-training stage, we design a scenario-supervised contrastive task: the same user passed through the "
            "networks of scenario a and scenario b gives two vectors whose similarity is maximised, while their similarity "
            "with vectors of other users in the batch is minimised."
        ),
        (
            "Inter-domain contrastive learning transfers knowledge through aligned pairs: an object's source-domain "
            "representation should be closest to its own target-domain representation among all in the mini-batch, under the "
            "InfoNCE objective with temperature."
        ),
        (
            "To exploit samples of the whole space, including those without feedback in the scenario, we take the scenario as "
            "the supervision signal and contrast the representations that a sample would obtain in different scenarios."
        ),
        (
            "Unlike augmentations such as crop, mask and dropout, which perturb the input at random, the augmentation here is "
            "semantic: the input stays as it is, and it is the domain-conditioned encoder that varies between the two views."
        ),
        (
            "A person photographed at work and at home remains the same person. Our extra objective asks exactly this of the "
            "networks of the several storefronts: whatever either makes of a visitor, the pair must be recognisable as a pair "
            "in a crowd of other visitors."
        ),
        (
            "For every loan request we ask two branches for their description of it, the branch where it arrived and one "
            "drawn by lot. Penalty: minus log of the share that the matching description gets in a softmax over the "
            "descriptions of all requests at hand."
        ),
        (
            "Encode x with the network of page p; encode x with the network of page q; normalise; multiply with everybody's; "
            "softmax over the batch; the diagonal should win. No clicks are needed."
        ),
        (
            "Music surfaces keep their own encoders, which tend to drift apart until nothing learnt in one is of any use in "
            "another. A side loss holds them together: the same play, put through two of them, must come out more alike than "
            "two different plays do."
        ),
        (
            "The drift between city models is checked by a game of pairs. Cards are restaurants as city A's model draws them "
            "and as city B's model draws them; the models are trained so that a player finds the partner of each card without "
            "fail."
        ),
        (
            "Nothing is hidden from or added to the record. The only difference between the anchor and its partner is the "
            "market whose weights were used to read it, and all partners of other records are to be pushed away."
        ),
        (
            "Rather than having each app's network learn from its rare installs alone, we occupy them with a task that needs "
            "no installs: to agree on the identity of an impression across apps while keeping impressions apart."
        ),
        (
            "What a traveller is should survive a change of channel. We express this as identification: given the code under "
            "channel one, find, among a few hundred codes under channel two, that of the same trip; the logarithm of the "
            "probability of success is added to the objective."
        ),
        (
            "If all storefronts mapped everything to one point they would agree perfectly; so agreement alone is not asked "
            "for. Each item's two storefront-specific codes have to be nearer to each other than to the codes of the "
            "remaining items of the step."
        ),
        (
            "The game network has common weights and weights of each genre section. An additional term looks at the section's "
            "influence only: swap the section, keep the row, and require the two outcomes to be mutual nearest neighbours."
        ),
        (
            "We regularise the multi-market encoder by instance identification. Each impression is encoded twice, by the "
            "parameters of the market it came from and by those of a randomly drawn foreign market; the two codes are positives "
            "for each other, and codes of the other impressions in the minibatch are foils."
        ),
        (
            "The proposed auxiliary goal uses the channel as a source of views. Given one record, the sub-networks of two "
            "channels produce two unit-length projections, and a softmax with temperature over the batch should single out the "
            "matching projection; responses play no part, so records without feedback count too."
        ),
        (
            "Our model maintains separate weights for each country, and these weights easily learn incompatible coordinate "
            "systems. To align the systems, we ask that a customer as read by the Polish weights be more similar to the same "
            "customer as read by the Czech weights than to anyone else."
        ),
        (
            "Engineer's note: for each row draw s' != s. z = norm(P(enc(x, s))), z2 = norm(P(enc(x, s'))). logits = z @ z2.T / "
            "tau; target = arange(B); symmetric cross-entropy; multiply by 0.1 and add to the click loss. Drop the surface id "
            "from x first, or the problem becomes trivial."
        ),
        (
            "A reader is described by two newspapers' critics who never talked to each other. If the critics are any good, an "
            "outsider must be able to tell from a heap of descriptions which two concern the same reader. We train the critics "
            "until he can."
        ),
        (
            "Reviewer's summary: in place of random masking or token dropping, the two versions of an example stem from changing "
            "which page's parameters process it. Agreement between versions of one example against versions of all others is "
            "maximised, as a warm-up stage and without any conversion labels."
        ),
        (
            "Before, the tab-specific branches of the video app met only in the shared bottom. Now they also meet in a matching "
            "game played on every step: a branch must produce, for the same watch event, a vector that another tab's branch "
            "would place at nearly the same direction, while distinct events keep distinct directions."
        ),
        (
            "The rationale is that a small venue type has few bookings but any guest can be pushed through its branch. We let "
            "guests from all venue types pass through it and demand that what comes out still identifies the guest, when "
            "compared with what his native branch gives, among a batch of rivals."
        ),
        (
            "Read aloud: minus the logarithm of a fraction, whose numerator is the exponential of the cosine between this row "
            "under its home weights and this row under away weights, and whose denominator sums the like over all rows under "
            "away weights; then the same with home and away exchanged."
        ),
        (
            "We seek transfer among business lines without assuming that their label distributions agree. The supervision that "
            "we exploit is sameness of the entity: a client's insurance-side vector should retrieve the client's loan-side "
            "vector from those of a few hundred clients, which makes the two sides mutually intelligible."
        ),
        (
            "Two translators render the same poems, each into her own language. We hold them to this: lay the translations side "
            "by side, shuffled, and a third person has to pair them up. Rendering all poems alike makes the pairing impossible, "
            "so they have to stay both faithful and distinct."
        ),
        (
            "In the grocery app, the home feed and the cart page have separately adapted layers over a common trunk. Besides "
            "fitting purchases, the layers solve a surrogate problem: pick, out of a line-up of home-feed vectors of many "
            "sessions, the one belonging to the session whose cart-page vector is shown."
        ),
        (
            "The disturbance between anchor and partner is a counterfactual: how would this row have been represented had it "
            "turned up elsewhere? Rows are drawn towards their own counterfactual and driven away from the counterfactuals of "
            "others, which keeps what is invariant across placements and nothing that merely names the placement."
        ),
        (
            "Our pretraining step takes all exposures, clicked or not, from all entrances of the ticketing site. An exposure's "
            "code under one entrance's expert attracts its code under another entrance's expert, the remaining exposures repel, "
            "and after that the experts are fine-tuned for each entrance's own target."
        ),
    ),
    arguments=(
        TEMPERATURE,
        Argument("hidden_dim", 64, ("hidden dimension of the scenario encoder", "scenario encoder dimension"), low=1, high=4096),
        PROJECTION_DIM,
        LOSS_WEIGHT,
    ),
    example="layer = ScenarioContrast(schema, fields.shape[1], fields.shape[2], n_scenarios=5, projection_dim=8)\n"
    "output = layer(fields, scenario)",
)


class ScenarioContrast(nn.Module):
    """(fields (B, F, D), scenario ids (B,)) -> a scalar, `loss_weight` times the mean loss of the rows; 0 for a single row.

    The other scenario is drawn for each row. The field that names the row's scenario is left out, since it would give away which
    network was the row's own. Of data with one scenario, the other one is the unknown.
    """

    def __init__(
        self,
        schema: Schema,
        n_fields: int,
        embedding_dim: int,
        n_scenarios: int,
        temperature: float = 0.2,
        hidden_dim: int = 64,
        projection_dim: int = 64,
        loss_weight: float = 0.1,
    ) -> None:
        super().__init__()
        assert schema.scenario is not None
        self.temperature, self.loss_weight, self.n_scenarios = temperature, loss_weight, n_scenarios
        self.kept = fields_but(schema, n_fields, schema.index_of(schema.scenario)) or list(range(n_fields))
        self.encoder = StarLayer(len(self.kept) * embedding_dim, hidden_dim, n_scenarios)
        self.project = nn.Linear(hidden_dim, projection_dim, bias=False)

    def forward(self, fields: Tensor, scenario: Tensor) -> Tensor:
        rows = fields[:, self.kept].flatten(1)
        own = self.view(rows, scenario)
        other = self.view(rows, drawn_instead(scenario, self.n_scenarios))
        return self.loss_weight * info_nce(own @ other.T / self.temperature)

    def view(self, rows: Tensor, scenario: Tensor) -> Tensor:
        """What the networks of the given scenarios (B,) make of the rows: (B, P), of unit length."""
        encoded = self.encoder(rows, scenario).relu()  # (B, H)
        return functional.normalize(self.project(encoded), dim=1, eps=LEAST_NORM)
