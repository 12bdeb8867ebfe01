package tds

// wireType is a TYPE_INFO (MS-TDS 2.2.5.6) that was read.
type wireType struct {
	Type
	fixed bool // a value has no length before it, and is never NULL
	small bool // smallmoney, which is money of four bytes
	null  bool // a value has no bytes at all
}

// readType reads a TYPE_INFO. Of one that is not known nothing can be said about what follows it: the reader fails.
func (r *reader) readType() wireType {
	token := r.u8()
	switch token {
	case tokenNull: // it has no kind: SQL Server makes it the shortest string
		return wireType{Type: Type{Kind: NVarChar, Size: 1}, null: true}
	case tokenMoney4:
		return wireType{Type: Type{Kind: Money}, fixed: true, small: true}
	case tokenIntN, tokenFloatN, tokenMoneyN, tokenDateTimeN:
		return wireType{Type: Type{Kind: r.sized(token, r.u8())}}
	case tokenNumericN:
		return wireType{Type: r.parts(Decimal)}
	}
	for kind := Bit; kind <= DateTimeOffset; kind++ {
		switch s := shapes[kind]; {
		case s.fixed == token && token != 0:
			return wireType{Type: Type{Kind: kind}, fixed: true}
		case s.nullable == token:
			return wireType{Type: r.parts(kind)}
		}
	}
	r.fail(broken(errDataType, "Data type 0x%02X is unknown.", token))
	return wireType{}
}

// sized returns the kind of a token whose kinds differ by their size.
func (r *reader) sized(token, size byte) Kind {
	switch {
	case r.err != nil:
		return 0
	case token == tokenMoneyN && size == 4: // smallmoney
		return Money
	}
	for kind := Bit; kind <= DateTimeOffset; kind++ {
		if shapes[kind].nullable == token && shapes[kind].size == int(size) {
			return kind
		}
	}
	r.fail(broken(errDataType, "Data type 0x%02X has an invalid data length %d.", token, size))
	return 0
}

// parts reads what follows the token of a kind.
func (r *reader) parts(kind Kind) Type {
	t := Type{Kind: kind}
	switch {
	case kind == Bit || kind == UniqueIdentifier:
		r.u8() // the only size that there is, or 0 with NULL
	case kind == Decimal:
		r.u8()
		t.Precision, t.Scale = r.u8(), r.u8()
	case kind.clock():
		t.Scale = r.u8()
	case kind.form() == formShort:
		t.Size = int(r.u16())
		if kind != Binary && kind != VarBinary {
			r.bytes(len(collation)) // any: the server's own is used
		}
		switch {
		case t.Size == lengthMax:
			return r.maximal(kind)
		case kind.national():
			t.Size /= 2
		}
		t.Size = max(t.Size, 1)
	}
	if err := t.check(); err != nil {
		r.fail(broken(errDataType, "No such type: %v.", err))
	}
	return t
}

// maximal returns the (max) type of a kind. nchar(max) is what a client sends with an nchar that is an output: the value of
// such a parameter comes in parts like that of an nvarchar(max).
func (r *reader) maximal(kind Kind) Type {
	switch kind {
	case Char:
		kind = VarChar
	case NChar:
		kind = NVarChar
	case Binary:
		kind = VarBinary
	}
	return Type{Kind: kind, Size: Max}
}
