"""Pictures of pages as small files: PNG with a palette of 256 colours (PNG, third edition, W3C 2025, colour type 3)."""

from __future__ import annotations

import base64
import struct
import zlib
from pathlib import Path
from typing import Any

COLOURS = """async (source) => {
  const image = new Image();
  image.src = `data:image/png;base64,${source}`;
  await image.decode();
  const canvas = Object.assign(document.createElement("canvas"), { width: image.width, height: image.height });
  const pen = canvas.getContext("2d");
  pen.drawImage(image, 0, 0);
  const { data } = pen.getImageData(0, 0, image.width, image.height);
  const pixels = new Uint32Array(data.buffer), count = new Map();
  for (const pixel of pixels) count.set(pixel, (count.get(pixel) ?? 0) + 1);
  const split = (pixel) => [pixel & 255, (pixel >> 8) & 255, (pixel >> 16) & 255];
  const far = (a, b) => (a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2 + (a[2] - b[2]) ** 2;
  const palette = [];
  for (const least of [48, 24, 0]) {  // the most frequent, at first only such as differ
    for (const [pixel] of [...count].sort((a, b) => b[1] - a[1])) {
      if (palette.length === 256) break;
      const colour = split(pixel);
      if (palette.every((one) => far(one, colour) > least)) palette.push(colour);
    }
  }
  const nearest = new Map();
  for (const pixel of count.keys()) {
    const colour = split(pixel);
    let best = 0;
    for (let n = 1; n < palette.length; n++) if (far(palette[n], colour) < far(palette[best], colour)) best = n;
    nearest.set(pixel, best);
  }
  let text = "";
  for (const pixel of pixels) text += String.fromCharCode(nearest.get(pixel));
  return { wide: image.width, high: image.height, palette: palette.flat(), places: btoa(text) };
}"""


def quantised(browser: Any, path: Path) -> None:
    """Write a PNG anew with at most 256 colours: the most frequent, each other pixel as the nearest of them."""
    page = browser.new_page()
    found = page.evaluate(COLOURS, base64.b64encode(path.read_bytes()).decode())
    page.close()
    wide, high = found["wide"], found["high"]
    places = base64.b64decode(found["places"])
    rows = b"".join(b"\0" + places[row * wide : (row + 1) * wide] for row in range(high))
    head = struct.pack(">IIBBBBB", wide, high, 8, 3, 0, 0, 0)
    parts = (
        (b"IHDR", head),
        (b"PLTE", bytes(found["palette"])),
        (b"IDAT", zlib.compress(rows, 9)),
        (b"IEND", b""),
    )
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*part) for part in parts))


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
