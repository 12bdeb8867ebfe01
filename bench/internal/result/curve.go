package result

// Curve is how a cost grows with something.
type Curve struct {
	Name   string   `json:"name"`
	X      string   `json:"x"` // what grows
	Y      string   `json:"y"` // what the values are
	Series []Series `json:"series"`
}

// Series is one line of a curve. It has a point for each X of its curve.
type Series struct {
	Name   string  `json:"name"`
	Points []Point `json:"points"`
}

// Point is a value and its spread over the rounds.
type Point struct {
	X     int64  `json:"x"`
	Value Spread `json:"value"`
}

// Add adds a point to the series of a name, which it makes if need be.
func (c *Curve) Add(series string, x int64, value Spread) {
	for i := range c.Series {
		if s := &c.Series[i]; s.Name == series {
			s.Points = append(s.Points, Point{x, value})
			return
		}
	}
	c.Series = append(c.Series, Series{series, []Point{{x, value}}})
}
