"""Another embedding has an index of its own, made from the log; vectors of two embeddings are never compared."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from memory_records import Letters, found_by_itself, papers, vectors_in

from memory.embeddings import WordEmbeddings, open_embeddings, vectors_of
from memory.errors import MemoryUnusable
from memory.store import MemoryStore


def test_everything_is_found_by_another_embedding(tmp_path: Path, address: str) -> None:
    MemoryStore(tmp_path, Letters("one", 48), address).add(*papers(range(30)))
    told: list[tuple[int, int]] = []
    other = MemoryStore(tmp_path, WordEmbeddings(), address, lambda done, of: told.append((done, of)))
    assert all(found_by_itself(other, record) for record in papers(range(30)))
    assert told == [(30, 30)] and other.embedding == "wordllama-256"
    assert len(other.vectors("paper", ["p1"])["p1"]) == 256


def test_going_back_embeds_only_what_came_meanwhile(tmp_path: Path, address: str) -> None:
    for number in range(6):
        embeddings = Letters("ab"[number % 2])
        store = MemoryStore(tmp_path, embeddings, address)
        store.add(*papers(range(number * 10, number * 10 + 10)))
        assert vectors_in(store) == number * 10 + 10
        assert len(embeddings.given) == (10 if number == 0 else 20)


def test_names_that_begin_alike_are_kept_apart(tmp_path: Path, address: str) -> None:
    names = ("text", "text-paper", "text-paper-small", "text-p", "text.2")
    stores = [MemoryStore(tmp_path, Letters(name, 20 + 4 * number), address) for number, name in enumerate(names)]
    for _ in range(2):
        for store in stores:
            store.add(*papers([len(store)]))
            assert vectors_in(store) == len(store)
    for number, store in enumerate(stores):
        assert len(store.vectors("paper", ["p1"])["p1"]) == 20 + 4 * number
        assert len(store._embeddings.given) == 10


def test_a_model_that_changed_under_its_name_is_noticed_and_everything_embedded_again(tmp_path: Path, address: str) -> None:
    MemoryStore(tmp_path, Letters("same", 24), address).add(*papers(range(20)))
    store = MemoryStore(tmp_path, Letters("same", 32), address)
    store.add(*papers(range(20, 25)))
    assert all(found_by_itself(store, record) for record in papers(range(25)))
    assert len(store.vectors("paper", ["p3"])["p3"]) == 32 and vectors_in(store) == 25


def test_one_that_does_not_answer_is_said_and_the_record_kept(tmp_path: Path) -> None:
    embeddings = Letters()
    store = MemoryStore(tmp_path, embeddings)
    answer = embeddings.embed_documents
    embeddings.embed_documents = lambda texts: (_ for _ in ()).throw(TimeoutError("no route\nto host"))  # type: ignore[method-assign]
    with pytest.raises(MemoryUnusable, match=r"^the embedding letters did not answer: no route$"):
        store.add(*papers([1]))
    assert store.get("p1")
    embeddings.embed_documents = answer  # type: ignore[method-assign]
    assert found_by_itself(store, papers([1])[0])


@pytest.mark.parametrize(
    "answer", [[], [[1.0]], [[1.0], [2.0], [3.0]], [1.0, 2.0], [[1.0], [float("nan")]], [[], [1.0]], "x", None]
)
def test_one_that_answers_nonsense_is_said(answer: object, tmp_path: Path) -> None:
    embeddings = Letters()
    embeddings.embed_documents = lambda texts: answer  # type: ignore[method-assign,assignment,return-value]
    with pytest.raises(MemoryUnusable, match="the embedding letters did not answer: ") as said:
        vectors_of(embeddings, ["one", "two"])
    assert "\n" not in str(said.value)


def test_vectors_are_of_unit_length_also_without_a_known_word() -> None:
    with np.errstate(all="raise"):
        vectors = vectors_of(WordEmbeddings(), ["bread and cheese", "", " ", "\0", "\u200b", "bread and cheese"])
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1) and np.array_equal(vectors[0], vectors[-1])
    assert np.allclose(vectors[1], 1 / 16)


def test_a_text_has_the_same_vector_whatever_it_is_embedded_with() -> None:
    texts = ["bread", "bread and cheese " * 50, "", "wine"]
    together, alone = vectors_of(WordEmbeddings(), texts), [vectors_of(WordEmbeddings(), [text])[0] for text in texts]
    assert np.allclose(together, alone, atol=1e-6)


@pytest.mark.parametrize("model", ["nothing", "no-such-provider:model", "openai:text-embedding-3-small"])
def test_an_embedding_that_cannot_be_used_is_said(model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(
        MemoryUnusable, match=f"^the embedding '?{model}'? (needs a package|cannot be used|names no provider): "
    ) as said:
        open_embeddings(model)
    assert "\n" not in str(said.value)
