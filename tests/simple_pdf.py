"""PDFs written from words at given places, in the standard fonts, black or white."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from pathlib import Path

FONTS = {"roman": "Times-Roman", "bold": "Times-Bold", "italic": "Times-Italic", "symbol": "Symbol"}
WHITE = {"white": "Times-Roman"}  # a font's name for text in the colour of the page
Mark = tuple[float, float, str, float, str]  # x, y from the top left corner, text, size, font


def _content(marks: Sequence[Mark]) -> bytes:
    lines = []
    for x, y, text, size, font in marks:
        escaped = text.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")
        colour = "1 g" if font in WHITE else "0 g"
        lines.append(f"BT {colour} /{font} {size} Tf 1 0 0 1 {x:.2f} {792 - y:.2f} Tm ({escaped}) Tj ET")
    return zlib.compress("\n".join(lines).encode("latin-1"))


def write_pdf(path: Path, pages: Sequence[Sequence[Mark]]) -> Path:
    """A PDF with the marks on US Letter pages, in the standard fonts."""
    objects: list[bytes] = [b"", b""]  # the catalogue and the page tree, known last
    fonts = " ".join(f"/{key} << /Type /Font /Subtype /Type1 /BaseFont /{name} >>" for key, name in (FONTS | WHITE).items())
    kids = []
    for marks in pages:
        content = _content(marks)
        objects.append(b"<< /Length %d /Filter /FlateDecode >>\nstream\n" % len(content) + content + b"\nendstream")
        stream = len(objects)
        page = (
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents {stream} 0 R /Resources << /Font << {fonts} >> >> >>"
        )
        objects.append(page.encode())
        kids.append(f"{len(objects)} 0 R")
    objects[0] = b"<< /Type /Catalog /Pages 2 0 R >>"
    objects[1] = f"<< /Type /Pages /Kids [{' '.join(kids)}] /Count {len(kids)} >>".encode()
    out = bytearray(b"%PDF-1.4\n")
    offsets = []
    for number, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n" % number + body + b"\nendobj\n"
    table = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    out += b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, table)
    path.write_bytes(out)
    return path
