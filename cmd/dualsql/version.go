package main

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
)

var versionCommand = command{
	name:    "version",
	summary: "print the version",
	help: `
  dualsql version --json
`,
	setup: func(inv *invocation) func(context.Context) (int, error) {
		return func(context.Context) (int, error) {
			v := readVersion()
			if inv.json {
				return exitOK, writeJSON(inv.out, v)
			}
			fmt.Fprintf(inv.out, "dualsql %s (%s, %s)\n", v.Version, v.Go, v.Platform)
			return exitOK, nil
		}
	},
}

// version is the JSON of the command.
type version struct {
	Version  string `json:"version"`
	Revision string `json:"revision,omitempty"` // of the source, if it is known
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

// readVersion takes what the Go command has written into the binary.
func readVersion() version {
	v := version{Version: "(devel)", Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return v
	}
	if info.Main.Version != "" {
		v.Version = info.Main.Version
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			v.Revision = s.Value
		}
	}
	return v
}
