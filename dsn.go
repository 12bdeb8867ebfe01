package dualsql

import (
	"fmt"
	"net/url"
	"sort"
	"strings"
)

// ParseDSN reads a DSN: key=value pairs with white space between them, values with white space, quotes or nothing at all in
// single quotes, with \' and \\ inside for a quote and a backslash (as libpq does it: PostgreSQL manual, 34.1.1.1). An
// unknown, repeated or malformed key is an error that names the key; a value is never part of an error where it may hold a
// password.
func ParseDSN(dsn string) (*Config, error) {
	c := NewConfig()
	seen := map[string]bool{}
	for rest := strings.TrimLeft(dsn, dsnSpace); rest != ""; rest = strings.TrimLeft(rest, dsnSpace) {
		key, value, tail, err := nextPair(rest)
		if err != nil {
			return nil, err
		}
		rest = tail
		p := findParam(key)
		if p == nil {
			return nil, fmt.Errorf("dualsql: unknown DSN key %q; the keys are %s", key, strings.Join(keys(), ", "))
		}
		if seen[key] {
			return nil, configError(key, "is given twice")
		}
		seen[key] = true
		if err := p.set(c, value); err != nil {
			return nil, configError(key, "is wrong: "+err.Error())
		}
	}
	if err := c.check(); err != nil {
		return nil, err
	}
	if _, err := resolveSides(c); err != nil {
		return nil, err
	}
	return c, nil
}

const dsnSpace = " \t\n\r\v\f"

func nextPair(s string) (key, value, rest string, err error) {
	i := strings.IndexAny(s, "="+dsnSpace)
	if i < 0 || s[i] != '=' {
		word := s
		if i >= 0 {
			word = s[:i]
		}
		if strings.Contains(word, "://") {
			word = "a URL" // it may hold a password
		} else {
			word = fmt.Sprintf("%q", word)
		}
		return "", "", "", fmt.Errorf("dualsql: %s in the DSN is not key=value; it takes primary='...' secondary='...' journal=/path", word)
	}
	key, s = s[:i], s[i+1:]
	if !strings.HasPrefix(s, "'") {
		n := strings.IndexAny(s, dsnSpace)
		if n < 0 {
			n = len(s)
		}
		return key, s[:n], s[n:], nil
	}
	var b strings.Builder
	for j := 1; j < len(s); j++ {
		switch {
		case s[j] == '\\' && j+1 < len(s):
			j++
			b.WriteByte(s[j])
		case s[j] == '\'':
			rest := s[j+1:]
			if rest != "" && !strings.Contains(dsnSpace, rest[:1]) {
				return "", "", "", configError(key, `goes on after its closing quote; write a quote inside as \'`)
			}
			return key, b.String(), rest, nil
		default:
			b.WriteByte(s[j])
		}
	}
	return "", "", "", configError(key, "has an opening quote and no closing one")
}

func findParam(key string) *param {
	for i := range params {
		if params[i].key == key {
			return &params[i]
		}
	}
	return nil
}

func keys() []string {
	names := make([]string, len(params))
	for i, p := range params {
		names[i] = p.key
	}
	sort.Strings(names)
	return names
}

// FormatDSN returns the DSN that [ParseDSN] reads back to an equal Config. It holds the sides' passwords and the journal's
// key; see [Config.Redacted]. Connectors and the logger cannot be written and are left out.
func (c *Config) FormatDSN() string { return c.format(func(_, v string) string { return v }) }

// Redacted returns the DSN with xxxxx in the place of passwords and of the journal's key, for logs and errors.
func (c *Config) Redacted() string {
	return c.format(func(key, v string) string {
		switch key {
		case "primary", "secondary":
			return redact(v)
		case "journal.key":
			return "xxxxx"
		}
		return v
	})
}

func (c *Config) format(show func(key, value string) string) string {
	def := NewConfig()
	var b strings.Builder
	for _, p := range params {
		v := p.get(c, def)
		if v == "" {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(p.key)
		b.WriteByte('=')
		writeValue(&b, show(p.key, v))
	}
	return b.String()
}

func writeValue(b *strings.Builder, v string) {
	if v != "" && !strings.ContainsAny(v, dsnSpace+`'\`) {
		b.WriteString(v)
		return
	}
	b.WriteByte('\'')
	for i := 0; i < len(v); i++ {
		if v[i] == '\'' || v[i] == '\\' {
			b.WriteByte('\\')
		}
		b.WriteByte(v[i])
	}
	b.WriteByte('\'')
}

// redact hides what may be secret in a side's DSN. What it cannot read it hides as a whole.
func redact(dsn string) string {
	scheme, _, isURL := strings.Cut(dsn, ":")
	switch {
	case scheme == "file" || scheme == "sqlite":
		return dsn
	case isURL && strings.Contains(dsn, "://"):
		u, err := url.Parse(dsn)
		if err != nil {
			return scheme + "://xxxxx"
		}
		q := u.Query()
		for k := range q {
			if strings.Contains(strings.ToLower(k), "pass") || strings.ToLower(k) == "pwd" || strings.Contains(strings.ToLower(k), "secret") {
				q.Set(k, "xxxxx")
			}
		}
		u.RawQuery = q.Encode()
		return u.Redacted()
	}
	return "xxxxx"
}
