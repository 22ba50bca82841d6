"""``status``, ``migrate``, ``backup``, ``restore``, ``delete`` and ``dead-letters``."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from spanloop.exporter.lock import DirectoryLock, read_owner
from spanloop.exporter.migrate import migrate, pending
from spanloop.exporter.store import with_client
from spanloop.processor.errors import PermanentError
from spanloop.receiver.dead_letters import DeadLetters
from spanloop.service import erasing, operations
from spanloop.service.admin_calls import call
from spanloop.service.cli.options import (
    ConfigOption,
    DataDirOption,
    JsonOption,
    print_facts,
    print_json,
    print_rows,
    settings_of,
)
from spanloop.service.config import Settings
from spanloop.service.owning import admin_socket, need_store, owned_store
from spanloop.service.stores import make_renderer

dead_letters = typer.Typer(help="What the database could not take.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands to ``app``."""
    app.command("status")(status)
    app.command("migrate")(migrate_command)
    app.command("backup")(backup)
    app.command("restore")(restore)
    app.command("delete")(delete)
    app.add_typer(dead_letters, name="dead-letters")


def status(
    config: ConfigOption = None, data_dir: DataDirOption = None, as_json: JsonOption = False
) -> None:
    """Show the server, its log and its tables."""
    settings = settings_of(config, data_dir)
    owner = read_owner(settings.data_dir)
    socket = admin_socket(settings)
    if socket is not None:
        answer: dict[str, Any] = call(socket, "status")
    else:
        need_store(settings)
        renderer = make_renderer(settings)
        with owned_store(settings) as store:
            tables = with_client(store, lambda client: operations.table_status(client, renderer))
        answer = {"log": operations.log_status(settings.data_dir), "tables": tables}
    columns = ("table", "rows", "bytes_on_disk")
    if as_json:
        listed = [dict(zip(columns, row, strict=True)) for row in answer["tables"]]
        print_json({"server": owner or None, **answer["log"], "tables": listed})
        return
    running = {f"server {name}": value for name, value in owner.items()} or {
        "server": "not running"
    }
    print_facts({**running, **answer["log"]}, as_json=False)
    print_rows(columns, answer["tables"], as_json=False)


def migrate_command(
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
    dry_run: Annotated[bool, typer.Option(help="Only list what would be applied.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Bring the database to this version's schema."""
    settings = settings_of(config, data_dir)
    renderer = make_renderer(settings)
    with owned_store(settings) as store:
        applied = with_client(store, lambda c: (pending if dry_run else migrate)(c, renderer))
    print_rows(("statement",), [(path,) for path in applied], as_json=as_json)


def backup(
    destination: Annotated[Path, typer.Argument(help="A new directory.")],
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Copy log and tables to a new directory; the server may go on running."""
    settings = settings_of(config, data_dir)
    _need_embedded(settings, "backup")
    target = destination.absolute()
    socket = admin_socket(settings)
    if socket is not None:
        call(socket, "backup", destination=str(target))
    else:
        renderer = make_renderer(settings)
        with owned_store(settings) as store:
            with_client(store, lambda c: operations.backup(c, renderer, settings.data_dir, target))
    print_facts({"backup": str(target)}, as_json=as_json)


def restore(
    source: Annotated[Path, typer.Argument(help="A back-up.", exists=True)],
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Fill an empty data directory from a back-up."""
    settings = settings_of(config, data_dir)
    _need_embedded(settings, "restore")
    renderer = make_renderer(settings)
    with owned_store(settings) as store:
        with_client(
            store,
            lambda c: operations.restore(c, renderer, source.absolute(), settings.data_dir),
        )
    print_facts({"restored": str(settings.data_dir)}, as_json=as_json)


def delete(
    user: Annotated[str | None, typer.Option(help="Erase all traces of this user id.")] = None,
    conversation: Annotated[str | None, typer.Option(help="Erase this conversation.")] = None,
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Erase a user's or a conversation's traces and logs, and all that was made of them."""
    settings = settings_of(config, data_dir)
    subject = erasing.Subject(user=user, conversation=conversation)
    socket = admin_socket(settings)
    if socket is not None:
        erased: dict[str, int] = call(socket, "delete", user=user, conversation=conversation)
    else:
        need_store(settings)
        held = operations.log_status(settings.data_dir)["log_segments"]
        if held:
            raise PermanentError(
                f"the log holds {held} segments not stored yet, perhaps with their data: "
                "start the server first"
            )
        renderer = make_renderer(settings)
        with owned_store(settings) as store:
            erasing.forget_replies(settings.data_dir)
            erased = with_client(store, lambda c: erasing.delete(c, renderer, subject))
    print_rows(("table", "rows_erased"), list(erased.items()), as_json=as_json)


def _need_embedded(settings: Settings, action: str) -> None:
    if settings.store.dsn is not None:
        raise PermanentError(
            f"`spanloop {action}` is for the embedded store; use the server's own BACKUP and RESTORE "
            "(docs/operations.md)"
        )


def _letters(settings: Settings) -> DeadLetters:
    return DeadLetters(settings.data_dir / "dead-letters")


@dead_letters.command("list")
def list_letters(
    config: ConfigOption = None, data_dir: DataDirOption = None, as_json: JsonOption = False
) -> None:
    """List the dead letters."""
    rows = [
        (
            letter.id,
            letter.signal,
            datetime.fromtimestamp(letter.time_ns / 1e9, UTC).isoformat(timespec="seconds"),
            letter.rows,
            letter.n_bytes,
            letter.reason,
        )
        for letter in _letters(settings_of(config, data_dir))
    ]
    print_rows(("id", "signal", "time", "rows", "bytes", "reason"), rows, as_json=as_json)


@dead_letters.command("show")
def show_letter(
    letter_id: str,
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show one dead letter: why, and what records it holds (never their content)."""
    letter, records = _letters(settings_of(config, data_dir)).records(letter_id)
    print_facts(
        {
            "id": letter.id,
            "signal": letter.signal,
            "reason": letter.reason,
            "rows": letter.rows,
            "bytes": letter.n_bytes,
            "records": len(records),
            "received": [r.envelope.received_ns for r in records],
            "file": str(
                settings_of(config, data_dir).data_dir / "dead-letters" / f"{letter.id}.bin"
            ),
        },
        as_json=as_json,
    )


@dead_letters.command("requeue")
def requeue_letter(
    letter_id: str,
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Send a dead letter's records through the log again."""
    settings = settings_of(config, data_dir)
    socket = admin_socket(settings)
    if socket is not None:
        print_facts(call(socket, "requeue", id=letter_id), as_json=as_json)
        return
    lock = DirectoryLock(settings.data_dir)
    try:
        done = operations.requeue(settings.data_dir, _letters(settings), letter_id)
    finally:
        lock.close()
    print_facts(done, as_json=as_json)
