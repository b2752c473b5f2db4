"""What a competent reader expects of the shared papers: acceptable scope kinds, blocks that must and that may be recognised."""

from typing import NamedTuple


class Expected(NamedTuple):
    kinds: frozenset[str]
    must: frozenset[str] = frozenset()
    may: frozenset[str] = frozenset()


def _of(kinds: str, must: str = "", may: str = "") -> Expected:
    return Expected(frozenset(kinds.split()), frozenset(must.split()), frozenset(may.split()))


AWAY = "other_field unsupported_task"  # clearly nothing that the kit trains; which of the two is a matter of taste

ABSTRACTS = {
    "align-grag": _of(AWAY, may="contrastive_loss"),
    "alpt": _of("in_scope", "quantised_embedding"),
    "apen": _of("analysis unsupported_task"),
    "autoassign-plus": _of("no_mechanism unsupported_task"),
    "automl-survey": _of("survey"),
    "beque": _of(AWAY),
    "cardio-cnn": _of("other_field"),
    "cdanet": _of("no_mechanism in_scope", may="cross_domain_transfer cross_domain_translation"),
    "cdnet": _of("no_mechanism in_scope", may="target_attention"),
    "cigf": _of("no_mechanism in_scope", may="graph_propagation mmoe ple separate_inputs"),
    "cm-dcm": _of(
        "in_scope no_mechanism", may="shared_bottom film_gating entire_space_product delayed_feedback personalised_gate"
    ),
    "cmvf": _of("in_scope", "variational_embedding"),
    "confrec": _of("no_mechanism in_scope", may="graph_propagation"),
    "csmf": _of("no_mechanism in_scope", may="pretrain_then_finetune"),
    "deepfm-e2e": _of("in_scope", "fm dnn", "linear inner_product outer_product"),
    "deepfm": _of("in_scope", "fm dnn", "linear"),
    "deformrf": _of("other_field"),
    "dg-enn": _of("no_mechanism in_scope", may="easy_to_hard"),
    "dgenctr": _of("in_scope no_mechanism", "pretrain_then_finetune", "masked_reconstruction"),
    "diffuasr": _of("no_mechanism"),
    "drr": _of("unsupported_task"),
    "erase": _of("benchmark"),
    "esans": _of("no_mechanism in_scope", may="sampled_softmax given_vectors"),
    "gcl-mo": _of("in_scope no_mechanism", may="contrastive_loss graph_propagation"),
    "gpsd": _of("in_scope no_mechanism", "pretrain_then_finetune", "transformer_history"),
    "graphsail": _of("in_scope no_mechanism", may="graph_propagation incremental_windows distillation"),
    "gsvr": _of("in_scope", "variational_embedding"),
    "heat-knn": _of("no_mechanism"),
    "hetegenctr": _of("in_scope no_mechanism", may="masked_reconstruction pretrain_then_finetune self_attention_interaction"),
    "incctr": _of("in_scope no_mechanism system", may="incremental_windows"),
    "llm4msr": _of("no_mechanism in_scope", may="film_gating generated_layers"),
    "low-rank-attention": _of("no_mechanism in_scope", may="target_attention"),
    "lwgr": _of("no_mechanism in_scope", may="semantic_id_decoder"),
    "mdp-div": _of(AWAY),
    "memgas": _of(AWAY),
    "mgdin": _of("no_mechanism in_scope", may="instance_guided_mask"),
    "miss": _of("in_scope", "contrastive_loss"),
    "mmq-v2": _of("no_mechanism in_scope", may="residual_quantisation given_vectors"),
    "mmq": _of("no_mechanism in_scope", may="residual_quantisation given_vectors pretrain_then_finetune"),
    "optinter": _of("no_mechanism in_scope", may="inner_product"),
    "pdr": _of(AWAY),
    "pin": _of("in_scope", may="kernel_product inner_product outer_product bilinear_interaction fm dnn"),
    "push-service": _of("system"),
    "radio": _of(AWAY),
    "rclrec": _of("no_mechanism in_scope", may="semantic_id_decoder easy_to_hard"),
    "rf-mem": _of(AWAY),
    "rsir": _of("no_mechanism unsupported_task"),
    "sass": _of(
        "in_scope unsupported_task", "contrastive_loss pretrain_then_finetune", "film_gating layered_transfer scenario_contrast"
    ),
    "scalefreectr": _of("system"),
    "uttsi": _of("in_scope", "multi_path_averaging"),
}

PDFS = {
    "dcn": _of("in_scope", "cross_network_v1 dnn"),
    "deepfm": _of("in_scope", "fm dnn", "linear"),
    "esmm": _of("in_scope", "entire_space_product", "dnn shared_bottom"),
    "pnn": _of("in_scope", "inner_product outer_product", "dnn"),
    "wide-and-deep": _of("in_scope", "linear dnn", "memorised_crosses incremental_windows"),
}
