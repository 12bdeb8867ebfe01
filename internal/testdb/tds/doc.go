// Package tds is a server that speaks SQL Server's protocol, TDS 7.4, to a real client: test support, for machines on which no
// SQL Server can be installed. It knows nothing of SQL: what a client asks for is handed to a [Backend].
//
// What it does not know it refuses with an error that names it: encryption, MARS, text, ntext, image, xml, sql_variant,
// user-defined and table-valued types, cursors, distributed transactions, query notifications. A client that breaks the protocol's
// packets, or sends a request while another one runs, is cut.
//
// The collation is Latin1_General_CI_AS: char and varchar are Windows-1252 on the wire, and a character which that does not
// have becomes a question mark, as in SQL Server.
//
// The source of the protocol is the specification [MS-TDS], Tabular Data Stream Protocol.
package tds
