"""Build a stock Jaeger into a cache outside the tree, once.

    python -m tests.jaeger.build        # from the repository's root; a second run only prints the path

v1.76.0 is the last version that the Go module proxy has: the commit is also tagged v2.13.0, and what is
built is v2's ``cmd/jaeger``, from its own locked modules and without a change. The module has no UI
assets; Jaeger then serves a placeholder page, and its API in full. Needs Go and a module proxy.
"""

import json
import sys
import tempfile
from pathlib import Path

from tests.collector.build import BuildError, check_go, run, tools_root

MODULE = "github.com/jaegertracing/jaeger"
VERSION = "v1.76.0"
FLAGS = ("-p", "2", "-trimpath", "-ldflags=-s -w")


def jaeger_path() -> Path:
    """Return where the program is, or would be after `build`."""
    return tools_root() / f"jaeger-{VERSION}" / "jaeger"


def build() -> Path:
    """Build Jaeger unless it is there; a half-finished build leaves nothing behind."""
    path = jaeger_path()
    if path.is_file():
        return path
    check_go()
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix="building-") as scratch:
        fresh = Path(scratch) / "jaeger"
        module = json.loads(
            run(Path(scratch), "go", "mod", "download", "-json", f"{MODULE}@{VERSION}")
        )
        # Inside the module, whose replace directive keeps `go install` from building it by name.
        source = Path(module["Dir"])
        run(source, "go", "build", "-mod=readonly", *FLAGS, "-o", str(fresh), "./cmd/jaeger")
        fresh.rename(path)
    return path


def main() -> int:
    """Build, and print the path."""
    try:
        built = build()
    except BuildError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"jaeger={built}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
