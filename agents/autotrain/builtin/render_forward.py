"""The methods of a composed model: how its blocks are joined from a batch to logits, losses, stages and predictions."""

from __future__ import annotations

from collections.abc import Iterator

from agents.autotrain.builtin.architect import over_batch
from agents.autotrain.builtin.blocks import has_teacher
from agents.autotrain.builtin.blueprint import Blueprint, Part
from agents.autotrain.builtin.source_text import call, indented


def needs_labels(b: Blueprint) -> bool:
    """Whether the model has a loss of its own, beyond the kit's."""
    return b.divergence or b.loss is not None or (bool(b.auxiliaries) and not b.stages_auxiliary_losses)


def methods(b: Blueprint) -> Iterator[list[str]]:
    """The methods' lines, one list each, in reading order."""
    if not (b.auxiliaries or b.inference or needs_labels(b)):
        body = [*_fields(b), *_logits(b), "return logits"]
        yield ["def forward(self, batch: Batch) -> Tensor:", *indented(['"""Logits (B, T)."""', *body])]
    else:
        yield from _forward_in_parts(b)
        yield from _losses(b)
    if b.schemes:
        body = ['stages: tuple[Stage, ...] = (Stage("train"),)']
        body += [f"stages = self.{p.attribute}.staged(stages)" for p in b.schemes]
        yield [
            "def stages(self) -> Sequence[Stage]:",
            *indented(['"""The training scheme, stage by stage."""', *body, "return stages"]),
        ]
    if b.inference:
        yield [
            "def predict(self, batch: Batch) -> Tensor:",
            '    """Probabilities (B, T)."""',
            f"    return self.{b.inference.attribute}(lambda fields: self.logits(batch, fields), self.fields(batch))",
        ]


def _forward_in_parts(b: Blueprint) -> Iterator[list[str]]:
    """Fields and logits apart, for what looks at either by itself."""
    yield [
        "def forward(self, batch: Batch) -> Tensor:",
        '    """Logits (B, T)."""',
        "    return self.logits(batch, self.fields(batch))",
    ]
    yield [
        "def fields(self, batch: Batch) -> Tensor:",
        *indented(['"""The vectors (B, F, D) of all fields."""', *_fields(b), "return fields"]),
    ]
    yield [
        "def logits(self, batch: Batch, fields: Tensor) -> Tensor:",
        *indented(['"""Logits (B, T) from the vectors of the fields."""', *_logits(b), "return logits"]),
    ]


def _losses(b: Blueprint) -> Iterator[list[str]]:
    extra = [f"self.{p.attribute}(fields)" for p in b.auxiliaries]
    if needs_labels(b):
        logits = "self.logits(batch, fields)"
        terms = [f"self.{b.loss.attribute}({logits}, batch)" if b.loss else f"observed_bce({logits}, batch.labels)"]
        terms += ["self.embedding.kl()"] if b.divergence else []
        terms += [] if b.stages_auxiliary_losses else extra
        body = ["assert batch.labels is not None", "fields = self.fields(batch)", *call("return ", terms, joined=" + ")]
        yield ["def loss(self, batch: Batch) -> Tensor:", *indented(['"""What training minimises: a scalar."""', *body])]
    if b.stages_auxiliary_losses:
        body = ["fields = self.fields(batch)", *call("return ", extra, joined=" + ")]
        yield [
            "def auxiliary_loss(self, batch: Batch) -> Tensor:",
            *indented(['"""What a stage of its own minimises: a scalar."""', *body]),
        ]
    if b.loss and has_teacher(b.loss.card):
        yield [
            "def teacher_loss(self, batch: Batch) -> Tensor:",
            *indented(
                ['"""What the teacher\'s stage minimises: a scalar."""', f"return self.{b.loss.attribute}.teacher_loss(batch)"]
            ),
        ]


def _fields(b: Blueprint) -> Iterator[str]:
    yield f"fields = self.embedding{'.with_histories' if b.pools_histories else ''}(batch)  # (B, F, D)"
    for part in b.features:
        yield f"fields = self.{part.attribute}(fields)  # (B, F, D){_named(part)}"


def _logits(b: Blueprint) -> Iterator[str]:
    yield from _interests(b)
    if b.has_flat:
        yield from _flat(b)
    if b.tower:
        pieces = ["flat", *(_applied(p) for p in b.parallels)]
        if len(pieces) > 1:
            yield from call("represented = torch.cat", [f"[{', '.join(pieces)}]", "1"], tail="  # (B, K)")
        yield f"logits = self.{b.tower.attribute}({'represented' if len(pieces) > 1 else 'flat'})  # (B, T){_named(b.tower)}"
    elif b.has_representation:
        pieces = [_applied(p) for p in (*b.deeps, *b.parallels)]
        if len(pieces) > 1:
            yield from call("represented = torch.cat", [f"[{', '.join(pieces)}]", "1"], tail="  # (B, K)")
            yield "logits = self.output(represented)  # (B, T)"
        else:
            yield f"logits = self.output({pieces[0]})  # (B, T)"
    for i, term in enumerate(b.terms):
        before = "logits + " if i or b.has_representation else ""
        yield f"logits = {before}{_applied(term)}  # (B, T){_named(term)}"
    if b.head:
        yield f"logits = self.{b.head.attribute}(logits)  # (B, T){_named(b.head)}"


def _interests(b: Blueprint) -> Iterator[str]:
    """What each history says of the row."""
    if not b.histories:
        return
    yield "interests = []"
    yield "for i, sequence in enumerate(self.schema.sequences):"
    yield "    behaviours, mask = self.embedding.history(batch, sequence.name)  # (B, L, D), (B, L)"
    yield "    target = self.embedding.field(batch, sequence.of)  # (B, D)"
    for part in b.histories:
        yield f"    interests.append(self.{part.attribute}[i](target, behaviours, mask))  # (B, K){_named(part)}"


def _flat(b: Blueprint) -> Iterator[str]:
    pieces = ["fields.flatten(1)", *(["*interests"] if b.histories else []), *(_applied(p) for p in b.inputs)]
    if len(pieces) == 1:
        yield "flat = fields.flatten(1)  # (B, F * D)"
    else:
        yield from call("flat = torch.cat", [f"[{', '.join(pieces)}]", "1"], tail="  # (B, K)")
    for part in b.scenarios:
        yield f"flat = self.{part.attribute}(flat, batch.ids[:, self.scenario_column])  # (B, K){_named(part)}"


def _applied(part: Part) -> str:
    """The call of an interaction block on what it takes."""
    return f"self.{part.attribute}({'batch' if over_batch(part.card) else 'flat' if part.card.flat_input else 'fields'})"


def _named(part: Part) -> str:
    return f", {', '.join(s.id for s in part.sources)}" if part.sources else ""
