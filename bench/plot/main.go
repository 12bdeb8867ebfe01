// Command plot draws what bench -json or bench scale -json has written:
//
//	go run ./plot run.json picture.svg
package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"

	"github.com/dualsql/dualsql/bench/internal/result"
)

func main() {
	if err := command(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "plot:", err)
		os.Exit(1)
	}
}

func command(args []string) error {
	if len(args) != 2 {
		return errors.New("it takes two files: the JSON of a run, and the SVG to write")
	}
	run, err := result.Read(args[0])
	if err != nil {
		return err
	}
	var picture bytes.Buffer
	if len(run.Curves) > 0 {
		err = curveChart(&picture, run.Curves)
	} else {
		err = chart(&picture, run, "update", "best-effort by hand")
	}
	if err != nil {
		return err
	}
	return os.WriteFile(args[1], picture.Bytes(), 0o644)
}
