// Package sqlserver gives tests SQL Servers: the endpoint of [github.com/dualsql/dualsql/internal/testdb/tds] in front of the
// process's PostgreSQL clusters, or real servers.
//
// The environment decides:
//
//	DUALSQL_TEST_SQLSERVER  DSNs (sqlserver:// URLs, separated by spaces) of running servers to use in place of the endpoint, with
//	                        a login that may create databases; such as sqlserver://sa:password@127.0.0.1:1433?encrypt=disable
//
// With encrypt=disable in the URL the tests that disturb single messages can read them.
package sqlserver
