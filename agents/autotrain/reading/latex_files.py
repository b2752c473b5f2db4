"""The files of a LaTeX project as one text: finds the main file, puts in what it inputs, drops comments."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping

from agents.clean import without_between
from agents.errors import UnreadablePaper

MAX_DEPTH = 12  # of files that input files
MAX_CHARACTERS = 2_000_000
_COMMENT = re.compile(r"(?<!\\)((?:\\\\)*)%[^\n]*(?:\n[ \t]*(?=\S))?")
_COMMENT_BEGINS, _COMMENT_ENDS = (re.compile(rf"\\{word}\s{{0,9}}\{{comment\}}") for word in ("begin", "end"))
_INPUT = re.compile(
    r"\\(?:input|include|subfile|subfileinclude)\s*\{([^{}\n]{1,300})\}|\\input\s+([^\s{}\\]{1,300})|"
    r"\\(?:sub)?import\*?\s*\{([^{}\n]{0,300})\}\s*\{([^{}\n]{1,300})\}|\\bibliography\s*\{([^{}]{1,300})\}"
)
_FALSE = re.compile(r"\\iffalse(?![A-Za-z])|\\if[A-Za-z@]*|\\fi(?![A-Za-z])|\\else(?![A-Za-z])")
_SECTIONING = re.compile(r"\\(?:section|subsection|chapter)\*?\s*[\[{]")


def join_files(files: Mapping[str, str], name: str, main: str | None = None) -> tuple[str, int, tuple[str, ...]]:
    """The whole text of the project `files` (path to text), how many words its comments had, and notes on missing inputs.

    `main` is found if not given.

    Raises UnreadablePaper when no file is a LaTeX document, or when the inputs make it larger than any paper.
    """
    cleaned = {path: without_comments(text) for path, text in files.items()}
    main = find_main(cleaned) if main is None else main
    if main is None:
        raise UnreadablePaper(
            f"{name} contains no LaTeX document (a .tex file with \\documentclass or sections); give the paper's source."
        )
    joiner = _Joiner(cleaned, name)
    words = sum(len(text.split()) - len(cleaned[path].split()) for path, text in files.items())
    return joiner.resolve(main, ()), words, tuple(joiner.notes)


def find_main(files: Mapping[str, str]) -> str | None:
    """The file that is the document: has a class and a body; of several, the one that says most, counting what it inputs."""
    tex = {path: text for path, text in files.items() if path.lower().endswith((".tex", ".ltx", ".latex"))}

    def rank(path: str) -> tuple[bool, bool, int, int]:
        text = tex[path]
        weight = len(text) + 5000 * len(_INPUT.findall(text))
        return "\\begin{document}" in text, "\\documentclass" in text, weight, -len(path)

    main = max(tex, key=rank, default=None)
    if main is None or not (rank(main)[0] or rank(main)[1] or _SECTIONING.search(tex[main])):
        return None
    return main


def without_comments(text: str) -> str:
    """The text without comments, comment environments and \\iffalse parts."""
    text = _COMMENT.sub(lambda m: m[1], text)
    return _without_false(without_between(text, _COMMENT_BEGINS, _COMMENT_ENDS))


def _without_false(text: str) -> str:
    """Drops \\iffalse ... \\fi, keeping an \\else part; conditionals inside are counted, so that their \\fi does not end it."""
    if "\\iffalse" not in text:
        return text
    kept: list[str] = []
    end, depth, dropping = 0, 0, False  # depth of conditionals inside the dropped part
    stack: list[bool] = []  # for each open conditional outside: whether it is an \iffalse in its \else part
    for match in _FALSE.finditer(text):
        word = match[0]
        if dropping:
            if word.startswith("\\if"):
                depth += 1
            elif word == "\\fi" and depth:
                depth -= 1
            elif depth == 0:
                dropping, end = False, match.end()
                if word == "\\else":
                    stack.append(True)
        elif word == "\\iffalse":
            kept.append(text[end : match.start()])
            dropping, depth = True, 0
        elif word.startswith("\\if") and word not in ("\\iff", "\\ifx"):
            stack.append(False)
        elif word == "\\fi" and stack and stack.pop():
            kept.append(text[end : match.start()])
            end = match.end()
    if not dropping:
        kept.append(text[end:])
    return "".join(kept)


def inputs_of(text: str) -> list[str]:
    """The names of the files that a text inputs, and of its compiled bibliography, as they are written."""
    found: list[str] = []
    for match in _INPUT.finditer(without_comments(text)):
        if match[5] is not None:
            found += [f"{n.strip()}.bbl" for n in match[5].split(",")]
        else:
            found.append((posixpath.join(match[3], match[4]) if match[4] else match[1] or match[2]).strip().strip('"'))
    return found


class _Joiner:
    """Puts inputs in place; remembers what is missing."""

    def __init__(self, files: Mapping[str, str], name: str) -> None:
        self._files = files
        self._name = name
        self._length = 0
        self.notes: list[str] = []

    def resolve(self, path: str, parents: tuple[str, ...]) -> str:
        """The text of the file with its inputs in place."""
        text = self._files[path]
        self._length += len(text)
        if self._length > MAX_CHARACTERS:
            raise UnreadablePaper(
                f"{self._name} with the files it inputs is larger than any paper; give the paper's own files alone."
            )
        if parents:
            text = _body_alone(text)
        parts: list[str] = []
        end = 0
        for match in _INPUT.finditer(text):
            parts += [text[end : match.start()], self._input(match, path, (*parents, path))]
            end = match.end()
        return "".join([*parts, text[end:]])

    def _input(self, match: re.Match[str], path: str, parents: tuple[str, ...]) -> str:
        if match[5] is not None:
            found = self._bibliography(match[5], parents[0])
            return self.resolve(found, parents) if found and found not in parents else ""
        wanted = posixpath.join(match[3], match[4]) if match[4] else match[1] or match[2]
        found = self._find(wanted.strip().strip('"'), path, parents[0])
        if found is None:
            if not wanted.endswith((".sty", ".cls", ".bbx", ".pgf", ".tikz")):
                self._note(f"the file {wanted!r} that the source inputs is missing")
            return " "
        if found in parents or len(parents) > MAX_DEPTH:
            self._note(f"the file {wanted!r} inputs itself and was read once")
            return " "
        return self.resolve(found, parents)

    def _note(self, note: str) -> None:
        if note not in self.notes and len(self.notes) < 20:
            self.notes.append(note)

    def _find(self, wanted: str, path: str, main: str) -> str | None:
        """The project's file of that name, beside the main file or the inputting one; nothing outside the project."""
        for folder in (posixpath.dirname(main), posixpath.dirname(path), ""):
            full = posixpath.normpath(posixpath.join(folder, wanted))
            for candidate in (full, full + ".tex", full + ".ltx"):
                if not candidate.startswith(("../", "/")) and candidate in self._files:
                    return candidate
        return None

    def _bibliography(self, names: str, main: str) -> str | None:
        """The compiled bibliography: of the name given, else of the main file, else the only one there is."""
        stems = [*(n.strip() for n in names.split(",")), posixpath.splitext(posixpath.basename(main))[0]]
        compiled = [p for p in self._files if p.lower().endswith(".bbl")]
        named = (p for stem in stems for p in compiled if posixpath.splitext(posixpath.basename(p))[0] == stem)
        return next(named, compiled[0] if len(compiled) == 1 else None)


def _body_alone(text: str) -> str:
    """Of a subfile that is a document of its own, the part between \\begin{document} and \\end{document}."""
    start, end = text.find("\\begin{document}"), text.rfind("\\end{document}")
    if start < 0:
        return text
    return text[start + len("\\begin{document}") : end if end > start else len(text)]
