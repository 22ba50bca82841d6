// Command compose_go loads a compose file as `docker compose config` would (compose-go: the schema of
// the compose specification, interpolation, consistency) and prints the project as JSON.
//
//	compose_go ../../docker-compose.yaml
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	"github.com/compose-spec/compose-go/v2/cli"
)

func main() {
	options, err := cli.NewProjectOptions(os.Args[1:], cli.WithOsEnv, cli.WithInterpolation(true))
	must(err)
	project, err := options.LoadProject(context.Background())
	must(err)
	must(json.NewEncoder(os.Stdout).Encode(project))
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
