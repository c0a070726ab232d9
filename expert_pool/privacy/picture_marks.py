"""The watermark of pictures: a line below the picture that everybody sees, and the serial number in the file."""

from __future__ import annotations

import re
import struct
import zlib
from base64 import b64encode
from xml.sax.saxutils import escape

_ROOT = re.compile(r"<svg\b[^>]*>")
_SIZE = re.compile(r'\b(width|height)="([0-9.]+)"')
_LINE = 22
"""Pixels that the line takes, for a picture of usual width."""
_USUAL = 1200


def stamped_svg(content: bytes, said: str, serial: str) -> bytes:
    """An SVG of ours (`width` and `height` in pixels) with the line `said` below it; anything else as it is."""
    drawn = content.decode("utf-8")
    root = _ROOT.search(drawn)
    size = dict(_SIZE.findall(root[0])) if root else {}
    if root is None or len(size) < 2:
        return content
    inner = drawn[root.start() :]  # an SVG within an SVG keeps its own size and view
    return _framed(inner, float(size["width"]), float(size["height"]), said, serial).encode()


def stamped_png(content: bytes, said: str, serial: str) -> bytes:
    """A PNG with the line `said` below it, and the serial number as text in the file; anything else as it is."""
    import vl_convert

    from expert_pool.documents.picture import fonts

    if content[:8] != b"\x89PNG\r\n\x1a\n":
        return content
    fonts()
    width, height = struct.unpack(">II", content[16:24])
    data = b64encode(content).decode("ascii")
    shown = f'<image width="{width}" height="{height}" xlink:href="data:image/png;base64,{data}"/>'
    made = vl_convert.svg_to_png(_framed(shown, width, height, said, serial), scale=1.0)
    text = b"tEXt" + b"Comment\0" + serial.encode("ascii")
    chunk = struct.pack(">I", len(text) - 4) + text + struct.pack(">I", zlib.crc32(text))
    after = 33  # signature and IHDR, which stands first
    return bytes(made[:after]) + chunk + bytes(made[after:])


def _framed(inner: str, width: float, height: float, said: str, serial: str) -> str:
    """An SVG around a picture, with a line below."""
    from expert_pool.documents.sheet import FONT

    line = _LINE * max(width / _USUAL, 0.5)
    whole = f"{width:g}", f"{height + line:g}"
    size = min(line * 0.6, width / (0.62 * max(_wide(said), 1)))  # whatever the words, they fit
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'width="{whole[0]}" height="{whole[1]}" viewBox="0 0 {whole[0]} {whole[1]}">'
        f"<metadata>{escape(serial)}</metadata>"
        f'<rect width="{whole[0]}" height="{whole[1]}" fill="white"/>{inner}'
        f'<text x="{line / 3:g}" y="{height + line * 0.7:g}" font-family="{FONT}" font-size="{size:g}" '
        f'fill="#595959">{escape(said)}</text></svg>'
    )


def _wide(text: str) -> int:
    """How wide a text is, in Latin letters."""
    return sum(2 if ord(c) > 0x2E7F else 1 for c in text)
