"""The methods of a composed model: how its blocks are joined from a batch to logits, losses, stages and predictions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType

from agents.autotrain.builtin.blocks import stage_loss
from agents.autotrain.builtin.blueprint import Blueprint, Part
from agents.autotrain.builtin.source_text import call, indented
from sandboxes.kit.ports import Value

STAGED_LOSS = "auxiliary_loss"  # the method that a stage of a scheme minimises

# What a block is given for each kind of value, in the model's own words.
WRITTEN: Mapping[Value, str] = MappingProxyType(
    {
        "batch": "batch",
        "model": "self",
        "fields": "fields",
        "target": "target",
        "history": "behaviours",
        "mask": "mask",
        "flat": "flat",
        "representation": "represented",
        "scenario": "batch.ids[:, self.scenario_column]",
        "logits": "logits",
        "scores": "scores",
        "embedding": "self.embedding",
        "predictor": "lambda fields: self.logits(batch, fields)",
    }
)


def main_loss(b: Blueprint) -> str:
    """What the kit minimises for a model without a loss of its own."""
    if b.of_actions:
        return "inverse_propensity_loss"
    return "softmax_over_items" if b.of_items else "observed_bce"


def has_own_loss(b: Blueprint) -> bool:
    """Whether the model has a loss of its own, beyond the kit's."""
    return bool(b.divergences or b.added_losses or b.loss)


def methods(b: Blueprint) -> Iterator[list[str]]:
    """The methods' lines, one list each, in reading order."""
    out, said = ("scores", "Scores (B, I)") if b.of_items else ("logits", "Logits (B, T)")
    if b.of_items:
        met = [*(["output"] if b.scores_by_product else []), *(p.attribute for p in b.meeting)]
        body = [f"self.{attribute}.meet(collection)" for attribute in met]
        yield _method("meet", "Learns of all items.", body, takes="collection: Collection", gives="None")
    apart = b.embedding is not None and bool(b.auxiliaries or b.inference or has_own_loss(b))
    if apart:
        yield _method("forward", f"{said}.", [f"return self.{out}(batch, self.fields(batch))"])
        yield _method("fields", "The vectors (B, F, D) of all fields.", [*_fields(b), "return fields"])
        body = [*_logits(b), f"return {out}"]
        yield _method(out, f"{said} from the vectors of the fields.", body, takes="batch: Batch, fields: Tensor")
    else:
        yield _method("forward", f"{said}.", [*(_fields(b) if b.embedding else ()), *_logits(b), f"return {out}"])
    if has_own_loss(b):
        right = "answer" if b.of_items else "labels"
        given = f"self.{out}(batch, fields)" if apart else "self(batch)"
        judged_by = "batch" if b.of_actions else f"batch.{right}"
        main = _called(b.loss, logits=given, scores=given) if b.loss else f"{main_loss(b)}({given}, {judged_by})"
        terms = [main, *map(_divergence, b.divergences)]
        body = [f"assert batch.{right} is not None", *_sum_of_losses(terms, b.added_losses, fields=apart)]
        yield _method("loss", "What training minimises: a scalar.", body)
    if b.staged_losses:
        yield _method(STAGED_LOSS, "What a stage of its own minimises: a scalar.", _sum_of_losses([], b.staged_losses))
    for part in b.schemes:
        if name := stage_loss(part.card):
            yield _method(name, "What a stage of its own minimises: a scalar.", [f"return self.{part.attribute}.{name}(batch)"])
    if b.schemes:
        body = ['stages: tuple[Stage, ...] = (Stage("train"),)']
        body += [f"stages = self.{p.attribute}.staged(stages)" for p in b.schemes]
        body += ["return stages"]
        yield _method("stages", "The training scheme, stage by stage.", body, takes="", gives="Sequence[Stage]")
    if b.inference:
        body = [f"return {_called(b.inference, fields='self.fields(batch)')}"]
        yield _method("predict", "Probabilities (B, T).", body)


def _method(name: str, said: str, body: Iterable[str], takes: str = "batch: Batch", gives: str = "Tensor") -> list[str]:
    head = f"def {name}({', '.join(filter(None, ('self', takes)))}) -> {gives}:"
    return [head, *indented([f'"""{said}"""', *body])]


def _fields(b: Blueprint) -> Iterator[str]:
    if b.of_items:
        yield "fields = query_fields(self.embedding, batch)  # (B, F, D)"
    else:
        yield f"fields = self.embedding{'.with_histories' if b.pools_histories else ''}(batch)  # (B, F, D)"
    for part in b.features:
        yield f"fields = {_called(part)}  # (B, F, D){_named(part)}"


def _logits(b: Blueprint) -> Iterator[str]:
    if b.histories:
        yield "interests = []"
        added = [(p.ports.per_log, f"interests.append({_called(p)})", f"  # (B, K){_named(p)}") for p in b.histories]
        yield from _for_each_sequence([(said, comment) for per_log, said, comment in added if not per_log])
        yield from _for_each_log([(said, comment) for per_log, said, comment in added if per_log])
    if b.has_flat:
        yield from _flat(b)
    if b.tower:
        yield from _represented(["flat", *map(_called, b.parallels)])
        called = _called(b.tower, representation="represented" if b.parallels else "flat")
        yield f"logits = {called}  # (B, T){_named(b.tower)}"
    elif b.has_representation:
        pieces = [_called(p) for p in (*b.deeps, *b.parallels)]
        yield from _represented(pieces)
        vector = "represented" if len(pieces) > 1 else pieces[0]
        if b.scores_by_product:
            yield f"scores = self.output({vector}, self.embedding)  # (B, I)"
        elif not b.of_items:
            yield f"logits = self.output({vector})  # (B, T)"
        elif len(pieces) == 1:
            yield f"represented = {vector}  # (B, K)"
    for i, scorer in enumerate(b.scorers):
        before = "scores + " if i or b.scores_by_product else ""
        yield f"scores = {before}{_called(scorer)}  # (B, I){_named(scorer)}"
    for i, term in enumerate(b.terms):
        before = "logits + " if i or b.has_representation else ""
        yield f"logits = {before}{_called(term)}  # (B, T){_named(term)}"
    for head in b.heads:
        yield f"logits = {_called(head)}  # (B, T){_named(head)}"


def _flat(b: Blueprint) -> Iterator[str]:
    pieces = ["fields.flatten(1)", *(["*interests"] if b.histories else []), *map(_called, b.inputs)]
    if len(pieces) == 1:
        yield "flat = fields.flatten(1)  # (B, F * D)"
    else:
        yield from call("flat = torch.cat", [f"[{', '.join(pieces)}]", "1"], tail="  # (B, K)")
    for part in b.scenarios:
        yield f"flat = {_called(part)}  # (B, K){_named(part)}"


def _represented(pieces: Sequence[str]) -> Iterator[str]:
    """Several vectors side by side; one needs no name."""
    if len(pieces) > 1:
        yield from call("represented = torch.cat", [f"[{', '.join(pieces)}]", "1"], tail="  # (B, K)")


def _sum_of_losses(terms: Sequence[str], auxiliaries: Sequence[Part], fields: bool = True) -> Iterator[str]:
    """The fields where they are used, and the sum of `terms` and the blocks' losses; a block on histories has one for each."""
    each = [p for p in auxiliaries if p.ports.per_sequence]
    terms = [*terms, *(_called(p) for p in auxiliaries if p not in each), *(["torch.stack(losses).sum()"] if each else [])]
    if fields and any("fields" in term for term in terms):
        yield "fields = self.fields(batch)"
    if each:
        yield "losses = []"
        yield from _for_each_sequence([(f"losses.append({_called(p)})", f"{_named(p)}".replace(",", "  #", 1)) for p in each])
    yield from call("return ", terms, joined=" + ")


def _for_each_sequence(lines: Sequence[tuple[str, str]]) -> Iterator[str]:
    """A loop over the histories with their vectors, masks and the rows' own values; `lines` are statements with comments."""
    if not lines:
        return
    yield "for i, sequence in enumerate(self.schema.sequences):"
    yield "    behaviours, mask = self.embedding.history(batch, sequence.name)  # (B, L, D), (B, L)"
    if any("target" in statement for statement, _ in lines):
        yield "    target = self.embedding.target(batch, sequence.name)  # (B, D)"
    yield from indented(f"{statement}{comment}" for statement, comment in lines)


def _for_each_log(lines: Sequence[tuple[str, str]]) -> Iterator[str]:
    """The same over logs of events, whose blocks tell values from outcomes."""
    if not lines:
        return
    yield "for i, log in enumerate(self.schema.event_logs):"
    yield "    events = self.embedding.events(batch, log)  # target, values, mask, outcomes"
    yield from indented(f"{statement}{comment}" for statement, comment in lines)


def _called(part: Part, **otherwise: str) -> str:
    """The call of a block on what it takes. `otherwise` says of a value what it is called here."""
    if part.ports.per_log:
        return f"self.{part.attribute}[i](*events)"
    given = ", ".join(otherwise.get(v, WRITTEN[v]) for v in part.ports.takes)
    return f"self.{part.attribute}{'[i]' if part.ports.per_sequence else ''}({given})"


def _divergence(part: Part) -> str:
    one = f"self.{part.attribute}.kl()"
    return f"sum(block.kl() for block in self.{part.attribute})" if part.ports.per_sequence else one


def _named(part: Part) -> str:
    return f", {', '.join(s.id for s in part.sources)}" if part.sources else ""
