package salesforce

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// Limits of trees and graphs.
// https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_composite_sobject_tree.htm
const (
	treeLimit      = 200
	treeTypes      = 5
	treeDepth      = 5
	graphLimit     = 75
	graphNodeLimit = 500
	graphFailures  = 14
	graphsSince    = 50
)

// treeRun is a tree on its way in.
type treeRun struct {
	call    *call
	count   int
	types   map[string]bool
	created []treeRecord
	failed  []treeFailure
}

type treeRecord struct{ reference, id string }

type treeFailure struct {
	reference string
	problems  failures
}

// compositeTree creates records with their children, all or none.
func (c *call) compositeTree() (*reply, error) {
	o, _, problem := c.object()
	if problem != nil {
		return nil, problem
	}
	n, problem := c.bodyObject()
	if problem != nil {
		return nil, problem
	}
	list := n.get("records")
	if list == nil || list.kind != '[' || len(list.items) == 0 {
		return nil, plain(http.StatusBadRequest, "REQUIRED_FIELD_MISSING", "The required field(s) are missing: [records]")
	}
	run := &treeRun{call: c, types: map[string]bool{}}
	mark := c.tx.mark()
	run.add(o, list.items, nil, "", 1)
	w := &jsonWriter{}
	if run.failed != nil {
		c.tx.rollback(mark)
		c.rows = 0
		w.open('{').key("hasErrors").bool(true).key("results").open('[')
		for _, f := range run.failed {
			w.open('{').key("referenceId").str(f.reference).key("errors").open('[')
			for _, p := range f.problems {
				p.write(w, "statusCode")
			}
			w.close(']').close('}')
		}
		return answer(http.StatusBadRequest, w.close(']').close('}').b), nil
	}
	w.open('{').key("hasErrors").bool(false).key("results").open('[')
	for _, r := range run.created {
		w.open('{').key("referenceId").str(r.reference).key("id").str(r.id).close('}')
	}
	return answer(http.StatusCreated, w.close(']').close('}').b), nil
}

func (t *treeRun) fail(reference string, problems ...*failure) {
	t.failed = append(t.failed, treeFailure{reference, problems})
}

// add creates records of one object below a parent, then their children.
func (t *treeRun) add(o *object, records []*node, link *field, parentID string, depth int) {
	t.types[o.name] = true
	for _, n := range records {
		reference := n.get("attributes").get("referenceId").str()
		t.count++
		switch {
		case t.count > treeLimit:
			t.fail(reference, refuse("INVALID_INPUT", fmt.Sprintf("A tree can have at most %d records.", treeLimit)))
			return
		case depth > treeDepth:
			t.fail(reference, refuse("INVALID_INPUT", fmt.Sprintf("A tree can be at most %d levels deep.", treeDepth)))
			return
		case len(t.types) > treeTypes:
			t.fail(reference, refuse("INVALID_INPUT", fmt.Sprintf("A tree can have at most %d types of records.", treeTypes)))
			return
		case reference == "" || slices.ContainsFunc(t.created, func(r treeRecord) bool { return r.reference == reference }):
			t.fail(reference, refuse("INVALID_INPUT", "Each record needs a referenceId of its own."))
			continue
		case !strings.EqualFold(n.typeName(), o.name):
			t.fail(reference, refuse("INVALID_INPUT", "The record's type "+n.typeName()+" is not "+o.name+"."))
			continue
		}
		own := &node{kind: '{'}
		var below []member
		for _, m := range n.members {
			if o.children[strings.ToLower(m.name)] != nil && m.node.kind == '{' && m.node.get("records") != nil {
				below = append(below, m)
				continue
			}
			own.members = append(own.members, m)
		}
		var key *assignment
		if link != nil {
			key = &assignment{link, textOf(parentID)}
		}
		r, problems := t.call.create(o, own, key)
		if problems != nil {
			t.fail(reference, problems...)
			continue
		}
		t.created = append(t.created, treeRecord{reference, r.id})
		for _, m := range below {
			f := o.children[strings.ToLower(m.name)]
			t.add(f.object, m.node.get("records").items, f, r.id, depth+1)
		}
	}
}

// compositeGraph runs graphs of subrequests, each all or none on its own.
// https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_composite_graph_introduction.htm
func (c *call) compositeGraph() (*reply, error) {
	if c.version < graphsSince {
		return nil, notFound()
	}
	n, problem := c.bodyObject()
	if problem != nil {
		return nil, problem
	}
	graphs := n.get("graphs")
	if graphs == nil || graphs.kind != '[' || len(graphs.items) == 0 {
		return nil, plain(http.StatusBadRequest, "REQUIRED_FIELD_MISSING", "The required field(s) are missing: [graphs]")
	}
	nodes := 0
	for _, g := range graphs.items {
		if list := g.get("compositeRequest"); list != nil {
			nodes += len(list.items)
		}
	}
	if len(graphs.items) > graphLimit || nodes > graphNodeLimit {
		return nil, plain(http.StatusBadRequest, "LIMIT_EXCEEDED", fmt.Sprintf("A payload can have at most %d graphs and %d nodes.", graphLimit, graphNodeLimit))
	}
	w := &jsonWriter{}
	w.open('{').key("graphs").open('[')
	failedGraphs := 0
	for _, g := range graphs.items {
		results, ok := c.runGraph(g, failedGraphs >= graphFailures)
		if !ok {
			failedGraphs++
		}
		w.open('{').key("graphId").str(g.get("graphId").str()).key("graphResponse").raw(writeResults("compositeResponse", results)).key("isSuccessful").bool(ok).close('}')
	}
	return answer(http.StatusOK, w.close(']').close('}').b), nil
}

func (c *call) runGraph(g *node, halted bool) (results []subresult, ok bool) {
	var parts []subrequest
	if list := g.get("compositeRequest"); list != nil {
		for _, item := range list.items {
			parts = append(parts, subrequest{method: item.get("method").str(), url: item.get("url").str(), reference: item.get("referenceId").str(), body: item.get("body")})
		}
	}
	if halted {
		for _, p := range parts {
			results = append(results, subresult{reference: p.reference, reply: refusal(plain(http.StatusBadRequest, "PROCESSING_HALTED", "Too many graphs failed."))})
		}
		return results, false
	}
	for _, p := range parts {
		if !strings.Contains(p.url, "/sobjects/") || strings.Contains(p.url, "/composite/") {
			return []subresult{{reference: p.reference, reply: refusal(plain(http.StatusBadRequest, "INVALID_INPUT", "Only sobjects resources can be used in a graph."))}}, false
		}
	}
	results = c.runParts(parts, true)
	for _, r := range results {
		if r.reply.status >= 400 {
			return results, false
		}
	}
	return results, true
}
