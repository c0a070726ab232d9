"""What stands under deploy/ is what this program understands: checked by the real tools where they are, else read."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from api.cli.main import COMMANDS, command_tree
from api.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
DEPLOY = ROOT / "deploy"
UNITS = ("expert-pool.service", "expert-pool-worker@.service")
ELSEWHERE = {"KEY", "KEY_FILE", "DATABASE_PASSWORD_FILE", "LANG", "NOTICE_RULES", "RETENTION"}
"""Variables of ours that are no setting of the service: the key's, the entry point's, the command line's, those of rooms
that read a file of their own."""


def known(names: set[str]) -> bool:
    """Whether every EXPERT_POOL_ variable among the names is one that something reads."""
    ours = {name.removeprefix("EXPERT_POOL_") for name in names if name.startswith("EXPERT_POOL_")}
    return ours <= {field.upper() for field in Settings.model_fields} | ELSEWHERE


def instructions() -> list[tuple[str, str]]:
    """The Containerfile's instructions in order, continued lines joined."""
    text = (DEPLOY / "Containerfile").read_text(encoding="utf-8")
    text = re.sub(r"^#.*\n", "", text, flags=re.M).replace("\\\n", " ")
    found = []
    for line in filter(None, map(str.strip, text.splitlines())):
        word, _, rest = line.partition(" ")
        found.append((word, " ".join(rest.split())))
    return found


def unit(name: str) -> dict[str, list[str]]:
    """Every key of a unit with its values."""
    keys: dict[str, list[str]] = {}
    for line in (DEPLOY / name).read_text(encoding="utf-8").splitlines():
        if "=" in line and not line.startswith("#"):
            key, _, value = line.partition("=")
            keys.setdefault(key, []).append(value)
    return keys


def test_the_image_is_built_in_stages_and_runs_as_nobody_special() -> None:
    found = instructions()
    words = [word for word, _ in found]
    assert words.count("FROM") == 2
    last = found[len(words) - 1 - words[::-1].index("FROM") :]
    by_word = dict(last)
    assert by_word["USER"] == "10001:10001"
    assert [word for word, _ in last].index("USER") < [word for word, _ in last].index("ENTRYPOINT")
    assert "/readyz" in by_word["HEALTHCHECK"]
    assert by_word["STOPSIGNAL"] == "SIGTERM"
    assert by_word["CMD"] == '["serve"]'
    assert not any(rest.startswith(("--from=build /usr", "--from=build / ")) for _, rest in last)
    variables = {pair.partition("=")[0] for word, rest in found if word == "ENV" for pair in rest.split()}
    assert known(variables)
    assert not any(re.search("PASSWORD|SECRET|TOKEN|KEY", name) for name in variables)


def test_the_image_takes_only_what_is_there_and_pins_what_it_installs() -> None:
    for word, rest in instructions():
        if word == "COPY" and "--from" not in rest:
            *sources, _ = [part for part in rest.split() if not part.startswith("--")]
            assert all((ROOT / source).exists() for source in sources), rest
    ignored = (DEPLOY / "Containerfile.dockerignore").read_text().splitlines()
    assert ignored[0] == "**"
    assert all((ROOT / line[1:]).exists() for line in ignored if line.startswith("!"))
    installs = [rest for word, rest in instructions() if word == "RUN" and "pip install" in rest]
    assert installs
    assert all("--require-hashes" in rest and "--no-deps" in rest for rest in installs)


def test_the_cluster_has_a_database_an_api_and_two_workers() -> None:
    services = compose()["services"]
    assert set(services) == {"database", "api", "worker"}
    assert services["api"]["command"] == ["serve", "--workers", "0"]
    assert services["worker"]["command"] == ["worker"]
    assert services["worker"]["deploy"]["replicas"] == 2
    for name in ("api", "worker"):
        service = services[name]
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert service["command"][0] in COMMANDS
        assert known(set(service["environment"]))
        assert service["depends_on"]["database"]["condition"] == "service_healthy"
    assert "ports" not in services["database"]
    assert all(port.startswith("127.0.0.1:") for port in services["api"]["ports"])
    assert services["database"]["networks"] == ["inside"]
    assert compose()["networks"]["inside"]["internal"] is True


def test_secrets_are_files_and_stand_nowhere_else() -> None:
    document = compose()
    assert all(set(secret) == {"file"} for secret in document["secrets"].values())
    for service in document["services"].values():
        for name, value in service["environment"].items():
            if re.search("PASSWORD|KEY|TOKEN", name):
                assert name.endswith("_FILE")
                assert str(value).startswith("/run/secrets/")
            assert "@" not in str(value) or re.search(r"//\w+@", str(value))  # a user, no password
    assert "deploy/secrets/" in (ROOT / ".gitignore").read_text() or not (DEPLOY / "secrets").exists()


def test_the_entry_point_hands_the_password_to_the_driver(tmp_path: Path) -> None:
    told = tmp_path / "expert-pool"
    told.write_text('#!/bin/sh\nprintf "%s|%s" "${PGPASSWORD:-none}" "$*"\n')
    told.chmod(0o755)
    (tmp_path / "password").write_text("p w$d\n")
    path = {"PATH": f"{tmp_path}:/usr/bin:/bin"}
    for extra, said in (
        ({"EXPERT_POOL_DATABASE_PASSWORD_FILE": str(tmp_path / "password")}, "p w$d|serve --workers 0"),
        ({}, "none|serve --workers 0"),
    ):
        ran = subprocess.run(
            ["sh", str(DEPLOY / "entrypoint.sh"), "serve", "--workers", "0"],
            env=path | extra,
            capture_output=True,
            text=True,
            check=True,
        )
        assert ran.stdout == said
    missing = {"EXPERT_POOL_DATABASE_PASSWORD_FILE": str(tmp_path / "none")}
    ran = subprocess.run(
        ["sh", str(DEPLOY / "entrypoint.sh")], env=path | missing, capture_output=True, check=False
    )
    assert ran.returncode != 0


@pytest.mark.parametrize("name", UNITS)
def test_units_start_commands_of_ours_with_little_power(name: str) -> None:
    found = unit(name)
    (start,) = found["ExecStart"]
    assert start.split()[0] == "/opt/expert-pool/venv/bin/expert-pool"
    assert start.split()[1] in COMMANDS
    assert found["User"] == ["expert-pool"]
    for key in ("NoNewPrivileges", "PrivateTmp", "PrivateDevices", "ProtectHome", "ProtectKernelModules"):
        assert found[key] == ["yes"]
    assert found["ProtectSystem"] == ["strict"]
    assert found["CapabilityBoundingSet"] == [""]
    assert found["KillMode"] == ["mixed"]
    assert int(found["TimeoutStopSec"][0]) > Settings.model_fields["grace_seconds"].default + 5
    assert found["UMask"] == ["0077"]


def test_the_example_environment_names_settings_that_exist() -> None:
    text = (DEPLOY / "service.env.example").read_text()
    assert known(set(re.findall(r"^#?(\w+)=", text, flags=re.M)))


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not here")
def test_systemd_finds_nothing_wrong_with_the_units(tmp_path: Path) -> None:
    for name in UNITS:
        text = (DEPLOY / name).read_text()
        (tmp_path / name).write_text(re.sub("(?m)^ExecStart=.*", "ExecStart=/bin/true", text))
    places = [str(tmp_path / name) for name in UNITS]
    ran = subprocess.run(["systemd-analyze", "verify", *places], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr.strip()) == (0, "")
    for place in places:
        if "@" in place:  # the tool looks at instances only
            place = shutil.copy(place, tmp_path / "expert-pool-worker.service")
        judged = subprocess.run(
            ["systemd-analyze", "security", "--offline=true", "--threshold=20", str(place)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert judged.returncode == 0, judged.stdout[-300:]


@pytest.mark.skipif(shutil.which("nginx") is None, reason="nginx is not here")
def test_nginx_reads_the_example(tmp_path: Path) -> None:
    text = (DEPLOY / "nginx.conf.example").read_text()
    text = re.sub(r"(?m)^\s*(ssl_certificate|ssl_certificate_key) .*$", "", text).replace(" ssl http2", "")
    (tmp_path / "nginx.conf").write_text(f"events {{}}\nhttp {{\n{text}\n}}\n")
    ran = subprocess.run(
        ["nginx", "-t", "-c", str(tmp_path / "nginx.conf"), "-p", str(tmp_path)],
        capture_output=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr


def test_the_proxy_example_is_whole_and_hides_what_is_for_the_machine() -> None:
    text = re.sub(r"#.*", "", (DEPLOY / "nginx.conf.example").read_text())
    assert text.count("{") == text.count("}")
    statements = [part.strip() for part in re.split(r"[;{}]", text)]
    assert all("\n" not in part for part in statements)  # every statement ends
    assert "location = /metrics" in text
    assert "access_log off" in text
    assert "proxy_buffering off" in text
    assert text.count("X-Forwarded-For $remote_addr") == text.count("proxy_pass ")


def test_the_system_user_is_the_one_of_the_units() -> None:
    (line,) = [
        line
        for line in (DEPLOY / "expert-pool.sysusers.conf").read_text().splitlines()
        if line[:1] not in ("#", "")
    ]
    assert line.split()[:2] == ["u", "expert-pool"]


def test_every_setting_is_in_the_handbook() -> None:
    text = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    missing = [name for name in Settings.model_fields if f"`EXPERT_POOL_{name.upper()}`" not in text]
    assert not missing
    named = set(re.findall(r"EXPERT_POOL_[A-Z_]*[A-Z]", text))
    assert known(named)


def named_commands(text: str) -> list[list[str]]:
    """What a text says to run: the words after `expert-pool` or the entry point, up to the end of the line or code."""
    said = re.findall(r"(?:^|bin/|[ `])expert-pool(?:-entrypoint)? +([a-z][^\n`#|&]*)", text, flags=re.M)
    return [re.sub(r"\[|\]|\.$", " ", line).split() for line in said]


@pytest.mark.parametrize(
    "place", [*sorted(DEPLOY.glob("*")), ROOT / "docs" / "operations.md"], ids=lambda p: p.name
)
def test_every_command_named_exists_with_its_options(place: Path) -> None:
    root = command_tree("en")
    shared = {"--json", "--lang", "--database", "--actor"}
    for words in named_commands(place.read_text(encoding="utf-8")):
        if words[0] not in COMMANDS:
            assert not re.match(r"[a-z]+$", words[0]), words  # a name in a unit or a sentence
            continue
        command = root.get_command(click.Context(root), words.pop(0))
        if hasattr(command, "commands") and words and words[0] in command.commands:
            command = command.commands[words.pop(0)]
        else:
            assert not hasattr(command, "commands"), words
        options = {option for parameter in command.params for option in parameter.opts} | shared
        asked = {word.partition("=")[0] for word in words if word.startswith("--")}
        assert asked <= options, (command.name, asked - options)


def test_the_commands_of_images_and_units_are_looked_at() -> None:
    found = {
        name: named_commands((DEPLOY / name).read_text(encoding="utf-8")) for name in (*UNITS, "README.md")
    }
    assert [words for name in UNITS for words in found[name]] == [["serve"], ["worker"]]
    assert ["backup", "/var/lib/expert-pool/city.backup"] in found["README.md"]


def compose() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
    return document
