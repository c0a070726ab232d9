"""Let the environment this runs in find the packages of the checkout, and give it the command `expert-pool`."""

import sys
import sysconfig
from pathlib import Path

checkout = Path(__file__).resolve().parent.parent
Path(sysconfig.get_path("purelib"), "expert_pool_checkout.pth").write_text(f"{checkout}\n", encoding="utf-8")
command = Path(sysconfig.get_path("scripts"), "expert-pool")
if not command.exists():
    command.write_text(f"#!{sys.executable}\nfrom api.cli.main import main\n\nmain()\n", encoding="utf-8")
    command.chmod(0o755)
