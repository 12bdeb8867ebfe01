package dualsql

import (
	"errors"
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
			return nil, fmt.Errorf("dualsql: unknown DSN key %s; the keys are %s", shownKey(key), strings.Join(keys(), ", "))
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
		// The word is not shown: it may be a part of an unquoted password.
		return "", "", "", errors.New("dualsql: a word in the DSN is not key=value; it takes primary='...' secondary='...' journal=/path, with values that hold spaces in single quotes")
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

// shownKey hides what is no key but a URL or a part of one: it may hold a password.
func shownKey(key string) string {
	if strings.ContainsAny(key, ":@/") {
		return "(a URL without a key in front of it)"
	}
	return fmt.Sprintf("%q", key)
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

// redact hides what may be secret in a side's DSN: the password, and all parameters. What it cannot read for certain it
// hides as a whole.
func redact(dsn string) string {
	scheme, rest, ok := strings.Cut(dsn, ":")
	if !ok || strings.ContainsAny(scheme, "=@/?& ") {
		return "xxxxx"
	}
	prefix := scheme + ":"
	if scheme != "file" && scheme != "sqlite" {
		if rest, ok = strings.CutPrefix(rest, "//"); !ok {
			return "xxxxx"
		}
		if prefix += "//"; !plainURL(dsn) {
			return prefix + "xxxxx"
		}
		if user, host, ok := strings.Cut(rest, "@"); ok {
			name, _, hasPassword := strings.Cut(user, ":")
			prefix, rest = prefix+name+unless(!hasPassword, ":xxxxx")+"@", host
		}
	}
	if i := strings.IndexAny(rest, "?#;"); i >= 0 {
		rest = rest[:i] + "?xxxxx"
	}
	return prefix + rest
}

// plainURL reports whether it is certain where the password of a URL ends: a password with an unescaped @, /, ? or & in it
// may be mistaken for a host, a path or a parameter.
func plainURL(dsn string) bool {
	_, rest, _ := strings.Cut(dsn, "://")
	if _, err := url.Parse(dsn); err != nil {
		return false
	}
	_, query, _ := strings.Cut(rest, "?")
	for parameter := range strings.SplitSeq(query, "&") {
		if query != "" && !strings.Contains(parameter, "=") {
			return false
		}
	}
	at := strings.LastIndexByte(rest, '@')
	return at < 0 || !strings.ContainsAny(rest[:at], "/?#@")
}
