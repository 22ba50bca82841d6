"""OpenLIT (section 2.4; openlit 1.45.0 ``semcov/__init__.py``): OTel names and a few of its own."""

from spanloop.processor.rules import Dialect, only

OPENLIT = Dialect(
    name="openlit",
    scopes=("openlit.otel.tracing",),
    scope_prefixes=("openlit.instrumentation.",),
    markers=("openlit.agent",),
    columns={
        "ReportedCost": ("gen_ai.usage.cost",),
        "ToolArguments": (only("tool", "gen_ai.tool.args"), only("tool", "gen_ai.tool.input")),
        "ToolResult": (only("tool", "gen_ai.tool.output"),),
        "Input": ("gen_ai.workflow.input",),
        "Output": ("gen_ai.workflow.output",),
    },
    # It reports 0 where it knows no price; a price nobody knows is not free.
    absent={"gen_ai.usage.cost": ("0", "0.0")},
)
