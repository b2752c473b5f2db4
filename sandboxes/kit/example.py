"""A card's example as a whole file: imports and inputs, so that it runs where it is pasted.

Notation: B rows, F fields, D embedding width, L history length, O outcomes, T tasks, I ids of the target item, E events.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from sandboxes.kit import layers
from sandboxes.kit.card import Card

# What makes each input that an example may name. Those that another needs stand before it.
INPUTS: Mapping[str, str] = MappingProxyType(
    {
        "schema": """schema = Schema(
    categorical=(CategoricalField("user", 12), CategoricalField("item", 9), CategoricalField("scene", 5)),
    numeric=(NumericField("age"), NumericField("price")),
    tasks=(Task("click"), Task("buy", given="click")),
    scenario="scene",
    target_item="item",
)""",
        "batch": """batch = Batch(
    ids=torch.tensor([[2, 3, 4], [5, 8, 2], [2, 1, 3], [11, 3, 4]]),  # (B, C)
    numeric=torch.randn(4, 2),  # (B, N)
    labels=torch.tensor([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 0.0]]),  # (B, T)
)""",
        "fields": "fields = torch.randn(4, 5, 8)  # (B, F, D)",
        "flat": "flat = torch.randn(4, 40)  # (B, F * D)",
        "target": "target = torch.randn(4, 8)  # (B, D)",
        "mask": "mask = torch.arange(6) >= torch.tensor([[0], [2], [5], [6]])  # (B, L), False where padded; the last is empty",
        "history": "history = torch.randn(4, 6, 8) * mask.unsqueeze(2)  # (B, L, D)",
        "outcomes": "outcomes = torch.randint(-1, 2, (4, 6, 2)).float() * mask.unsqueeze(2)  # (B, L, O): 1, -1 or, unknown, 0",
        "scenario": "scenario = torch.tensor([0, 1, 2, 4])  # (B,)",
        "logits": "logits = torch.randn(4, 2)  # (B, T)",
    }
)
OF_ITEMS: Mapping[str, str] = MappingProxyType(
    {
        **INPUTS,
        "schema": """schema = Schema(
    categorical=(CategoricalField("user", 12), CategoricalField("item", 9, "item"), CategoricalField("brand", 5, "item")),
    numeric=(NumericField("age"), NumericField("price", "item")),
    target_item="item",
    user="user",
    predicts="items",
)""",
        "batch": """batch = Batch(
    ids=torch.tensor([[2, 0, 0], [5, 0, 0], [2, 0, 0], [11, 0, 0]]),  # (B, C), empty where it would say which item
    numeric=torch.randn(4, 2) * torch.tensor([1.0, 0.0]),  # (B, N)
    answer=torch.tensor([3, 8, 4, 3]),  # (B,)
)""",
        "collection": """collection = Collection(
    items=Batch(ids=torch.arange(9).unsqueeze(1) * torch.tensor([0, 1, 0]), numeric=torch.zeros(9, 2)),
    events=torch.tensor([[2, 3], [5, 8], [2, 4], [11, 3]]),  # (E, 2): users and items
)""",
        "embedding": "embedding = FeatureEmbedding(schema, 8)",
        "scores": "scores = torch.randn(4, 9)  # (B, I)",
    }
)
FROM_KIT = ("Batch", "CategoricalField", "Collection", "NumericField", "Schema", "Stage", "Task")


def whole_example(card: Card) -> str:
    """The card's example with its imports and inputs before it and a line that shows the result after it."""
    example = card.example.strip()
    known = OF_ITEMS if "items" in card.needs else INPUTS
    inputs = [known[name] for name in _needed(example, known)]
    shown = "print(stages)" if "stages" in _names(example) else "print(tuple(output.shape))"
    body = "\n".join([*inputs, example, shown])
    kit = [name for name in FROM_KIT if name in _names(body)]
    imports = ["import torch", ""] if "torch" in _names(body) else []
    imports += [f"from sandboxes.kit import {', '.join(kit)}"] if kit else []
    imports += [f"from sandboxes.kit.layers import {', '.join(sorted({card.block, *_names(body)} & set(layers.__all__)))}"]
    return "\n".join([*imports, "", body]) + "\n"


def _needed(example: str, known: Mapping[str, str]) -> Iterator[str]:
    """The inputs that the example or another input of it names, and the example does not make itself."""
    named, made = _names(example), _names(example, stored=True)
    for name in known:
        if name not in made and (name in named or any(name in _names(known[other]) for other in known if other in named)):
            yield name


def _names(text: str, stored: bool = False) -> set[str]:
    """Names that the text reads, or with `stored` assigns."""
    kind = ast.Store if stored else ast.Load
    return {n.id for n in ast.walk(ast.parse(text)) if isinstance(n, ast.Name) and (isinstance(n.ctx, kind) or n.id == "stages")}
