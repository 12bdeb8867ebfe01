// Package netproxy is a TCP proxy in front of a server, with the faults of a network: connections are cut, refused, frozen
// and delayed. For PostgreSQL and SQL Server, without encryption, it also has faults at single messages: a request that
// never arrives, or arrives late, and a reply that is held or lost.
package netproxy
