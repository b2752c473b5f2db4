"""Which elements of a page its reader does not see, by their attributes, inline styles and the page's own plain style rules.

It guards against text that is put into a page for machines alone. It does not lay the page out: what scripts hide, what lies
under something else, and rules with more than one name in their selector are not found.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

_RULE = re.compile(r"([^{}@;]{1,300})\{([^{}]{0,2000})\}")
_AT_BLOCK = re.compile(r"@[\w-]+[^{};]*\{(?:[^{}]*\{[^{}]*\})*[^{}]*\}")  # for print, or for screens of some size
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_PLAIN = re.compile(r"(?:[a-z][a-z0-9]*)?(?:[.#][\w-]+)?")
_HIDES = re.compile(
    r"(?:^|;)\s*(?:display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)|opacity\s*:\s*0*\.?0*\s*(?:;|!|$)"
    r"|font-size\s*:\s*(?:0*\.\d+|0+|1)\s*(?:px|pt|em|rem|%)?\s*(?:;|!|$)|font\s*:[^;]*\b0(?:px|pt|em)\b|text-indent\s*:\s*-\d{3,}"
    r"|(?:left|top|right|bottom|margin-left|margin-top)\s*:\s*-\d{3,}|clip-path\s*:\s*inset\(\s*(?:50|100)%|clip\s*:\s*rect\(\s*0"
    r"|color\s*:\s*(?:transparent|rgba\([^()]*,\s*0*\.?0*\s*\)))",
    re.IGNORECASE,
)
_WHITE = r"(?:white|\#f{3,4}\b|\#f{6}(?:ff)?\b|rgba?\(\s*255[\s,]+255[\s,]+255[^()]*\)|hsl\([^()]*100%\s*\))"
_IN_WHITE = re.compile(rf"(?:^|;)\s*color\s*:\s*{_WHITE}", re.IGNORECASE)
_GROUND = re.compile(
    rf"(?:^|;)\s*background(?:-color)?\s*:\s*(?!\s*(?:{_WHITE}|none|transparent|inherit|initial))\S", re.IGNORECASE
)


class Hidden:
    """Says of an element of the page whether it is hidden; of what stands inside a hidden one, ask for that one."""

    def __init__(self, root: Any) -> None:
        self._rules: dict[str, str] = {}
        for sheet in root.iter("style"):
            css = _AT_BLOCK.sub(" ", _COMMENT.sub(" ", "".join(sheet.itertext())))
            for selectors, declared in _RULE.findall(css):
                for selector in (s.strip() for s in selectors.split(",")):
                    if selector and _PLAIN.fullmatch(selector):
                        self._rules[selector] = f"{self._rules.get(selector, '')};{declared}"

    def __call__(self, node: Any) -> bool:
        if node.get("hidden") is not None:
            return True
        style = self._style(node)
        return bool(_HIDES.search(style)) or (bool(_IN_WHITE.search(style)) and not self._on_a_ground(node))

    def _style(self, node: Any) -> str:
        """All declarations that are known to hold for the element itself."""
        colour = f"color:{node.get('color')}" if node.get("color") else ""
        ground = f"background:{node.get('bgcolor')}" if node.get("bgcolor") else ""
        ruled = (self._rules.get(name, "") for name in _names(node)) if self._rules else ()
        return ";".join(filter(None, [colour, ground, *ruled, node.get("style") or ""]))

    def _on_a_ground(self, node: Any) -> bool:
        """Whether it or what it stands in has a colour of its own behind it, on which white can be read."""
        return any(_GROUND.search(self._style(around)) for around in (node, *node.iterancestors()))


def hides(attributes: str) -> bool:
    """Whether an opening tag with these attributes, as text, hides its element, whatever stands around it."""
    style = re.search(r"\bstyle\s*=\s*(?:\"([^\"]*)\"|'([^']*)')", attributes, re.IGNORECASE)
    declared = (style[1] or style[2] or "") if style else ""
    on_white = bool(_IN_WHITE.search(declared)) and not _GROUND.search(declared)
    return (
        bool(re.search(r"(?<![\w-])hidden(?![\w-])", attributes.split("style", 1)[0]))
        or bool(_HIDES.search(declared))
        or on_white
    )


def _names(node: Any) -> Iterator[str]:
    """The selectors of one name that choose the element."""
    tag = node.tag if isinstance(node.tag, str) else ""
    marks = [f".{name}" for name in (node.get("class") or "").split()] + ([f"#{node.get('id')}"] if node.get("id") else [])
    yield tag
    for mark in marks:
        yield mark
        yield tag + mark
