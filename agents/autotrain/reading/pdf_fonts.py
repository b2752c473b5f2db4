"""What a PDF's font names tell: mathematical or text, bold, italic; and the characters that old TeX fonts leave unnamed."""

from __future__ import annotations

import re
from collections.abc import Mapping

# Font families that TeX and word processors use for formulas only.
_MATH = re.compile(
    r"^(?:CM(?:MI|SY|EX|MIB|BSY)|MS[AB]M|EU[FRS][MB]|txsy|txex|txmi|rtxm|rtxr|px(?:sy|ex|mi)|stmary|wasy|eu(?:fm|rm|sm)|MT(?:SY|EX|MI)|"
    r"esint|LinLibertine(?:I\d?|TZ|ZI|Z)$|NewTXM|ntx|libertinust1math|zplm|zptm|rsfs|bbm|dsrom|Symbol|CambriaMath|.*Math)",
    re.IGNORECASE,
)
# Computer Modern roman carries the digits and signs of formulas, unless it is also the font of the text.
_MATH_ROMAN = re.compile(r"^(?:CMR|CMBX|SFRM|LMRoman)\d*", re.IGNORECASE)
_BOLD = re.compile(r"bold|medi(?!um)|black|heavy|demi|(?:TB|TBI|TZ|BX\d*|-Bd|-B|,Bold)$", re.IGNORECASE)
_ITALIC = re.compile(r"ital|obli|(?:TI\d*|TBI|CMTI\d+|-It)$", re.IGNORECASE)
_SIGN = re.compile(r"[=+×·∈≤≥≠≈∑∏∫√∞∂∇→←⊙⊗⊕∥∀∃⟨⟩±∼∝∪∩⊂⊆α-ωΑ-Ω𝐀-𝟿ℝℒ−∗|<>]")
_CID = re.compile(r"\(cid:(\d+)\)")
# Large operators and fences of TeX's extension fonts, by their code there.
_EXTENSION = dict.fromkeys((80, 88), "∑") | dict.fromkeys((81, 89), "∏") | dict.fromkeys((82, 90), "∫")
_EXTENSION |= dict.fromkeys((83, 91), "∪") | dict.fromkeys((84, 92), "∩") | dict.fromkeys((112, 113, 114, 115), "√")
_EXTENSION |= dict.fromkeys((0, 16, 18, 32), "(") | dict.fromkeys((1, 17, 19, 33), ")")
_EXTENSION |= dict.fromkeys((2, 20, 34, 104), "[") | dict.fromkeys((3, 21, 35, 105), "]")
_EXTENSION |= dict.fromkeys((8, 26, 40, 110), "{") | dict.fromkeys((9, 27, 41, 111), "}")
# Where a font's table of characters is missing, codes come out as the letters that have the same code elsewhere.
_EXTENSION_LETTERS = str.maketrans("PXQYRZÍÕÎÖhinojk", "∑∑∏∏∫∫∑∑∏∏[]{}⟨⟩")
_EXTENSION |= {code: chr(code).translate(_EXTENSION_LETTERS) for code in (205, 206, 213, 214)}
_SYMBOL_LETTERS = str.maketrans("jkfghibcdep", "|‖{}⟨⟩⌊⌋⌈⌉√", "7")
_SYMBOLS = dict(enumerate("−·×∗÷⋄±∓⊕⊖⊗⊘⊙○◦•≍≡⊆⊇≤≥⪯⪰∼≈⊂⊃≪≫≺≻←→↑↓↔↗↘≃⇐⇒⇑⇓⇔↖↙∝′∞∈∋△▽̸/∀∃¬∅ℜℑ⊤⊥ℵ"))
_SYMBOLS |= {code: chr(code).translate(_SYMBOL_LETTERS) for code in range(97, 113)}
# Printing on a Mac names TeX's codes by other signs, always the same ones; those of math italic and of symbols differ.
_SYMBOL_LETTERS |= str.maketrans("⇥⇤⌦⇠⇡!128\uf8ff", "×∗⊗∼≈→∞∈∀≤")
# Greek letters that the file no longer tells apart show as gaps.
_ITALIC_LETTERS: dict[int, str | int | None] = dict.fromkeys([*range(32), *range(0xE000, 0xF900)], "\ufffd")
_ITALIC_LETTERS |= str.maketrans("↵✏⇣⌘✓◆⌫⇠⇡⇢⌧!@`", "αεζηθινξπρτω∂ℓ")
_AMS_SYMBOLS = {3: "□", 4: "■", 38: "≳", 44: "≜", 46: "≲", 54: "≤", 62: "≥"}
# Ligatures of TeX's text fonts, by code and by the signs that readers without the font's table take them for.
_TEXT_FONT = re.compile(r"^(?:CM(?:R|BX|TI|SS|SL|B|CSC|U)|SF|LMRoman|LMSans)", re.IGNORECASE)
_LIGATURES = {11: "ff", 12: "fi", 13: "fl", 14: "ffi", 15: "ffl"}
_LIGATURE_SIGNS = str.maketrans({chr(code): text for code, text in _LIGATURES.items()} | {"↵": "ff", "✏": "ffl"})
_ITALIC_FONT = re.compile(r"^CMMI", re.IGNORECASE)
_AMS_FONT = re.compile(r"^MSAM", re.IGNORECASE)
_SYMBOL_FONT = re.compile(r"^(?:CMSY|txsy(?!b)|MTSY|pxsy(?!b))", re.IGNORECASE)
_EXTENSION_FONT = re.compile(r"^(?:CMEX|txex|pxex|MTEX|ntxexx)", re.IGNORECASE)
BIG_OPERATORS = frozenset("∑∏∫⋃⋂∪∩")


def family(font: str) -> str:
    """The font's name without subset tag: "ABCDEF+CMMI10" is "CMMI10"."""
    return font.split("+", 1)[-1]


def stem(font: str) -> str:
    """The family without its style and size: "LinLibertineTB" and "LinLibertineTI" are both "linlibertinet"."""
    name = re.split(r"[-,]", family(font), maxsplit=1)[0].lower()
    return re.sub(r"(?<=[a-z]{4}t)[biz]+$|\d+$", "", name)


def is_math_font(font: str, body: str = "") -> bool:
    """Whether formulas are set in it; Computer Modern roman counts unless it is the text's own font, `body`."""
    name = family(font)
    return bool(_MATH.match(name)) or (bool(_MATH_ROMAN.match(name)) and not _MATH_ROMAN.match(family(body)))


def is_bold(font: str) -> bool:
    return bool(_BOLD.search(family(font)))


def is_italic(font: str) -> bool:
    return bool(_ITALIC.search(family(font)))


def is_symbolic(text: str) -> bool:
    """Whether the word is a sign or a formula's fragment rather than prose."""
    return bool(_SIGN.search(text)) and not re.search(r"[A-Za-z]{3}", text)


def hangs(font: str) -> bool:
    """Whether its characters hang below the baseline, as those of TeX's extension fonts do."""
    return bool(_EXTENSION_FONT.match(family(font)))


def plain_characters(text: str, font: str) -> str:
    """The word with codes that its font leaves unnamed replaced by what they show; unknown ones are dropped."""
    name = family(font)
    if name.lower().startswith("txex-bar"):
        return ""  # pieces of braces under formulas
    if _EXTENSION_FONT.match(name):
        return _mapped(text, _EXTENSION, _EXTENSION_LETTERS)
    if _SYMBOL_FONT.match(name):
        return _mapped(text, _SYMBOLS, _SYMBOL_LETTERS)
    if _ITALIC_FONT.match(name):
        return _mapped(text, {}, _ITALIC_LETTERS)
    if _AMS_FONT.match(name):
        return _mapped(text, _AMS_SYMBOLS, {})
    if _TEXT_FONT.match(name):
        return _mapped(text, _LIGATURES, _LIGATURE_SIGNS)
    return _CID.sub("", text)


def _mapped(text: str, codes: Mapping[int, str], letters: Mapping[int, str | int | None]) -> str:
    """The text with its "(cid:12)" by `codes` and its other characters by `letters`."""
    parts = _CID.split(text)  # text and codes in turn
    return "".join(codes.get(int(part), "") if i % 2 else part.translate(letters) for i, part in enumerate(parts))
