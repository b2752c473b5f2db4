"""Expands a LaTeX document's own macros: \\newcommand with arguments and defaults, \\def, \\DeclareMathOperator, \\let."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

MAX_EXPANSIONS = 60_000
MAX_GROWTH = 2_000_000  # characters
_NEW = re.compile(
    r"\\(?:re|provide)?newcommand\*?|\\providecommand\*?|\\DeclareRobustCommand\*?|\\(?:g|x|e)?def(?![A-Za-z])|\\DeclareMathOperator(\*?)"
)
_NAME = re.compile(r"\s*(?:\{\s*\\([A-Za-z@]+|[^A-Za-z\s])\s*\}|\\([A-Za-z@]+|[^A-Za-z\s]))")
_COMMAND = re.compile(r"\\([A-Za-z@]+)")
_BRACE = re.compile(r"\\.|[{}]", re.DOTALL)
_SPACES = re.compile(r"\s{0,50}")
_PARAMETER = re.compile(r"#(\d)")
# Redefining these is layout, and their built-in meaning is what the reader of the text wants.
_PROTECTED = frozenset(
    [
        "begin",
        "end",
        "section",
        "subsection",
        "subsubsection",
        "paragraph",
        "caption",
        "label",
        "ref",
        "cite",
        "citep",
        "citet",
        "item",
        "emph",
        "textbf",
        "textit",
        "footnote",
        "title",
        "author",
        "abstract",
        "frac",
        "sum",
        "prod",
        "left",
        "right",
        "includegraphics",
        "input",
        "include",
        "maketitle",
    ]
)


@dataclass(frozen=True)
class Macro:
    """`arguments` in all, of which the first is optional when it has a `default`."""

    arguments: int
    default: str | None
    body: str


def braces(text: str) -> dict[int, int]:
    """For each brace that opens a group the index of the one that closes it, in one pass; escaped and unmatched ones left out."""
    pairs: dict[int, int] = {}
    opened: list[int] = []
    for match in _BRACE.finditer(text):
        if match[0] == "{":
            opened.append(match.start())
        elif match[0] == "}" and opened:
            pairs[opened.pop()] = match.start()
    return pairs


def group(text: str, start: int, pairs: Mapping[int, int]) -> tuple[str, int] | None:
    """The content of the braces that begin at `start`, spaces skipped, and the index after them; `pairs` is `braces(text)`."""
    if (spaces := _SPACES.match(text, start)) is not None:
        start = spaces.end()
    end = pairs.get(start)
    return None if end is None else (text[start + 1 : end], end + 1)


def option(text: str, start: int) -> tuple[str, int] | None:
    """The content of the brackets that begin right at `start`, at most 400 characters, and the index after them."""
    if not text.startswith("[", start) or text.find("]", start, start + 400) < 0:
        return None
    depth = 0
    for i in range(start + 1, min(len(text), start + 400)):
        if text[i] == "{":
            depth += 1
        elif text[i] == "}":
            depth -= 1
        elif text[i] == "]" and depth <= 0:
            return text[start + 1 : i], i + 1
    return None


def expand(text: str) -> tuple[str, bool]:
    """The text with its own macros expanded and their definitions removed, and whether expanding was cut short."""
    macros, rest = definitions(text)
    usable = {name: macro for name, macro in macros.items() if not _calls_itself(name, macros)}
    expanded, cut = _Expansion(usable).run(rest) if usable else (rest, False)
    return expanded, cut or len(usable) < len(macros)


def _calls_itself(name: str, macros: Mapping[str, Macro]) -> bool:
    """Whether the macro's body leads back to it."""
    seen: set[str] = set()
    waiting = [name]
    while waiting:
        for called in _COMMAND.findall(macros[waiting.pop()].body):
            if called == name:
                return True
            if called in macros and called not in seen:
                seen.add(called)
                waiting.append(called)
    return False


def definitions(text: str) -> tuple[dict[str, Macro], str]:
    """The macros that the text defines, and the text without the definitions."""
    macros: dict[str, Macro] = {}
    kept: list[str] = []
    pairs = braces(text)
    end = 0
    for match in _NEW.finditer(text):
        if match.start() < end:
            continue
        parsed = _definition(text, match, pairs)
        if parsed is not None:
            name, macro, after = parsed
            kept.append(text[end : match.start()])
            end = after
            if name not in _PROTECTED and f"\\{name}" != macro.body.strip():
                macros[name] = macro
    kept.append(text[end:])
    return macros, "".join(kept)


def _definition(text: str, match: re.Match[str], pairs: Mapping[int, int]) -> tuple[str, Macro, int] | None:
    name = _NAME.match(text, match.end())
    if name is None:
        return None
    i = name.end()
    called = name[1] or name[2]
    if match[0].startswith("\\DeclareMathOperator"):
        body = group(text, i, pairs)
        return None if body is None else (called, Macro(0, None, "\\operatorname{" + body[0] + "}"), body[1])
    count, default = 0, None
    if match[0].endswith("def"):
        pattern = re.compile(r"\s*((?:#\d)*)\s*").match(text, i)
        count, i = (pattern[1].count("#"), pattern.end()) if pattern else (0, i)
    else:
        if number := option(text, i):
            count, i = int(number[0]) if number[0].strip().isdigit() else 0, number[1]
        if given := option(text, i):
            default, i = given
    body = group(text, i, pairs)
    return None if body is None or count > 9 else (called, Macro(count, default, body[0]), body[1])


class _Expansion:
    """Expands from left to right; a macro's result is expanded in turn, within a budget, so that no definition can run away."""

    def __init__(self, macros: dict[str, Macro]) -> None:
        self._macros = macros
        self._left = MAX_EXPANSIONS
        self._room = MAX_GROWTH
        self._cut = False

    def run(self, text: str) -> tuple[str, bool]:
        return self._expanded(text, 0), self._cut

    def _expanded(self, text: str, depth: int) -> str:
        parts: list[str] = []
        pairs = braces(text)
        end = 0
        for match in _COMMAND.finditer(text):
            macro = self._macros.get(match[1])
            if macro is None or match.start() < end:
                continue
            if depth > 20 or self._left <= 0 or self._room <= 0:
                self._cut = True
                break
            called = self._called(text, match.end(), macro, pairs)
            if called is None:
                continue
            result, after = called
            self._left -= 1
            self._room -= len(result)
            parts.append(text[end : match.start()])
            inner = self._expanded(result, depth + 1)
            # A command's name must not run into the letters that follow the macro.
            ends_in_command = re.search(r"\\[A-Za-z]+$", inner) is not None and text[after : after + 1].isalpha()
            parts.append(inner + (" " if ends_in_command else ""))
            end = after
        parts.append(text[end:])
        return "".join(parts)

    def _called(self, text: str, i: int, macro: Macro, pairs: Mapping[int, int]) -> tuple[str, int] | None:
        """The macro's body with the arguments that stand at `i` put in, and the index after them."""
        arguments: list[str] = []
        if macro.default is not None:
            given = option(text, i)
            arguments.append(given[0] if given else macro.default)
            i = given[1] if given else i
        while len(arguments) < macro.arguments:
            taken = _argument(text, i, pairs)
            if taken is None:
                return None
            arguments.append(taken[0])
            i = taken[1]
        if not macro.arguments:
            i = i + 2 if text[i : i + 2] == "{}" else i
        return _PARAMETER.sub(lambda m: arguments[int(m[1]) - 1] if 0 < int(m[1]) <= len(arguments) else "", macro.body), i


def _argument(text: str, i: int, pairs: Mapping[int, int]) -> tuple[str, int] | None:
    """One argument: a group, a command, or a single character."""
    if braced := group(text, i, pairs):
        return braced
    while i < len(text) and text[i].isspace():
        i += 1
    if i >= len(text) or text[i] in "{}":
        return None
    command = _COMMAND.match(text, i)
    return (command[0], command.end()) if command else (text[i], i + 1)
