package sides

import "fmt"

// Check is one thing that must hold at the end.
type Check struct {
	Name   string `json:"name"`
	OK     bool   `json:"ok"`
	Detail string `json:"detail"` // what was counted, or what is wrong
}

// Fail says that it does not hold; the first reason stays.
func (c *Check) Fail(format string, args ...any) {
	if c.OK {
		c.OK, c.Detail = false, fmt.Sprintf(format, args...)
	}
}

// String is a line for people.
func (c Check) String() string {
	s := "ok     " + c.Name
	if !c.OK {
		s = "WRONG  " + c.Name
	}
	if c.Detail != "" {
		s += " (" + c.Detail + ")"
	}
	return s
}
