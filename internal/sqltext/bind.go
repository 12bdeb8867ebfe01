package sqltext

import (
	"fmt"
	"strings"
)

// Bind decides which of the text's marks are placeholders for arguments of that
// shape, and renders them in the style of the database that gets the text.
// params says which argument each parameter takes; nil means the arguments in
// the order they were passed. A text that needs no change is returned as it is.
// The result depends on nothing but the statement and what is passed, so it may
// be cached.
//
// It is an error if the placeholders and the arguments do not match in number
// or name, if styles are mixed, if a number is not within 1 and 65535, or
// if HintErr is set.
//
// Rendering keeps numbers; names get numbers of their own in order of their first
// appearance, except in the style AtP, which keeps names. With ? as the
// result, an argument is repeated wherever its placeholder is.
func (s *Statement) Bind(shape Shape, to Style) (text string, params []Param, err error) {
	if s.HintErr != nil {
		return "", nil, s.HintErr
	}
	if to == AsIs {
		return s.Text, nil, nil
	}
	if s.procedure {
		return s.bindProcedure(shape, to)
	}
	u, err := s.uses(shape)
	if err != nil {
		return "", nil, err
	}
	text, params = s.render(u, to)
	return text, params, nil
}

func (s *Statement) bindProcedure(shape Shape, to Style) (string, []Param, error) {
	if to != AtP && (shape.Positional > 0 || len(shape.Names) > 0) {
		return "", nil, fmt.Errorf("the text is a procedure's name alone, which only SQL Server can run with arguments: write CALL or EXEC with placeholders")
	}
	return s.Text, nil, nil
}

// use is a mark that is a placeholder, or that is to be replaced by text.
type use struct {
	mark  mark
	param Param
	// literal is what an escaped or a plain question mark stands for.
	literal bool
}

// uses is what a shape makes of a statement's marks.
type uses struct {
	all        []use
	style      Style // of the positional ones; AsIs if there are none
	positional int   // number of positional arguments
	named      bool
}

func (s *Statement) uses(shape Shape) (uses, error) {
	if shape.Unknown {
		shape.Positional, shape.Names = 0, nil
	}
	names, err := s.nameSet(shape)
	if err != nil {
		return uses{}, err
	}
	var u uses
	byName := make([]string, len(s.marks)) // the argument's name, for named marks
	missing := len(names)
	used := map[string]bool{}
	for i, m := range s.marks {
		if m.kind != markAt {
			continue
		}
		name, passed := names[s.nameKey(m.name)]
		switch {
		case passed:
		case shape.Unknown && !m.local && m.number == 0:
			name = m.name
		default:
			continue
		}
		byName[i], u.named = name, true
		if passed && !used[name] {
			used[name] = true
			missing--
		}
	}
	if missing > 0 {
		for _, name := range shape.Names {
			if !used[name] {
				return u, fmt.Errorf("an argument @%s was passed, the statement has no placeholder of that name", name)
			}
		}
	}
	if u.style, err = s.positionalStyle(shape, byName); err != nil {
		return u, err
	}
	return u, s.collect(&u, shape, byName)
}

// nameSet maps names as they are compared to names as they were passed.
func (s *Statement) nameSet(shape Shape) (map[string]string, error) {
	if len(shape.Names) == 0 {
		return nil, nil
	}
	set := make(map[string]string, len(shape.Names))
	for _, name := range shape.Names {
		key := s.nameKey(name)
		if _, twice := set[key]; twice {
			return nil, fmt.Errorf("two arguments have the name @%s", name)
		}
		set[key] = name
	}
	return set, nil
}

// nameKey: variables of SQL Server have no case in most collations.
func (s *Statement) nameKey(name string) string {
	if s.Dialect == SQLServer {
		return strings.ToLower(name)
	}
	return name
}

// positionalStyle decides which marks are the positional placeholders.
func (s *Statement) positionalStyle(shape Shape, byName []string) (Style, error) {
	var found [AtP + 1]string // the first mark of each style
	for i, m := range s.marks {
		style := m.style()
		if style == AsIs || byName[i] != "" {
			continue
		}
		if m.kind == markAt && (!m.positional() || !shape.Unknown && shape.Positional == 0) {
			if s.Dialect == SQLite && !shape.Unknown {
				return AsIs, fmt.Errorf("the statement has the placeholder %s, %s passed", m.text(s.Text), wasPassed(shape))
			}
			continue
		}
		if found[style] == "" {
			found[style] = m.text(s.Text)
		}
	}
	if !shape.Unknown && shape.Positional == 0 {
		found[Question] = "" // an operator
		if s.Dialect == SQLServer {
			found[Dollar] = "" // a money literal
		}
	}
	order := []Style{Dollar, AtP, Numbered, Question}
	if s.Dialect == SQLServer && found[AtP] != "" {
		order = []Style{AtP, Numbered, Question}
	}
	chosen := AsIs
	for _, style := range order {
		switch {
		case found[style] == "":
		case chosen == AsIs:
			chosen = style
		case style == Question && s.Dialect.spellsOperators():
		default:
			return AsIs, fmt.Errorf("the statement mixes the placeholders %s and %s: use one style", found[chosen], found[style])
		}
	}
	return chosen, nil
}

func (m mark) style() Style {
	switch m.kind {
	case markQuestion:
		return Question
	case markNumbered:
		return Numbered
	case markDollar:
		return Dollar
	case markAt:
		return AtP
	default:
		return AsIs
	}
}

func wasPassed(sh Shape) string { return sh.String() + " " + were(sh.Positional+len(sh.Names)) }

// collect lists the placeholders in the order of the text.
func (s *Statement) collect(u *uses, shape Shape, byName []string) error {
	found := 0 // the highest number, or the number of ?
	for i, m := range s.marks {
		style := m.style()
		switch {
		case byName[i] != "":
			u.all = append(u.all, use{mark: m, param: Param{Index: -1, Name: byName[i]}})
		case m.kind == markEscape || style == Question && u.style != Question:
			u.all = append(u.all, use{mark: m, literal: true})
		case style != u.style || m.kind == markAt && !m.positional():
		case style == Question:
			u.all = append(u.all, use{mark: m, param: Param{Index: found}})
			found++
		case m.number < 1:
			return fmt.Errorf("the placeholder %.20s is out of range: numbers go from 1 to %d", m.text(s.Text), maxNumber)
		default:
			u.all = append(u.all, use{mark: m, param: Param{Index: m.number - 1}})
			found = max(found, m.number)
		}
	}
	u.positional = found
	if shape.Unknown || found == shape.Positional {
		return nil
	}
	what := "placeholder"
	if len(shape.Names) > 0 {
		what = "positional placeholder"
	}
	return fmt.Errorf("the statement has %s, %s passed", count(found, what), wasPassed(shape))
}
