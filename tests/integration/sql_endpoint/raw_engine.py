"""chDB without any guard, in a process of its own: what would each statement have done?

Reads one JSON object a line, ``{"sql", "format", "params", "readonly"}``, and answers with
``{"ok", "text"}``. Started with the data directory and the statements of the set-up.
"""

import importlib
import json
import os
import sys
from typing import Any, cast

import chdb

# A table that only this process holds; chDB finds it by the name of the variable.
exposed = importlib.import_module("pyarrow").table({"a": ["in this process"]})


def main() -> None:
    # A statement may write to the process's standard output (INTO OUTFILE … AND STDOUT).
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    path, setup = sys.argv[1], json.loads(sys.argv[2])
    connect = cast("Any", chdb).connect
    keeper = connect(path)
    for statement in setup:
        keeper.query(statement)
    for line in sys.stdin:
        request = json.loads(line)
        handle = connect(path)
        try:
            if request.get("readonly"):
                handle.query("SET readonly = 1")
            params = request.get("params", {})
            answer = handle.query(request["sql"], request.get("format", "TSV"), params=params)
            outcome = {"ok": True, "text": answer.bytes().decode(errors="replace")}
        except RuntimeError as error:
            outcome = {"ok": False, "text": str(error)}
        finally:
            handle.close()
        answers.write(json.dumps(outcome) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
