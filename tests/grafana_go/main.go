// Command grafana_go reads dashboards with Grafana Labs' own types and names everything that these
// do not know or lack: of the dashboard, its variables, its panels, and the options and field
// configuration of each panel type.
//
//	grafana_go spanloop-ingest.json …
//
// Prints one line a fault, exits 1 if there is any.
package main

import (
	"fmt"
	"os"

	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/cog/variants"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/stat"
	"github.com/grafana/grafana-foundation-sdk/go/table"
	"github.com/grafana/grafana-foundation-sdk/go/timeseries"
	"github.com/grafana/grafana-foundation-sdk/go/trend"
)

// checked are the panel types whose options and field configuration are read strictly. The SDK has
// no types for the trace panel, which has no options.
var checked = []func() variants.PanelcfgConfig{
	stat.VariantConfig, table.VariantConfig, timeseries.VariantConfig, trend.VariantConfig,
}

func main() {
	for _, config := range checked {
		cog.NewRuntime().RegisterPanelcfgVariant(config())
	}
	status := 0
	for _, path := range os.Args[1:] {
		if fault := faults(path); fault != "" {
			fmt.Printf("%s: %s\n", path, fault)
			status = 1
		}
	}
	os.Exit(status)
}

func faults(path string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	var read dashboard.Dashboard
	// Both answer an error without text, not nil, where they find nothing.
	if err := read.UnmarshalJSONStrict(text); err != nil && err.Error() != "" {
		return err.Error()
	}
	if err := read.Validate(); err != nil {
		return err.Error()
	}
	return ""
}
