"""Copies what the page ships from npm packages to static/vendor/, with a manifest of names, versions, licences and hashes.

`make vendor` runs it (`python -m api.page.vendor`); it needs npm. Nothing of it is needed to run the service.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import tempfile
from pathlib import Path

VENDOR = Path(__file__).parent / "static" / "vendor"
MANIFEST = VENDOR / "manifest.json"
TAKEN = {
    "@picocss/pico": ("css/pico.min.css",),
    "cytoscape": ("dist/cytoscape.esm.min.mjs",),
    "htmx.org": ("dist/htmx.min.js", "dist/ext/hx-sse.min.js"),
    "vega": ("build/vega.min.js",),
    "vega-interpreter": ("build/vega-interpreter.js",),
}
"""The files of each package that the page loads."""
BUNDLES = {"vega": ("d3-*", "delaunator", "internmap", "robust-predicates", "topojson-client", "vega-*")}
"""Packages whose files hold other packages: those whose licences go with them."""
IMPORTS = {
    "vega-interpreter.js": (
        "import { ascending, isString, DisallowedObjectProperties } from 'vega-util';",
        "const { ascending, isString, DisallowedObjectProperties } = globalThis.vega;",
    )
}
"""What a browser without a bundler cannot find by its name, and where it is found instead."""


def vendored() -> list[dict[str, str]]:
    """The manifest: a row for each file, with `file`, `package`, `version`, `licence` and `sha256`."""
    rows: list[dict[str, str]] = json.loads(MANIFEST.read_text(encoding="utf-8"))["files"]
    return rows


def sha256(file: Path) -> str:
    """The hash of a file."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


def main() -> None:
    """Install the locked packages aside and copy what is taken, with each package's licence."""
    root = Path(__file__).parents[2]
    rows = []
    with tempfile.TemporaryDirectory() as place:
        for name in ("package.json", "package-lock.json", ".npmrc"):
            shutil.copy(root / name, place)
        subprocess.run(["npm", "ci", "--no-audit", "--no-fund"], cwd=place, check=True)  # noqa: S607
        shutil.rmtree(VENDOR, ignore_errors=True)
        VENDOR.mkdir(parents=True)
        for package, files in TAKEN.items():
            folder = Path(place) / "node_modules" / package
            about = json.loads((folder / "package.json").read_text(encoding="utf-8"))
            plain = package.strip("@").replace("/", "-")
            beside = [found for one in BUNDLES.get(package, ()) for found in sorted(folder.parent.glob(one))]
            licences = [(found.name, next(found.glob("LICENSE*")).read_text()) for found in (folder, *beside)]
            texts = [text if len(licences) == 1 else f"{name}\n\n{text}" for name, text in licences]
            (VENDOR / f"{plain}.LICENSE.txt").write_text("\n\n".join(texts), encoding="utf-8")
            for file in files:
                copy = VENDOR / Path(file).name
                copy.write_bytes(_reachable(Path(file).name, (folder / file).read_bytes()))
                row = {"file": copy.name, "package": package, "version": about["version"]}
                rows.append(row | {"licence": about["license"], "sha256": sha256(copy)})
    MANIFEST.write_text(json.dumps({"files": rows}, indent=2) + "\n", encoding="utf-8")


def _reachable(name: str, content: bytes) -> bytes:
    """A file whose imports a browser finds. Raises ValueError where the package no longer says what is replaced."""
    if name not in IMPORTS:
        return content
    asked, given = IMPORTS[name]
    text = content.decode()
    if asked not in text:
        raise ValueError(f"{name} does not begin as it did: look at its imports")
    return text.replace(asked, given).encode()


if __name__ == "__main__":
    main()
