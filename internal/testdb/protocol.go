package testdb

// supervisorEnv makes a process of the test binary a supervisor.
const supervisorEnv = "DUALSQL_TESTDB_SUPERVISOR"

// The operations of a supervisor. There is none to end it: that is what closing its standard input does.
const (
	opCreate        = "create" // directory, initdb, first start
	opStart         = "start"
	opStopFast      = "stop fast"
	opStopImmediate = "stop immediate"
)

// request is sent to the supervisor's standard input as JSON, one at a time; each is answered by one response on its
// standard output.
type request struct {
	Op       string
	Binaries string            // with opCreate
	Settings map[string]string // with opCreate
}

type response struct {
	Err  string // empty: the operation succeeded
	Dir  string // the cluster's directory
	Port int
	PID  int // of the postmaster, 0 when it is stopped
}
