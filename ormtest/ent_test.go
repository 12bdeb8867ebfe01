package ormtest

import (
	"context"
	"fmt"
	"testing"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	"entgo.io/ent/dialect/sql/schema"

	"github.com/dualsql/dualsql/ormtest/ent"
	"github.com/dualsql/dualsql/ormtest/ent/person"
)

func TestEnt(t *testing.T) { play(t, entScript) }

func entScript(x *target) {
	ctx, times := x.Context(), newClock()
	client := ent.NewClient(ent.Driver(entsql.OpenDB(dialect.Postgres, x.db)))
	for range 2 { // the second finds all as it should be
		x.must(client.Schema.Create(ctx, schema.WithGlobalUniqueID(false), schema.WithDropIndex(true), schema.WithDropColumn(true)))
	}

	hooks := 0
	client.Person.Use(func(next ent.Mutator) ent.Mutator {
		return ent.MutateFunc(func(ctx context.Context, m ent.Mutation) (ent.Value, error) {
			hooks++
			return next.Mutate(ctx, m)
		})
	})
	anna, err := client.Person.Create().SetName("anna").SetEmail("anna@example.com").SetAge(50).SetRole(person.RoleAdmin).SetBorn(times.next()).
		SetTags([]string{"a", `"b"`}).SetPhoto([]byte{0, 255}).SetScore(0.1).Save(ctx)
	x.must(err)
	x.note("created", anna.ID, anna.Born.UTC(), anna.Tags, anna.Photo)
	var bulk []*ent.PersonCreate
	for i := range 5 {
		bulk = append(bulk, client.Person.Create().SetName(fmt.Sprintf("child%d", i)).SetEmail(fmt.Sprintf("child%d@example.com", i)).SetAge(i).SetParent(anna))
	}
	children, err := client.Person.CreateBulk(bulk...).Save(ctx)
	x.must(err)
	x.note("bulk", children[0].ID, children[4].ID)
	id, err := client.Person.Create().SetName("other").SetEmail("child0@example.com").SetAge(9).OnConflictColumns(person.FieldEmail).UpdateNewValues().ID(ctx)
	x.must(err)
	x.note("upsert", id)
	x.must(client.Person.Create().SetName("more").SetEmail("child1@example.com").OnConflictColumns(person.FieldEmail).
		Update(func(u *ent.PersonUpsert) { u.AddAge(100).SetName("older") }).Exec(ctx))

	found, err := client.Person.Query().Where(person.HasParentWith(person.Name("anna")), person.AgeGTE(2)).WithParent().Order(ent.Asc(person.FieldID)).All(ctx)
	x.must(err)
	for _, p := range found {
		x.note("found", p.ID, p.Name, p.Age, p.Role, p.Score, p.Edges.Parent.Name)
	}
	var sums []struct {
		Role  string
		Count int
		Sum   int
	}
	x.must(client.Person.Query().GroupBy(person.FieldRole).Aggregate(ent.Count(), ent.Sum(person.FieldAge)).Scan(ctx, &sums))
	x.note("groups", len(sums))

	x.must(client.Person.UpdateOneID(anna.ID).AddAge(1).AddFriends(children...).ClearBorn().AppendTags([]string{"c"}).Exec(ctx))
	n, err := client.Person.Update().Where(person.NameHasPrefix("child")).SetScore(7.25).Save(ctx)
	x.note("updated", n, err)
	x.must(client.Person.UpdateOne(anna).RemoveFriends(children[0], children[1]).Exec(ctx))
	n, err = anna.QueryFriends().Count(ctx)
	x.note("friends", n, err)
	_, err = client.Person.Get(ctx, 4711)
	x.note("not found", ent.IsNotFound(err), err)

	inTx := func(commit bool, work func(*ent.Client)) {
		x.Helper()
		tx, err := client.Tx(ctx)
		x.must(err)
		tx.OnCommit(func(next ent.Committer) ent.Committer {
			return ent.CommitFunc(func(ctx context.Context, tx *ent.Tx) error {
				x.note("on commit")
				return next.Commit(ctx, tx)
			})
		})
		work(tx.Client())
		if commit {
			x.must(tx.Commit())
		} else {
			x.must(tx.Rollback())
		}
	}
	change := func(c *ent.Client) {
		p, err := c.Person.Query().Where(person.ID(anna.ID)).ForUpdate().Only(ctx)
		x.must(err)
		x.must(p.Update().AddAge(10).Exec(ctx))
		n, err := c.Person.Delete().Where(person.Name("child3")).Exec(ctx)
		x.note("in a transaction", n, err)
		_, err = c.ExecContext(ctx, "UPDATE persons SET score = score + $1 WHERE age > $2", 1.5, 0)
		x.must(err)
	}
	inTx(false, change)
	inTx(true, change)

	x.must(client.Person.DeleteOneID(children[4].ID).Exec(ctx))
	x.note("hooks", hooks)
	refused := func(what, code string, err error) {
		x.Helper()
		if !ent.IsConstraintError(err) {
			x.Errorf("%s: %v, want a constraint error", what, err)
		}
		x.refused(what, code, err)
	}
	refused("unique", "23505", client.Person.Create().SetName("b").SetEmail("anna@example.com").Exec(ctx))
	refused("foreign key", "23503", client.Person.UpdateOneID(children[2].ID).SetParentID(4711).Exec(ctx))
	x.note("validator", client.Person.Create().SetName("").SetEmail("b@example.com").Exec(ctx))
	n, err = client.Person.Delete().Where(person.ID(anna.ID)).Exec(ctx) // and the children
	x.note("deleted", n, err)
	n, err = client.Person.Query().Count(ctx)
	x.note("left", n, err)
}
