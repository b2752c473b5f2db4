"""What a language model might answer, step by step, about the packaged note: a reading, a file, a patch, a review."""

from __future__ import annotations

import json
from typing import Any

from agents.autotrain.language_model.prompts import prompt

READING = {
    "scope": "in_scope",
    "mechanisms": [
        {"name": "pairwise inner products", "block": "fm", "quote": "the inner products of all pairs of embeddings"},
        {"name": "deep network", "block": "dnn", "quote": "a multi-layer perceptron"},
    ],
    "hyper_parameters": [{"name": "embedding_dim", "value": 10, "quote": "We use an embedding size of 10"}],
}
MODEL = '''"""Pairs and a deep network."""

from torch import Tensor, nn

from sandboxes.kit import Batch, Schema
from sandboxes.kit.layers import DNN, FactorizationMachine, FeatureEmbedding


class Model(nn.Module):
    def __init__(self, schema: Schema, *, embedding_dim: int = 10, dropout: float = 0.0) -> None:
        super().__init__()
        self.embedding = FeatureEmbedding(schema, embedding_dim)
        self.fm = FactorizationMachine(schema.n_fields, embedding_dim)  # m1
        self.dnn = DNN(schema.n_fields * embedding_dim, (8,), dropout)  # m2
        self.output = nn.Linear(8, len(schema.tasks))

    def forward(self, batch: Batch) -> Tensor:
        fields = self.embedding(batch)  # (B, F, D)
        return self.output(self.dnn(fields.flatten(1))) + self.fm(fields)
'''
LAYER = "        self.dnn = DNN(schema.n_fields * embedding_dim, (8,), dropout)  # m2\n"
PATCH = f"<<<<<<< SEARCH\n{LAYER}=======\n{LAYER.replace('(8,)', '(8, 8)')}>>>>>>> REPLACE\n"
REVIEWED = {
    "leaves": [
        {"leaf": "m1", "judgement": "met", "first_line": 13, "last_line": 13},
        {"leaf": "m2", "judgement": "met", "first_line": 14, "last_line": 14},
    ],
    "main_mechanism": "m1",
}
WITHOUT = MODEL.replace(" + self.fm(fields)", "").replace(
    "        self.fm = FactorizationMachine(schema.n_fields, embedding_dim)  # m1\n", ""
)
ANSWERS = {
    "read": json.dumps(READING),
    "write": f"```python\n{MODEL}```",
    "repair": PATCH,
    "review": json.dumps(REVIEWED),
    "ablate": f"```python\n{WITHOUT}```",
}


def asked_for(system: str) -> str:
    """The prompt that a system message begins with, a key of `ANSWERS`."""
    return next(name for name in ANSWERS if system.startswith(prompt(name)))


def answer_to(question: dict[str, Any]) -> str:
    """The answer to a question over OpenAI's protocol."""
    return ANSWERS[asked_for(str(question["messages"][0]["content"]))]
