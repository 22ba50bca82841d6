"""Releases by command, and for the configuration API: wherever the store is owned."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import yaml
from clickhouse_connect.driver.client import Client
from pydantic import ValidationError

from spanloop.exporter.migrate import migrate
from spanloop.exporter.render import Renderer
from spanloop.exporter.store import Store, with_client
from spanloop.optimizer import releases as stage
from spanloop.optimizer.configuration import AgentConfiguration
from spanloop.optimizer.context import Context, time_of, unix_ms
from spanloop.optimizer.releases import By, Release
from spanloop.optimizer.releases.lifecycle import find
from spanloop.optimizer.releases.stored import change_mark
from spanloop.processor.errors import PermanentError
from spanloop.service.admin_calls import call
from spanloop.service.config import Settings
from spanloop.service.owning import admin_socket, need_store, owned_store
from spanloop.service.stores import make_renderer

Arguments = Mapping[str, Any]


class StoreReleases:
    """Where the configuration API reads; a client of its own for each read."""

    def __init__(self, store: Store, renderer: Renderer) -> None:
        self._store = store
        self._renderer = renderer

    def mark(self) -> object:
        """Return what differs once any release has changed."""
        return with_client(self._store, lambda client: change_mark(self._context(client)))

    def served(self) -> Sequence[Release]:
        """Return every current release and canary."""
        return with_client(self._store, lambda client: stage.load_served(self._context(client)))

    def tested(self, project: str, agent: str, hash_: str) -> AgentConfiguration | None:
        """Return a configuration that is released or under test."""
        return with_client(
            self._store,
            lambda client: stage.configuration_by_hash(
                self._context(client), agent, hash_, project=project
            ),
        )

    def _context(self, client: Client) -> Context:
        return _context(client, self._renderer)


def _list(context: Context, arguments: Arguments) -> object:
    return [_summary(r) for r in stage.load_releases(context, agent=arguments.get("agent", ""))]


def _show(context: Context, arguments: Arguments) -> object:
    release = find(stage.load_releases(context, release=arguments["release"]), arguments["release"])
    return {
        **_summary(release),
        **{f"live_{name}": value for name, value in asdict(release.live).items()},
        "configuration": release.configuration.model_dump(mode="json"),
        "events": stage.load_events(context, release=release.release_id),
    }


def _register(context: Context, arguments: Arguments) -> object:
    by = By(
        actor=arguments["actor"], at=time_of(context.now_ms), reason=arguments.get("reason", "")
    )
    configuration = AgentConfiguration.model_validate(arguments["configuration"])
    return _summary(
        stage.register(
            context,
            arguments["agent"],
            configuration,
            by=by,
            project=arguments["project"],
            share=arguments.get("share", 1.0),
        )
    )


def _approve(context: Context, arguments: Arguments) -> object:
    return _summary(stage.approve(context, *_who(arguments), share=arguments["share"]))


def _refuse(context: Context, arguments: Arguments) -> object:
    return _summary(stage.refuse(context, *_who(arguments)))


def _roll_back(context: Context, arguments: Arguments) -> object:
    return _summary(stage.roll_back(context, *_who(arguments)))


def _check(context: Context, arguments: Arguments) -> object:
    settings = stage.LiveSettings(**arguments["live"])
    agents = {(r.project, r.agent) for r in stage.load_served(context)}
    wanted = arguments.get("agent", "")
    return [
        asdict(stage.check_live(context, agent, settings, project=project))
        for project, agent in sorted(agents)
        if wanted in ("", agent)
    ]


RELEASE_ACTIONS: Mapping[str, Callable[[Context, Arguments], object]] = {
    "list": _list,
    "show": _show,
    "register": _register,
    "approve": _approve,
    "refuse": _refuse,
    "roll_back": _roll_back,
    "check": _check,
}
"""What `releases` can be asked to do; arguments and answers are JSON types."""


def releases_in_store(client: Client, renderer: Renderer, arguments: Arguments) -> object:
    """Do what ``arguments`` ask (``does``) on a store that this process owns."""
    action = RELEASE_ACTIONS[arguments["does"]]
    return action(_context(client, renderer), arguments.get("arguments", {}))


def releases(settings: Settings, action: str, **arguments: object) -> Any:
    """Do ``action`` wherever the store is owned.

    Raises:
        PermanentError: there is no store, its owner refuses, or the release is in no state for it.
    """
    asked = {"does": action, "arguments": arguments}
    socket = admin_socket(settings)
    if socket is not None:
        return call(socket, "releases", **asked)
    need_store(settings)
    renderer = make_renderer(settings)

    def work(client: Client) -> object:
        migrate(client, renderer)
        return releases_in_store(client, renderer, asked)

    with owned_store(settings) as store:
        return with_client(store, work)


def live_settings(settings: Settings) -> dict[str, Any]:
    """Return what is configured of `LiveSettings`, as JSON types."""
    section = settings.optimizer.releases
    return {
        "mode": section.mode,
        "canary_share": section.canary_share,
        "unit": section.unit,
        "margin": section.margin,
    }


def read_configuration(path: Path) -> AgentConfiguration:
    """Read a configuration from a YAML or JSON file.

    Raises:
        PermanentError: it cannot be read, or is none; the message names what is wrong.
    """
    try:
        content: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
        return AgentConfiguration.model_validate(content)
    except OSError as failure:
        raise PermanentError(f"cannot read {path}: {failure.strerror}") from None
    except (UnicodeDecodeError, yaml.YAMLError):
        raise PermanentError(f"{path} is neither YAML nor JSON in UTF-8") from None
    except ValidationError as invalid:
        problems = "; ".join(
            f"{'.'.join(map(str, error['loc'])) or 'configuration'}: {error['msg']}"
            for error in invalid.errors(include_input=False)
        )
        raise PermanentError(f"{path} is no configuration: {problems}") from None


def _who(arguments: Arguments) -> tuple[str, str, str]:
    return arguments["release"], arguments["actor"], arguments.get("reason", "")


def _summary(r: Release) -> dict[str, Any]:
    return {
        "release": r.release_id,
        "agent": r.agent,
        "number": r.number,
        "state": r.state,
        "share": r.share,
        "effect": r.effect,
        "live_effect": r.live.effect,
        "candidate": r.candidate_id,
        "experiment": r.experiment_id,
        "previous": r.previous,
        "hash": r.configuration.hash,
        "version": r.configuration.version,
        "created_at": r.created_at.isoformat(),
        "activated_at": r.activated_at.isoformat() if r.activated_at else None,
    }


def _context(client: Client, renderer: Renderer) -> Context:
    return Context(client=client, renderer=renderer, now_ms=unix_ms())
