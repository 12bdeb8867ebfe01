package ddl

func (r *reader) sqlServer() statement { return nil }
func postgres(s statement) string      { return "" }
