// Package schema is what ent generates package ent of.
package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// Person has edges of both kinds to itself: one entity is enough, and each makes thousands of lines.
type Person struct{ ent.Schema }

// Fields implements ent.Interface.
func (Person) Fields() []ent.Field {
	return []ent.Field{
		field.String("name").NotEmpty(),
		field.String("email").Unique(),
		field.Int("age").NonNegative().Default(0),
		field.Enum("role").Values("member", "admin").Default("member"),
		field.Time("born").Optional().Nillable(),
		field.Strings("tags").Optional(),
		field.Bytes("photo").Optional(),
		field.Float("score").Default(0.5),
	}
}

// Edges implements ent.Interface.
func (Person) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("children", Person.Type).Annotations(entsql.OnDelete(entsql.Cascade)).From("parent").Unique(),
		edge.To("friends", Person.Type),
	}
}

// Indexes implements ent.Interface.
func (Person) Indexes() []ent.Index { return []ent.Index{index.Fields("name", "age")} }
