// Reads SQL statements, one JSON string a line, and answers each with a line of JSON: {"ok":true}, or {"ok":false,"error":"…"}.
// What it says is what CockroachDB's own parser says; whether names and types fit is not its business.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"

	"github.com/cockroachdb/cockroachdb-parser/pkg/sql/parser"
)

// A statement is at most so long: what the suites send is far below.
const lineBytesMax = 16 * 1024 * 1024

type verdict struct {
	Ok    bool   `json:"ok"`
	Error string `json:"error,omitempty"`
}

func check(statement string) verdict {
	parsed, err := parser.Parse(statement)
	if err != nil {
		return verdict{Error: err.Error()}
	}
	if len(parsed) == 0 {
		return verdict{Error: "there is no statement in it"}
	}
	return verdict{Ok: true}
}

func run() error {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, lineBytesMax)
	out := bufio.NewWriter(os.Stdout)
	verdicts := json.NewEncoder(out)
	for lines.Scan() {
		var statement string
		if err := json.Unmarshal(lines.Bytes(), &statement); err != nil {
			return fmt.Errorf("a line is not a JSON string: %w", err)
		}
		if err := verdicts.Encode(check(statement)); err != nil {
			return err
		}
	}
	if err := lines.Err(); err != nil {
		return err
	}
	return out.Flush()
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
