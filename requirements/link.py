"""Make the checkout the package `expert-pool` of the environment this runs in, without a build tool.

Does what an editable install would do: a path entry, the command, and the metadata by which pip can remove them.
"""

from __future__ import annotations

import os
import sys
import sysconfig
import tomllib
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COMMAND = "from api.cli.main import main\n\nmain()\n"


def link() -> None:
    """Write the files, unless the package is there already."""
    try:
        distribution("expert-pool")
        return
    except PackageNotFoundError:
        pass
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    site = Path(sysconfig.get_path("purelib"))
    command = Path(sysconfig.get_path("scripts"), "expert-pool")
    info = site / f"expert_pool-{project['version']}.dist-info"
    info.mkdir(exist_ok=True)
    files = {
        site / "expert_pool_checkout.pth": f"{ROOT}\n",
        command: f"#!{sys.executable}\n{COMMAND}",
        info / "METADATA": f"Metadata-Version: 2.1\nName: expert-pool\nVersion: {project['version']}\n",
        info / "INSTALLER": "make\n",
    }
    record = [f"{os.path.relpath(path, site)},," for path in (*files, info / "RECORD")]
    files[info / "RECORD"] = "\n".join(record) + "\n"
    for path, text in files.items():
        path.write_text(text, encoding="utf-8")
    command.chmod(0o755)


if __name__ == "__main__":
    link()
