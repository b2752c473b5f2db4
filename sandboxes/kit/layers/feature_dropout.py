"""Feature dropout: leaves out whole field embeddings while training. Notation: B rows, F fields, D embedding width."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from sandboxes.kit.card import Argument, Card

CARD = Card(
    name="feature_dropout",
    block="FeatureDropout",
    slot="feature",
    summary="While training, leaves out whole field embeddings at random and scales the rest, so that no single "
    "field is relied upon.",
    equation="v_i = m_i e_i / (1 - rate), m_i ~ Bernoulli(1 - rate) for each row and field; the identity at prediction"
    " (dropout of Srivastava et al., JMLR 2014, section 4, applied to whole embeddings)",
    cues=(
        "feature dropout",
        "field dropout",
        "field-level dropout",
        "embedding-level dropout",
        "randomly drop fields",
        "randomly drop features",
        "randomly drop feature fields",
        "randomly dropping feature embeddings",
        "drop entire feature embeddings",
        "randomly mask feature fields during training",
        "randomly discard feature embeddings",
        "feature bagging",
        "feature subset sampled for each training sample",
        "dropout on feature fields",
        "stochastic feature masking",
    ),
    descriptions=(
        "During training, the embeddings of randomly chosen fields are set to zero, and the remaining ones are scaled up.",
        "Whole features are dropped at random, so the model cannot depend on a few dominant fields.",
        "Dropping complete field embeddings regularises the model as if it were a bag of models on feature subsets.",
        "At inference time all features are kept, and the layer does nothing.",
        "Each training example sees a random subset of its features, which reduces co-adaptation of the fields.",
        (
            "As regularisation, we randomly remove entire feature embeddings in each training step by setting all dimensions of "
            "a field to zero. The network must not depend on any single field, such as a memorising id; at inference all fields "
            "are present."
        ),
        (
            "Common noise regularisers zero individual hidden units. We work at the level of whole fields: a Bernoulli variable "
            "per field and sample decides whether the complete embedding is kept or zeroed during training, which reduces "
            "overfitting to high-cardinality ids. No additional loss is introduced."
        ),
        (
            "To make the CTR model robust to missing features and cold-start ids, whole input fields are blanked with a given "
            "probability when training, the surviving embeddings being rescaled. Only the click loss is optimised and the "
            "prediction uses all inputs once."
        ),
        (
            "We inject structured noise in the embedding layer: for each instance a random subset of fields is discarded before "
            "the interaction layers, so that co-adaptation among field embeddings is hindered. The discarding is disabled when "
            "the model is evaluated."
        ),
        (
            "A coin is tossed for each column of a training row, and where it falls badly the column's entire code is wiped "
            "out. The model still has to guess the click from the remaining columns. When serving, no coins are tossed."
        ),
        (
            "Our classifier leaned too much upon the user number. By hiding at random whole attributes, the user number among "
            "them, while it learns, we make it find out from the other attributes also. Hidden attributes are not to be "
            "guessed; merely the booking is."
        ),
        (
            "In training, slots of the record vanish by chance, all coordinates of a slot at once, as though the value were "
            "unknown. This is the only change: no second view, no additional objective, no change in the network, and full "
            "records at scoring time."
        ),
        (
            "Songs without known artist and listeners without known age are common in production. So that the model has met "
            "such gaps, we tear random holes into complete training records, each hole the size of one attribute's vector, and "
            "go on minimising the usual error."
        ),
        (
            "Rather than silencing scattered single neurons, we silence an attribute as a block. With probability p its vector "
            "is replaced by zeros for this row and step and otherwise stretched by 1/(1-p); prediction afterwards is done once "
            "with nothing silenced."
        ),
        (
            "The trick costs no parameters: multiply each property's code by a zero or a one drawn afresh for each example "
            "while learning. Training thus roams over many models each seeing some of the properties, none of which can become "
            "indispensable for the forecast."
        ),
        (
            "Fraud rows in our bank are memorised through merchant identity. Cutting off the whole identity input in a random "
            "tenth of the examples, and likewise the other inputs, weakens memorising and spreads reliance over all; the live "
            "system gets everything."
        ),
        (
            "We corrupt inputs on purpose: in every mini-batch, randomly chosen slots have their whole representation erased "
            "prior to the first layer. The weights are chance, not learned, unlike gates that judge importance, and after "
            "learning the erasing stops altogether."
        ),
        (
            "For app installs, each learning example loses a few of its attributes by lot, a different lot each epoch. The "
            "response has to be foretold from an incomplete picture, so that no coalition of codes becomes brittle. Complete "
            "pictures are used in operation, scored one time."
        ),
        (
            "Overfitting in the second epoch was our trouble. It was eased by randomly withholding complete columns, vector and "
            "all, from the network as it trains; the withheld ones contribute nothing to any crossing in that step, and are all "
            "given back at test."
        ),
        (
            "While learning, we blank out complete columns by coin toss: for each example some of the attribute vectors are "
            "replaced by zeros from first to last coordinate. The predictor cannot lean on the item id alone and has to get "
            "along with what remains; at serving all columns are present."
        ),
        (
            "As a football coach trains with random players sent off, we train with random attributes missing. Whole slots, "
            "rather than individual neurons, are zeroed with a small probability in each step and the survivors scaled up, "
            "which makes the team robust to any absent player; nothing extra is asked to be reconstructed."
        ),
        (
            "Recipe: draw for every row and every field a zero-or-one variable with keep rate q; multiply the field's entire "
            "vector by it and divide by q; proceed as usual with the click loss. Switch the step off after training."
        ),
        (
            "Strong memorising inputs such as the guest's identifier drown out weaker ones. By withholding entire inputs at "
            "random throughout optimisation we force the gradient to flow into the weaker ones, which pays off for guests never "
            "seen before, whose identifier carries no information."
        ),
        (
            "We simulate missing data. At each update a random subset of the properties of the listing is hidden from the "
            "network in full, the target stays the booking label only, and a single ordinary pass with all properties is used "
            "in production, so there is no cost at prediction."
        ),
        (
            "Unlike noise applied to separate hidden units, our regulariser works at the level of the named variable: all "
            "sixteen numbers that stand for the merchant disappear together or stay together. The lottery is repeated for each "
            "transaction and batch, solely in the learning phase."
        ),
        (
            "Tersely: e_f becomes r_f times e_f over (1 minus p), r_f Bernoulli, one draw for each field per sample, shared by "
            "all coordinates; at evaluation r_f is one. The purpose is to reduce co-adaptation between fields and reliance on "
            "any one."
        ),
        (
            "News articles are fresh, so their ids are of little use when it matters. We randomly erase the article-id code, "
            "and likewise any other code, from training rows, teaching the scorer to fall back on topic, publisher and reader; "
            "the only change is the erasing, not the objective and not the inference."
        ),
        (
            "In each training step and for each row we toss a biased coin per column. If it shows tails, the complete vector of "
            "that column, not just some of its coordinates, is replaced with zeros. The model can then not lean on the device "
            "identifier alone, which is missing for a growing part of our traffic. When the model is served, nothing is blanked "
            "and the request is evaluated once."
        ),
        (
            "While learning, a coin is thrown for each column of each record. If the coin falls badly, all coordinates of this "
            "column together are set to nought, so the model must manage the guess without knowing, say, the author or the "
            "shelf. On live traffic no coin is thrown and all columns are present. It was a cheap remedy against leaning on the "
            "member number only."
        ),
    ),
    arguments=(
        Argument(
            "rate",
            0.1,
            (
                "feature dropout rate",
                "field dropout rate",
                "drop rate",
                "drop probability",
                "feature drop ratio",
                "dropout probability of features",
            ),
            low=0,
            high=0.95,
        ),
    ),
    example="layer = FeatureDropout(fields.shape[1], fields.shape[2], rate=0.2)\noutput = layer(fields)",
)


class FeatureDropout(nn.Module):
    """(B, F, D) -> (B, F, D)."""

    def __init__(self, n_fields: int, embedding_dim: int, rate: float = 0.1) -> None:
        super().__init__()
        if not 0 <= rate < 1:
            raise ValueError(f"the share of fields to drop must be at least 0 and below 1, not {rate}")
        self.rate = rate

    def forward(self, fields: Tensor) -> Tensor:
        if not self.training or self.rate == 0:
            return fields
        kept = torch.rand(fields.shape[:2], device=fields.device) >= self.rate  # (B, F)
        return fields * (kept / (1 - self.rate)).unsqueeze(2).to(fields.dtype)
