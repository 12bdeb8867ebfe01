package main

import (
	"database/sql"
	"fmt"
	"log/slog"
	"os"

	"github.com/dualsql/dualsql"
	"github.com/dualsql/dualsql/bench/internal/result"
)

// dualContenders are dualsql's protocols, each with the mirror mode that it has by default and with the others.
func dualContenders() []contender {
	var list []contender
	for _, p := range []struct {
		name, about string
		commit      dualsql.Protocol
		ack         dualsql.Ack
	}{
		{"dualsql besteffort", "commit=besteffort: a crash between the commits is reported", dualsql.BestEffort, dualsql.AckBoth},
		{"dualsql marker", "commit=marker: a crash between the commits is mended from the journal", dualsql.Marker, dualsql.AckBoth},
		{both, "commit=2pc, returns when both sides have it", dualsql.TwoPhase, dualsql.AckBoth},
		{decided, "commit=2pc ack=decided, returns when it is decided", dualsql.TwoPhase, dualsql.AckDecided},
	} {
		for _, mirror := range []dualsql.Mirror{dualsql.MirrorAuto, dualsql.MirrorStatement, dualsql.MirrorRow} {
			c := contender{Contender: result.Contender{Name: p.name, About: p.about}, sides: 2, exact: mirror != dualsql.MirrorStatement}
			if mirror != dualsql.MirrorAuto {
				c.Name += " " + string(mirror)
				c.About += fmt.Sprintf("; mirror=%s", mirror)
			}
			c.open = func(at place) (client, error) { return openDual(at, p.commit, p.ack, mirror) }
			list = append(list, c)
		}
	}
	return list
}

func openDual(at place, commit dualsql.Protocol, ack dualsql.Ack, mirror dualsql.Mirror) (client, error) {
	connector, err := dualsql.NewConnector(dualConfig(at, commit, ack, mirror))
	if err != nil {
		return nil, err
	}
	return &single{limited(sql.OpenDB(connector), at.clients)}, nil
}

func dualConfig(at place, commit dualsql.Protocol, ack dualsql.Ack, mirror dualsql.Mirror) *dualsql.Config {
	cfg := dualsql.NewConfig()
	cfg.Primary.DSN, cfg.Secondary.DSN = at.dsn[0], at.dsn[1]
	cfg.Journal = at.journal()
	cfg.Commit, cfg.Ack, cfg.Mirror = commit, ack, mirror
	cfg.Logger = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	return cfg
}
