"""The house stands as docs/architecture.md says: imports run one way, the locks are fresh, the wheel holds what it must."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
import zipfile
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution
from importlib.util import find_spec
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("solver", "expert_pool", "api")
PIN = re.compile(r"^(?P<name>[a-z0-9][a-z0-9._-]*)==(?P<version>[^ ;\\]+)(?: ; (?P<marker>[^\\]+))?", re.M)
HOST = re.compile(r"://|--(extra-)?index-url|--find-links|--trusted-host|\b[\w-]+\.(org|com|net|io|dev|cn)\b")


def test_imports_run_one_way() -> None:
    """api imports expert_pool imports solver, never the other way round."""
    linted = (
        subprocess.run(  # not in this process: its logging configuration would silence everybody's loggers
            [
                Path(sys.executable).with_name("lint-imports"),
                "--no-cache",
                "--config",
                ROOT / "pyproject.toml",
            ],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
    )
    assert linted.returncode == 0, linted.stdout + linted.stderr


@pytest.mark.parametrize("package", PACKAGES)
def test_top_level_names_are_ours(package: str) -> None:
    """No other distribution shadows a package of this checkout."""
    spec = find_spec(package)
    assert spec is not None
    assert spec.origin is not None
    assert Path(spec.origin).is_relative_to(ROOT)


@pytest.mark.parametrize("folder", ["tests", "fixtures"])
def test_data_and_tests_are_no_packages(folder: str) -> None:
    """A regular package named tests or fixtures would shadow others; fixtures holds data only."""
    assert not list((ROOT / folder).rglob("__init__.py"))
    assert not list((ROOT / "fixtures").rglob("*.py"))


@pytest.mark.parametrize("lock", ["run", "dev"])
def test_locks_name_no_host(lock: str) -> None:
    """A lock works with any registry: it names none, and every pin has hashes."""
    text = (ROOT / "requirements" / f"{lock}.txt").read_text(encoding="utf-8")
    assert not HOST.search(text)
    for pinned in PIN.finditer(text):
        assert text[pinned.end() :].lstrip(" \\\n").startswith("--hash=sha256:"), pinned["name"]


def test_dev_lock_holds_the_run_lock() -> None:
    """What is tested is what runs: every run-time pin is a development pin too."""
    assert set(_pins("run")) <= set(_pins("dev"))


@pytest.mark.parametrize("lock", ["run", "dev"])
def test_locks_are_fresh(lock: str) -> None:
    """The lock holds what pyproject.toml asks for, everything that needs in turn, and nothing else."""
    pins = _here(lock)
    wanted = [Requirement(line) for line in _asked(lock)]
    reached: set[str] = set()
    while wanted:
        requirement = wanted.pop()
        if requirement.marker is not None and not any(
            requirement.marker.evaluate({"extra": extra}) for extra in ("", *requirement.extras)
        ):
            continue
        name = canonicalize_name(requirement.name)
        assert name in pins, f"{requirement} is asked for and not pinned: make lock"
        assert requirement.specifier.contains(pins[name], prereleases=True), f"{requirement}: make lock"
        before = len(reached)
        reached |= {name, *(f"{name}[{extra}]" for extra in requirement.extras)}
        if len(reached) > before:
            wanted += _needs(name, frozenset(requirement.extras))
    surplus = sorted(set(pins) - reached)
    assert not surplus, f"pinned and not asked for: {surplus}: make lock"


def test_installed_is_what_is_pinned() -> None:
    """The suite runs on the pinned versions."""
    found = {name: distribution(name).version for name in _here("dev")}
    assert found == _here("dev")


def test_no_test_is_named_twice() -> None:
    """With importlib mode two files of one name would hide each other."""
    names = [path.name for path in (ROOT / "tests").rglob("test_*.py")]
    assert len(names) == len(set(names))


def test_no_file_is_too_long() -> None:
    """A file of the product that needs more than 500 lines holds more than one idea."""
    long = {
        str(path.relative_to(ROOT)): lines
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.py")
        if (lines := path.read_text(encoding="utf-8").count("\n")) > 500
    }
    assert not long


def test_wheel_holds_the_product(tmp_path: Path) -> None:
    """Packages, catalogues, policies, migrations and sample data; no tests, no benchmarks."""
    built = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    (wheel,) = tmp_path.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    tops = {name.partition("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == set(PACKAGES)
    for package in PACKAGES:
        sources = {
            str(path.relative_to(ROOT)) for path in (ROOT / package).rglob("*") if path.suffix in _SHIPPED
        }
        assert sources <= names
    data = {
        f"expert_pool/{path.relative_to(ROOT)}" for path in (ROOT / "fixtures").rglob("*") if path.is_file()
    }
    assert data <= names
    assert any(name.endswith("/licenses/LICENSE") for name in names)
    entry = next(name for name in names if name.endswith("entry_points.txt"))
    assert b"expert-pool = api.cli.main:main" in zipfile.ZipFile(wheel).read(entry)


_SHIPPED = {".py", ".po", ".yaml", ".mako", ".csv", ".json"}


def _asked(lock: str) -> list[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    asked: list[str] = [*project["project"]["dependencies"]]
    return asked if lock == "run" else [*asked, *project["dependency-groups"]["dev"]]


@cache
def _pins(lock: str) -> tuple[tuple[str, str, str], ...]:
    text = (ROOT / "requirements" / f"{lock}.txt").read_text(encoding="utf-8")
    return tuple((pin["name"], pin["version"], (pin["marker"] or "").strip()) for pin in PIN.finditer(text))


def _here(lock: str) -> dict[str, str]:
    """The pins that count on this machine."""
    from packaging.markers import Marker

    return {
        canonicalize_name(name): version
        for name, version, marker in _pins(lock)
        if not marker or Marker(marker).evaluate()
    }


def _needs(name: str, extras: frozenset[str]) -> list[Requirement]:
    """What an installed distribution needs, with these extras."""
    try:
        lines = distribution(name).requires or []
    except PackageNotFoundError:
        raise AssertionError(f"{name} is pinned and not installed: make setup") from None
    needed = []
    for line in lines:
        requirement = Requirement(line)
        marker = requirement.marker
        if marker is None or any(marker.evaluate({"extra": extra}) for extra in ("", *extras)):
            requirement.marker = None
            needed.append(requirement)
    return needed
