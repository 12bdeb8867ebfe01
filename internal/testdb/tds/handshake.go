package tds

import (
	"bufio"
	"errors"
	"fmt"
	"strconv"
)

// logIn reads what comes before the first request, and answers it. It returns false if there is no session: the connection is
// at its end then.
func (c *conn) logIn(in *bufio.Reader) bool {
	m, err := readMessage(in)
	if err == nil && m.kind == msgPrelogin {
		c.reply(preloginReply())
		m, err = readMessage(in)
	}
	if err != nil || m.kind != msgLogin {
		return false
	}
	l, err := parseLogin(m.body)
	if err == nil {
		c.packetSize = l.packetSize
		c.session, err = c.server.backend.Login(l.user, l.password, l.database)
	}
	if errors.Is(err, ErrUnavailable) {
		return false
	}
	if err != nil {
		c.refuseLogin(err)
		return false
	}
	c.reply(c.welcome(l))
	return true
}

func (c *conn) reply(tokens []byte) {
	p := packer{size: c.packetSize, spid: c.spid}
	packets, _ := p.pack(tokens, true)
	c.write(packets)
}

// welcome is the answer to a login, in SQL Server's order.
func (c *conn) welcome(l login) []byte {
	const language = "us_english"
	database := l.database
	if database == "" {
		database = "master"
	}
	b := appendEnvText(nil, envDatabase, database, "master")
	b = appendMessage(b, Message{Number: 5701, State: 2, Text: fmt.Sprintf("Changed database context to '%s'.", database), Line: 1})
	b = appendEnv(b, envCollation, collation[:], nil)
	b = appendEnvText(b, envLanguage, language, "")
	b = appendMessage(b, Message{Number: 5703, State: 1, Text: fmt.Sprintf("Changed language setting to %s.", language), Line: 1})
	b = appendLoginAck(b)
	b = appendEnvText(b, envPacketSize, strconv.Itoa(l.packetSize), strconv.Itoa(defaultPacketSize))
	return done{token: tokenDone}.append(b)
}

func (c *conn) refuseLogin(err error) {
	m := Message{Number: errLoginFailed, State: 1, Class: 14, Text: err.Error(), Line: 1}
	if errors.Is(err, ErrNoDatabase) {
		m.Number, m.Class = errOpenDatabase, 11
	}
	c.reply(done{token: tokenDone, status: doneError}.append(appendMessage(nil, m)))
}
