"""What is taken out of texts and errors, and what stays."""

from __future__ import annotations

import traceback

import pytest

from agents.errors import ModelUnavailable
from agents.llm.providers import open_chat
from agents.secrets import discreet, without_secrets

KEY = "sk-0123456789abcdef"


@pytest.fixture(autouse=True)
def planted(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "OPENAI_API_KEY": KEY,
        "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG",
        "LONGER_TOKEN": f"{KEY}-and-more",
        "SHORT_KEY": "k",
        "TOKENIZERS_PARALLELISM": "false-and-long",
        "OPENAI_BASE_URL": "https://user:p%40ss-of-ours@example.org/v1",
    }.items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        (f"Incorrect API key provided: {KEY}.", "Incorrect API key provided: (OPENAI_API_KEY)."),
        (f"{KEY}-and-more", "(LONGER_TOKEN)"),
        ("a wJalrXUtnFEMI/K7MDENG b", "a (AWS_SECRET_ACCESS_KEY) b"),
        ("p@ss-of-ours, p%40ss-of-ours", "(OPENAI_BASE_URL), (OPENAI_BASE_URL)"),
        ("GET https://someone:else@example.org/a?b=c@d", "GET https://example.org/a?b=c@d"),
        ("https://token@example.org and me@example.org", "https://example.org and me@example.org"),
        ("the kind key is false-and-long", "the kind key is false-and-long"),
        ("sqlite:////home/a@b/mlflow.sqlite", "sqlite:////home/a@b/mlflow.sqlite"),
        ("", ""),
    ],
)
def test_secrets_go_and_other_words_stay(text: str, left: str) -> None:
    assert without_secrets(text) == left


def test_an_error_and_its_causes_are_hushed_and_stay_what_they_are() -> None:
    with pytest.raises(LookupError) as caught, discreet():
        try:
            try:
                raise ValueError(KEY, 7)
            except ValueError:
                raise KeyError(f"deep {KEY}") from None
        except KeyError as error:
            raise LookupError(f"no answer: {KEY}") from error
    assert caught.value.args == ("no answer: (OPENAI_API_KEY)",)
    assert KEY not in "".join(traceback.format_exception(caught.value))
    assert caught.value.__cause__ is not None and caught.value.__cause__.__context__ is not None
    assert caught.value.__cause__.__context__.args == ("(OPENAI_API_KEY)", 7)


def test_errors_that_are_each_others_cause_end() -> None:
    one, other = ValueError(KEY), ValueError("b")
    one.__cause__, other.__cause__ = other, one
    with pytest.raises(ValueError, match="OPENAI_API_KEY"), discreet():
        raise one


def test_nothing_is_changed_where_nothing_is_raised() -> None:
    with discreet():
        said = KEY
    assert said == KEY


def test_a_model_that_cannot_be_opened_does_not_tell_its_key(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuses(*words: object, **more: object) -> None:
        raise ValueError(f"bad key {KEY}")

    monkeypatch.setattr("langchain.chat_models.init_chat_model", refuses)
    with pytest.raises(ModelUnavailable, match=r"cannot be set up: bad key \(OPENAI_API_KEY\)"):
        open_chat("openai:m")
