"""Configuration: defaults < YAML file < environment (``SPANLOOP_STORE__DSN``) < command line.

Unknown keys are errors: a typo must not silently be a default. Sizes are bytes and times seconds.
"""

import os
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from spanloop.processor.errors import ConfigError
from spanloop.service.config_section import Section
from spanloop.service.optimizer_config import Optimizer

MEBIBYTE = 1024 * 1024
Port = Annotated[int, Field(ge=0, le=65535)]


class Token(Section):
    """A bearer token and the project whose data it writes."""

    token: SecretStr = Field(min_length=1)
    project: str = Field(default="default", min_length=1)


class Tls(Section):
    """PEM files. With ``client_ca``, clients must present a certificate it signed (mTLS)."""

    certificate: Path
    key: Path
    client_ca: Path | None = None


class Grpc(Section):
    """OTLP/gRPC."""

    enabled: bool = True
    host: str = "127.0.0.1"
    port: Port = 4317
    max_concurrent_requests: int = Field(default=1024, ge=1)
    max_connection_age_s: float = Field(default=0.0, ge=0)
    max_connection_idle_s: float = Field(default=0.0, ge=0)
    keepalive_s: float = Field(default=60.0, ge=1)


class Http(Section):
    """OTLP/HTTP, health pages and ``/metrics``."""

    enabled: bool = True
    host: str = "127.0.0.1"
    port: Port = 4318
    cors_origins: tuple[str, ...] = ()
    idle_timeout_s: int = Field(default=75, ge=1)


class WriteAheadLog(Section):
    """The log between acknowledgement and database."""

    max_bytes: int = Field(default=8 * 1024 * MEBIBYTE, ge=MEBIBYTE)
    min_free_bytes: int = Field(default=256 * MEBIBYTE, ge=0)
    max_pending_bytes: int = Field(default=256 * MEBIBYTE, ge=MEBIBYTE)
    segment_max_bytes: int = Field(default=32 * MEBIBYTE, ge=1024, le=256 * MEBIBYTE)
    segment_max_rows: int = Field(default=50_000, ge=1, le=500_000)
    segment_max_age_s: float = Field(default=5.0, gt=0, le=300)
    retry_window_s: float = Field(default=900.0, ge=0)


class Receiver(Section):
    """OTLP in."""

    grpc: Grpc = Grpc()
    http: Http = Http()
    log: WriteAheadLog = WriteAheadLog()
    max_request_bytes: int = Field(default=64 * MEBIBYTE, ge=1024, le=256 * MEBIBYTE)
    tokens: tuple[Token, ...] = ()
    tls: Tls | None = None


class StoreSection(Section):
    """Where rows go: chDB in ``data_dir`` unless ``dsn`` names a ClickHouse server."""

    dsn: SecretStr | None = None
    database: str = Field(default="default", pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")
    # A DateTime ends in 2106: a retention that reaches behind it would wrap, and delete everything at once.
    ttl_days: int = Field(default=0, ge=0, le=18_250)
    cluster: str | None = None
    replicated: bool = False
    memory_bytes: int = Field(default=1_000 * MEBIBYTE, ge=256 * MEBIBYTE)
    threads: int = Field(default=2, ge=1)


LOOPBACK = ("127.0.0.1", "localhost", "::1")
ANYWHERE = ("0.0.0.0", "::", "[::]")
"""Hosts that mean every address of this machine: listened on, but none to connect to."""


class SqlEndpoint(Section):
    """ClickHouse's HTTP interface on the embedded store.

    ``databases`` may be read beside the store's own; ``write_databases`` also written, by trusted callers.
    """

    enabled: bool = True
    host: str = "127.0.0.1"
    port: Port = 8123
    tokens: tuple[Token, ...] = ()
    databases: tuple[str, ...] = ()
    write_databases: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _guarded_when_reachable(self) -> "SqlEndpoint":
        if self.enabled and self.host not in LOOPBACK and not self.tokens:
            raise ValueError(
                f"sql.host {self.host} is reachable by others: configure sql.tokens too"
            )
        return self


class JaegerStorage(Section):
    """The remote storage of a Jaeger v2, over gRPC (docs/jaeger.md)."""

    enabled: bool = False
    host: str = "127.0.0.1"
    port: Port = 17271
    tokens: tuple[Token, ...] = ()

    @model_validator(mode="after")
    def _guarded_when_reachable(self) -> "JaegerStorage":
        if self.enabled and self.host not in LOOPBACK and not self.tokens:
            raise ValueError(
                f"jaeger.host {self.host} is reachable by others: configure jaeger.tokens too"
            )
        return self


class Pricing(Section):
    """Prices of model calls; ``file`` overrides litellm's bundled table (see docs/tables.md)."""

    file: Path | None = None


class Judge(Section):
    """A language model that judges a sample of trajectories; off unless ``model`` is named."""

    model: str | None = None
    api_base: str | None = None
    api_key: SecretStr | None = None
    sample: int = Field(default=50, ge=1, le=100_000)
    max_tokens: int = Field(default=500_000, ge=1)
    max_usd: float | None = Field(default=None, gt=0)
    timeout_s: float = Field(default=60.0, gt=0)


class Analysis(Section):
    """How spans become trajectories, satisfaction and failure patterns."""

    idle_s: int = Field(default=1_800, ge=0)
    trajectories_a_chunk: int = Field(default=50_000, ge=100, le=1_000_000)
    seed: int = Field(default=1, ge=0)
    judge: Judge = Judge()


class SelfTelemetry(Section):
    """Where the server sends its own metrics over OTLP/gRPC; never to itself."""

    otlp_endpoint: str | None = None
    interval_s: float = Field(default=30.0, gt=0)


class ClientTls(Section):
    """PEM files of a connection that we open; ``certificate`` and ``key`` are our own (mTLS)."""

    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None

    @model_validator(mode="after")
    def _pair(self) -> "ClientTls":
        if (self.certificate is None) != (self.key is None):
            raise ValueError("name certificate and key together")
        return self


AnnotationKind = Literal[
    "satisfaction", "pattern", "assessment", "scenario", "experiment", "release", "cycle"
]


class Annotations(Section):
    """What is written back into traces, and where (docs/annotations.md); nothing without ``endpoint``."""

    endpoint: str | None = None
    protocol: Literal["grpc", "http"] = "grpc"
    headers: dict[str, SecretStr] = Field(default_factory=dict[str, SecretStr])
    tls: ClientTls = ClientTls()
    kinds: tuple[AnnotationKind, ...] = ("satisfaction", "pattern")
    agents: tuple[str, ...] = ()
    after_cycle: bool = False
    days: float = Field(default=7.0, gt=0, le=36_500)
    max_chars: int = Field(default=500, ge=20, le=2_000)
    log_events: bool = True
    timeout_s: float = Field(default=10.0, gt=0, le=600)

    @model_validator(mode="after")
    def _complete(self) -> "Annotations":
        if self.after_cycle and self.endpoint is None:
            raise ValueError("annotations.after_cycle needs annotations.endpoint")
        return self


class Settings(BaseSettings):
    """Everything that can be configured."""

    model_config = SettingsConfigDict(
        env_prefix="SPANLOOP_", env_nested_delimiter="__", extra="forbid", frozen=True
    )

    data_dir: Path = Path("spanloop-data")
    project: str = Field(default="default", min_length=1)
    receiver: Receiver = Receiver()
    store: StoreSection = StoreSection()
    sql: SqlEndpoint = SqlEndpoint()
    jaeger: JaegerStorage = JaegerStorage()
    prices: Pricing = Pricing()
    analysis: Analysis = Analysis()
    optimizer: Optimizer = Optimizer()
    telemetry: SelfTelemetry = SelfTelemetry()
    annotations: Annotations = Annotations()
    redact_before_storage: bool = False
    shutdown_timeout_s: float = Field(default=30.0, ge=0)

    @model_validator(mode="after")
    def _one_project_per_directory(self) -> "Settings":
        if self.store.dsn is None:
            others = {t.project for t in self.receiver.tokens} - {self.project}
            if others:
                raise ValueError(
                    "an embedded store keeps one project per data_dir (chDB has no row policies); tokens "
                    f"name {', '.join(sorted(others))} beside {self.project!r}: use store.dsn or one "
                    "server each"
                )
        if self.store.replicated and not self.store.cluster:
            raise ValueError("store.replicated needs store.cluster")
        if self.store.cluster and self.store.dsn is None:
            raise ValueError("store.cluster needs store.dsn: chDB has no clusters")
        return self


def load(path: Path | None, *, from_environment: bool = True, **overrides: Any) -> Settings:
    """Read configuration; ``overrides`` (from the command line, None = not given) win.

    Args:
        path: YAML; None = no file.
        from_environment: whether ``SPANLOOP_…`` variables count.
        overrides: sections, or settings of the top level.

    Raises:
        ConfigError: the file or a value is wrong; the message names it.
    """
    content = _read_yaml(path) if path else {}
    given = {name: value for name, value in overrides.items() if value is not None}

    class Layered(Settings):
        """Command line over environment over YAML."""

        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,
            file_secret_settings: PydanticBaseSettingsSource,
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            environment = (env_settings,) if from_environment else ()
            return init_settings, *environment, InitSettingsSource(settings_cls, content)

    try:
        return Layered(**given)
    except (ValidationError, SettingsError) as invalid:
        raise ConfigError(_explain(invalid, path)) from None


def _read_yaml(path: Path) -> dict[str, Any]:
    try:
        content: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as failure:
        raise ConfigError(f"cannot read configuration {path}: {failure.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"configuration {path} is not UTF-8") from None
    except yaml.YAMLError as failure:
        # Not the parser's own text, which quotes the line: it may hold a token.
        mark: yaml.Mark | None = getattr(failure, "problem_mark", None)
        where = f" at line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise ConfigError(f"configuration {path} is not YAML{where}") from None
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise ConfigError(f"configuration {path} must be a mapping of sections")
    return {str(name): section for name, section in _sections(content)}


def _sections(content: Any) -> list[tuple[Any, Any]]:
    return list(content.items())


def _explain(invalid: ValidationError | SettingsError, path: Path | None) -> str:
    environment = "the environment (SPANLOOP_…)"
    if isinstance(invalid, SettingsError):
        return f"configuration from {environment} is wrong: {invalid}"
    where = f"{path} and {environment}" if path else environment
    problems = "; ".join(
        f"{'.'.join(map(str, error['loc'])) or 'settings'}: {error['msg']}"
        for error in invalid.errors(include_input=False)
    )
    return f"configuration from {where} is wrong: {problems}"


def default_path() -> Path | None:
    """Return ``$SPANLOOP_CONFIG``, else ``spanloop.yaml`` of the working directory if there is one."""
    named = os.environ.get("SPANLOOP_CONFIG")
    if named:
        return Path(named)
    return Path("spanloop.yaml") if Path("spanloop.yaml").is_file() else None
