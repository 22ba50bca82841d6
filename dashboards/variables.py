"""Variables and links that several dashboards have in common."""

from spanloop.dashboards.panels import Column, Link, Variable

DATA_SOURCE = Variable(name="datasource", label="Data source", kind="datasource")
PROJECT = Variable(name="project", label="Project", kind="query", sql="projects")
SENDING_PROJECT = Variable(name="project", label="Project", kind="query", sql="sending_projects")
AGENT = Variable(name="agent", label="Agent", kind="query", sql="agents", multi=True, all=True)
RELEASE = Variable(
    name="release", label="Release", kind="query", sql="releases", multi=True, all=True
)
JAEGER = Variable(
    name="jaeger", label="Jaeger address", kind="textbox", default="http://localhost:16686"
)

KEPT = "${datasource:queryparam}&${jaeger:queryparam}&${__url_time_range}"
"""What a link to another dashboard takes along."""

TRACE = Column(
    width=140,
    links=(
        Link(
            title="Read this trace",
            url=f"/d/spanloop-trace?var-trace=${{__value.raw}}&{KEPT}",
        ),
        Link(title="Open it in Jaeger", url="${jaeger}/trace/${__value.raw}", new_tab=True),
    ),
)
"""A trace id, which leads to the trace."""

SHARE = Column(unit="percentunit", decimals=1)
SHARE_BAR = Column(unit="percentunit", decimals=1, bar=True, width=120)
MONEY = Column(unit="currencyUSD", decimals=4)
POINTS = Column(unit="percentunit", decimals=1)
SECONDS = Column(unit="s", decimals=1)
COUNT = Column(unit="short", decimals=0)
