"""Exchanges are kept for people and replayed without a model; who listens hears each of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pydantic import BaseModel
from scripted_chat import Scripted

from agents.errors import ModelUnavailable
from agents.llm import Exchange, LanguageModel, Ledger, Recording, Replay, StatedPrice


class Colour(BaseModel):
    name: str


def door(folder: Path, chat: Scripted | None = None, *, heard: list[Exchange] | Recording = [], replay: Path | None = None):  # type: ignore[no-untyped-def] # noqa: B006
    hear = heard if isinstance(heard, Recording) else heard.append
    return LanguageModel(
        "scripted:x",
        cache=folder / "answers",
        ledger=Ledger(folder / "calls.jsonl"),
        chat=chat,
        heard=[hear],
        replay=Replay(replay) if replay else None,
        price=StatedPrice(1, 10),
    )


def test_a_recording_replays_without_a_model(tmp_path: Path) -> None:
    recorded = door(tmp_path / "a", Scripted("no JSON", '{"name": "red"}', "code"), heard=Recording(tmp_path / "kept"))
    recorded.ask_for(Colour, "parse", "read", "a paper")
    recorded.ask("write", "write", "a spec")
    replayed = door(tmp_path / "b", replay=tmp_path / "kept")
    assert replayed.ask_for(Colour, "parse", "read", "a paper") == Colour(name="red")
    assert replayed.ask("write", "another reference of the kit", "a spec") == "code"
    assert replayed.ledger.calls == []
    assert not (tmp_path / "b" / "answers").exists()


def test_a_question_that_was_not_recorded_is_not_answered(tmp_path: Path) -> None:
    door(tmp_path, Scripted("code"), heard=Recording(tmp_path / "kept")).ask("write", "s", "a spec")
    replayed = door(tmp_path, replay=tmp_path / "kept")
    for step, user in (("write", "another spec"), ("repair", "a spec")):
        with pytest.raises(ModelUnavailable, match="record it anew"):
            replayed.ask(step, "s", user)


def test_a_question_that_differs_in_numbers_alone_is_answered_where_that_leaves_no_doubt(tmp_path: Path) -> None:
    recorded = door(tmp_path, Scripted("patch", "a", "b"), heard=Recording(tmp_path / "kept"))
    recorded.ask("repair", "s", "the loss is 0.756 after 200 steps")
    recorded.ask("review", "s", "candidate 1")
    recorded.ask("review", "s", "candidate 2")
    replayed = door(tmp_path / "b", replay=tmp_path / "kept")
    assert replayed.ask("repair", "s", "the loss is 7.1e-1 after 200 steps") == "patch"
    assert replayed.ask("review", "s", "candidate 2") == "b"
    with pytest.raises(ModelUnavailable, match="record it anew"):
        replayed.ask("review", "s", "candidate 3")


def test_a_recording_can_be_read_by_people(tmp_path: Path) -> None:
    recording = Recording(tmp_path / "kept")
    for folder in ("a", "b"):  # the same question, asked again elsewhere, is written once
        door(tmp_path / folder, Scripted("code"), heard=recording).ask("write", "the rules", "a spec")
    (system,) = (tmp_path / "kept").glob("system-*.md")
    assert system.read_text() == "the rules"
    (file,) = (tmp_path / "kept").glob("001-write-*.json")
    said = json.loads(file.read_text())
    assert (said["model"], said["answer"], said["turns"]) == ("scripted:x", "code", [{"role": "human", "text": "a spec"}])
    assert said["cost_usd"] == pytest.approx(0.002)


def test_listeners_hear_what_was_paid_and_what_was_kept(tmp_path: Path) -> None:
    heard: list[Exchange] = []
    model = door(tmp_path, Scripted("code"), heard=heard)
    for _ in range(2):
        model.ask("write", "s", "u")
    assert [(e.paid, e.input_tokens, e.answer) for e in heard] == [(True, 1000, "code"), (False, None, "code")]


@pytest.mark.parametrize("content", [None, "{}", "\x00"])
def test_a_folder_without_a_recording_is_one_sentence(content: str | None, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "001-write-a.json").write_text(content)
    with pytest.raises(ModelUnavailable, match="record") as caught:
        Replay(tmp_path)
    assert "\n" not in str(caught.value)
