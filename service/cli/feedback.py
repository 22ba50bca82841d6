"""``spanloop feedback``."""

from typing import Annotated

import typer

from spanloop.service.assessing import feedback_from, give_feedback
from spanloop.service.cli.options import (
    ConfigOption,
    DataDirOption,
    JsonOption,
    print_facts,
    settings_of,
)


def register(app: typer.Typer) -> None:
    """Add the command to ``app``."""
    app.command("feedback")(feedback)


def feedback(
    target: Annotated[
        str, typer.Argument(help="A trace id (32 hex characters) or a conversation id.")
    ],
    label: Annotated[str | None, typer.Option(help="thumbs_up, thumbs_down, 👍 …")] = None,
    score: Annotated[float | None, typer.Option(help="A number; its scale is its name's.")] = None,
    comment: Annotated[str | None, typer.Option(help="What they said.")] = None,
    user: Annotated[
        str | None, typer.Option(help="Who said it; their next word replaces it.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="What is judged; default user_feedback.")] = None,
    as_id: Annotated[
        str | None, typer.Option("--id", help="Your id of it, to change or retract it by.")
    ] = None,
    retract: Annotated[bool, typer.Option("--retract", help="Withdraw what was said.")] = False,
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Record what a user said of a trace or conversation (`POST /v1/feedback` does the same)."""
    said = {"label": label, "score": score, "comment": comment, "user": user, "name": name}
    item = feedback_from(target, {**said, "id": as_id, "retract": retract})
    (assessment_id,) = give_feedback(settings_of(config, data_dir), [item])
    print_facts({"assessment": assessment_id}, as_json=as_json)
