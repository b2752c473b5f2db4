"""What the doctor says of the language model: what is missing is named before any work starts."""

from __future__ import annotations

from pathlib import Path

import pytest
from chat_server import chat_server

from workflows.doctor import Finding, examine
from workflows.settings import Settings


def said_of_model(tmp_path: Path, model: str, *, ask: bool = False) -> Finding:
    (found,) = [f for f in examine(Settings(home=tmp_path, model=model), ask_model=ask) if f.name == "language model"]
    return found


@pytest.mark.parametrize(
    ("model", "detail", "remedy"),
    [
        ("", "built-in engine", "AGENTICRS_MODEL"),
        ("gpt-5", "does not name a model", "provider:model"),
        ("openai:gpt-5", "needs a key", "OPENAI_API_KEY"),
        ("mistralai:mistral-large-latest", "langchain-mistralai", "pip install 'agenticrs[mistralai]'"),
        ("google_genai:gemini-2.5-pro", "langchain-google-genai", "agenticrs[google-genai]"),
    ],
)
def test_what_is_missing_is_named_with_its_remedy(
    model: str, detail: str, remedy: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    found = said_of_model(tmp_path, model)
    assert found.state == "missing"
    assert detail in found.detail
    assert remedy in found.remedy


def test_a_wrong_key_shows_when_the_model_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "wrong")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with chat_server() as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        server.replies = [(401, "bad key"), "hello"]
        assert said_of_model(tmp_path, "openai:m").state == "ok"
        assert server.asked == []
        refused = said_of_model(tmp_path, "openai:m", ask=True)
        assert (refused.state, refused.remedy) == ("missing", "set the provider's key in the environment")
        assert said_of_model(tmp_path, "openai:m", ask=True).state == "ok"


def test_every_extra_of_a_provider_is_there() -> None:
    import tomllib

    from agents.llm.providers import PROVIDERS, extra_of

    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    for name, provider in PROVIDERS.items():
        packages = project["optional-dependencies"].get(extra_of(name), project["dependencies"])
        assert any(p.partition("==")[0] == provider.package for p in packages)
