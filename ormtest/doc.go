// Package ormtest runs ORMs, query builders and migration tools on dualsql, as they are published, and on a plain database
// beside it. It is a module of its own, so that dualsql itself requires none of them.
//
// Each test is a script that is played on pgx alone and on dualsql over two PostgreSQL databases. The results that the
// tool has returned have to be the same, and afterwards [Compare] finds no difference between the two databases of the
// pair, nor between the pair and the plain one.
package ormtest
