// Command clickhouse_go runs queries through clickhouse-go v2 over HTTP, the client inside
// Grafana's ClickHouse plugin and the Collector's clickhouseexporter, and prints JSON.
//
//	clickhouse_go -addr localhost:8123 -compress lz4 -query 'SELECT 1'
//	clickhouse_go -addr localhost:8123 -queries panels.json        # {"name": "SELECT …", …}
//	clickhouse_go -addr localhost:8123 -insert otel.spans -rows 1000
//
// Every query gives one line: {"name", "columns", "types", "rows"} or {"name", "error"}.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"reflect"
	"sort"
	"time"

	clickhouse "github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

type params map[string]string

func (p params) String() string { return fmt.Sprint(map[string]string(p)) }

func (p params) Set(text string) error {
	for i, char := range text {
		if char == '=' {
			p[text[:i]] = text[i+1:]
			return nil
		}
	}
	return fmt.Errorf("-param needs name=value, got %q", text)
}

type result struct {
	Name    string   `json:"name"`
	Columns []string `json:"columns,omitempty"`
	Types   []string `json:"types,omitempty"`
	Rows    [][]any  `json:"rows,omitempty"`
	Error   string   `json:"error,omitempty"`
}

func main() {
	given := params{}
	addr := flag.String("addr", "localhost:8123", "host:port of the HTTP interface")
	user := flag.String("user", "default", "user name")
	token := flag.String("token", "", "token, sent as password")
	database := flag.String("database", "default", "database")
	compress := flag.String("compress", "none", "none, lz4 or zstd: block compression")
	query := flag.String("query", "", "one query")
	queries := flag.String("queries", "", "JSON file: an object of named queries")
	table := flag.String("insert", "", "table that -rows sample rows are inserted into")
	rows := flag.Int("rows", 3, "sample rows for -insert")
	flag.Var(given, "param", "query parameter name=value, may be repeated")
	flag.Parse()

	methods := map[string]clickhouse.CompressionMethod{
		"none": clickhouse.CompressionNone,
		"lz4":  clickhouse.CompressionLZ4,
		"zstd": clickhouse.CompressionZSTD,
	}
	conn, err := clickhouse.Open(&clickhouse.Options{
		Addr:        []string{*addr},
		Protocol:    clickhouse.HTTP,
		Auth:        clickhouse.Auth{Database: *database, Username: *user, Password: *token},
		Compression: &clickhouse.Compression{Method: methods[*compress]},
		DialTimeout: 10 * time.Second,
	})
	must(err)
	ctx := context.Background()
	if len(given) > 0 {
		ctx = clickhouse.Context(ctx, clickhouse.WithParameters(clickhouse.Parameters(given)))
	}
	must(conn.Ping(ctx))
	if *table != "" {
		must(insert(ctx, conn, *table, *rows))
	}
	out := json.NewEncoder(os.Stdout)
	for _, named := range load(*query, *queries) {
		must(out.Encode(run(ctx, conn, named[0], named[1])))
	}
}

func load(query, path string) [][2]string {
	var named [][2]string
	if query != "" {
		named = append(named, [2]string{"query", query})
	}
	if path != "" {
		text, err := os.ReadFile(path)
		must(err)
		byName := map[string]string{}
		must(json.Unmarshal(text, &byName))
		for name, sql := range byName {
			named = append(named, [2]string{name, sql})
		}
		sort.Slice(named, func(i, j int) bool { return named[i][0] < named[j][0] })
	}
	return named
}

func run(ctx context.Context, conn driver.Conn, name, sql string) result {
	rows, err := conn.Query(ctx, sql)
	if err != nil {
		return result{Name: name, Error: err.Error()}
	}
	defer rows.Close()
	found := result{Name: name, Columns: rows.Columns()}
	for _, column := range rows.ColumnTypes() {
		found.Types = append(found.Types, column.DatabaseTypeName())
	}
	for rows.Next() {
		targets := make([]any, len(found.Columns))
		for i, column := range rows.ColumnTypes() {
			targets[i] = reflect.New(column.ScanType()).Interface()
		}
		if err := rows.Scan(targets...); err != nil {
			return result{Name: name, Error: err.Error()}
		}
		values := make([]any, len(targets))
		for i, target := range targets {
			values[i] = reflect.ValueOf(target).Elem().Interface()
		}
		found.Rows = append(found.Rows, values)
	}
	if err := rows.Err(); err != nil {
		return result{Name: name, Error: err.Error()}
	}
	return found
}

// insert fills the columns of tests/integration/test_sql_endpoint_go.py: types of otel_traces.
func insert(ctx context.Context, conn driver.Conn, table string, n int) error {
	batch, err := conn.PrepareBatch(ctx, "INSERT INTO "+table+
		" (Timestamp, SpanName, Attributes, `Events.Name`, `Events.Timestamp`, Score)")
	if err != nil {
		return err
	}
	start := time.Unix(1_700_000_000, 123_456_789).UTC()
	for i := 0; i < n; i++ {
		score := float64(i) / 2
		var maybe *float64
		if i%2 == 0 {
			maybe = &score
		}
		err := batch.Append(
			start.Add(time.Duration(i)*time.Second),
			fmt.Sprintf("span %d", i),
			map[string]string{"i": fmt.Sprint(i), "quote": "it's"},
			[]string{"first", "second"},
			[]time.Time{start, start.Add(time.Millisecond)},
			maybe,
		)
		if err != nil {
			return err
		}
	}
	return batch.Send()
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
