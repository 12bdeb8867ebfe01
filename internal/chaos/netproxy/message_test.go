package netproxy

import (
	"slices"
	"testing"
)

func TestSQLContains(t *testing.T) {
	for _, test := range []struct {
		name    string
		message Message
		want    bool
	}{
		{"another case", Message{'Q', "commit prepared 'x'", true}, true},
		{"a transaction manager request", Message{tdsTransaction, "COMMIT TRANSACTION", true}, true},
		{"other text", Message{'Q', "ROLLBACK", true}, false},
		{"what runs nothing", Message{'P', "COMMIT", false}, false},
	} {
		if got := SQLContains("COMMIT")(test.message); got != test.want {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
	}
}

func TestNth(t *testing.T) {
	second := Nth(2, SQLContains("b"))
	var got []bool
	for _, sql := range []string{"b", "a", "b", "b"} {
		got = append(got, second(Message{'Q', sql, true}))
	}
	if !slices.Equal(got, []bool{false, false, true, false}) {
		t.Errorf("Nth(2): %v", got)
	}
}
