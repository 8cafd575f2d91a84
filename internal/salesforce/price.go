package salesforce

import (
	"context"
	"maps"
	"slices"
	"sync"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/fault"
)

// Salesforce keeps no price in a product: it is in the product's entry of a
// price book, a record of its own. HubSpot keeps one price in the product. So
// the client shows the price of the standard price book as a field of Product2
// that it makes up, reads it along and writes it as an entry. A line item names
// an entry; here it may name its product, and the entry is that of the
// opportunity's price book.
// https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_pricebookentry.htm
const (
	productObject  = "Product2"
	bookObject     = "Pricebook2"
	entryObject    = "PricebookEntry"
	lineItemObject = "OpportunityLineItem"
	// StandardPrice is the field of Product2 that is ours.
	StandardPrice = "StandardPrice"
	entryField    = "PricebookEntryId"
	productField  = "Product2Id"
	currencyField = "CurrencyIsoCode"
)

// priceBook remembers the standard price book.
type priceBook struct {
	mu       sync.Mutex
	standard string
}

// addPriceFields gives Product2 its price and lets a line item name a product,
// where the user may see prices.
func (c *Client) addPriceFields(ctx context.Context, o *crm.Object) error {
	if o.Name != productObject && o.Name != lineItemObject {
		return nil
	}
	entry, err := c.schema(ctx, entryObject)
	if fault.KindOf(err) == fault.NotFound {
		return nil
	}
	if err != nil {
		return err
	}
	price := entry.fields["UnitPrice"]
	if price == nil || !entry.has(productField) {
		return nil
	}
	if o.Name == lineItemObject {
		if f, e := o.Field(productField), o.Field(entryField); f != nil && e != nil {
			f.Creatable, f.Required, e.Required = e.Creatable, false, false
			f.Calculated = f.Calculated && !f.Creatable
		}
		return nil
	}
	o.Fields = append(o.Fields, crm.Field{
		Name: StandardPrice, Label: "Standard Price", Kind: crm.KindCurrency, Type: "currency", Precision: price.Precision, Scale: price.Scale,
		Updatable: entry.object.Creatable && price.Updatable,
		Help:      "The UnitPrice of the product's entry in the standard price book. Lockstep makes this field; in Salesforce the price is a record of its own.",
	})
	return nil
}

// isMadeUp tells a field that Salesforce does not know.
func isMadeUp(object, field string) bool { return object == productObject && field == StandardPrice }

// standardBook finds the standard price book, once.
func (c *Client) standardBook(ctx context.Context) (string, error) {
	c.book.mu.Lock()
	defer c.book.mu.Unlock()
	if c.book.standard != "" {
		return c.book.standard, nil
	}
	rows, err := c.queryAllPages(ctx, query{layout: crm.NewLayout(bookObject, nil), plain: true, where: "IsStandard = true"})
	if err != nil {
		return "", err
	}
	if len(rows) == 0 {
		return "", fault.New(fault.Denied, "Salesforce shows no standard price book").
			WithMend("give the app's user read access to price books, and see that the standard one is active")
	}
	c.book.standard = rows[0].ID
	return c.book.standard, nil
}

// entry is one price.
type entry struct {
	id, product, book, price, currency string
	active                             bool
}

// entries reads the prices of products: in one book, or in all where book is "".
func (c *Client) entries(ctx context.Context, products []string, book string, calls *int) ([]entry, error) {
	if len(products) == 0 {
		return nil, nil
	}
	d, err := c.schema(ctx, entryObject)
	if err != nil {
		return nil, err
	}
	fields := []string{productField, "Pricebook2Id", "UnitPrice", "IsActive"}
	if d.has(currencyField) {
		fields = append(fields, currencyField)
	}
	q := query{layout: crm.NewLayout(entryObject, fields), order: "Id", calls: calls}
	if book != "" {
		q.where = "Pricebook2Id = " + quote(book)
	}
	var found []entry
	err = c.queries(ctx, q.membership(productField, quoteAll(products)), func(p *page) error {
		for i := range p.records {
			r := &p.records[i]
			found = append(found, entry{id: r.ID, product: r.Value(productField).Text, book: r.Value("Pricebook2Id").Text, price: r.Value("UnitPrice").Text,
				currency: r.Value(currencyField).Text, active: r.Value("IsActive").Text == "true"})
		}
		return nil
	})
	return found, err
}

// fillPrices gives products that were read their standard price. One that has
// prices in several currencies says nothing: which one HubSpot's would be cannot
// be told.
func (c *Client) fillPrices(ctx context.Context, layout *crm.Layout, records []crm.Record, calls *int) error {
	place := -1
	if layout.Object == productObject {
		place = layout.Index(StandardPrice)
	}
	if place < 0 || len(records) == 0 {
		return nil
	}
	book, err := c.standardBook(ctx)
	if err != nil {
		return err
	}
	byID := map[string]*crm.Record{}
	var ids []string
	for i := range records {
		if r := &records[i]; !r.Archived && place < len(r.Values) {
			r.Values[place] = crm.Value{State: crm.Blank}
			byID[r.ID] = r
			ids = append(ids, r.ID)
		}
	}
	found, err := c.entries(ctx, ids, book, calls)
	if err != nil {
		return err
	}
	for _, e := range found {
		r := byID[e.product]
		switch {
		case r == nil || !e.active:
		case r.Values[place].State == crm.Blank:
			r.Values[place] = crm.Text(e.price)
		default:
			r.Values[place] = crm.Value{State: crm.Unreadable}
		}
	}
	return nil
}

// priceChanges yields the products whose standard price was added, changed or
// ended since, unless they were seen already: the product's own stamp stays.
func (c *Client) priceChanges(ctx context.Context, read crm.Read, sinceMicros int64, seen map[string]bool, report *crm.ReadReport, yield func([]crm.Record) error) (newest int64, err error) {
	if read.Layout.Object != productObject || read.Layout.Index(StandardPrice) < 0 {
		return 0, nil
	}
	book, err := c.standardBook(ctx)
	if err != nil {
		return 0, err
	}
	rows := query{layout: crm.NewLayout(entryObject, []string{productField}), all: true, where: "Pricebook2Id = " + quote(book), order: "SystemModstamp, Id", calls: &report.Calls}
	var ids []string
	err = c.pages(ctx, rows, "SystemModstamp >= "+since(sinceMicros), func(p *page) error {
		for i := range p.records {
			newest = max(newest, p.records[i].ModifiedMicros)
			if id := p.records[i].Value(productField).Text; id != "" && !seen[id] {
				seen[id] = true
				ids = append(ids, id)
			}
		}
		return nil
	})
	if err != nil || len(ids) == 0 {
		return newest, err
	}
	return newest, c.yieldLive(ctx, read, ids, report, yield)
}

// takePrices takes StandardPrice out of updates and writes it as entries: one
// that is there gets the price, one that is not is made. A write whose price is
// refused is not sent at all, so that nothing is half written.
func (s *sender) takePrices(ctx context.Context, writes []crm.Write, updates []int) ([]int, error) {
	want := map[int]crm.Value{}
	var products []string
	for _, i := range updates {
		w := &writes[i]
		at := slices.IndexFunc(w.Fields, func(f crm.FieldValue) bool { return isMadeUp(w.Object, f.Name) })
		if at < 0 {
			continue
		}
		want[i] = w.Fields[at].Value
		products = append(products, longID(w.ID))
		rest := slices.Clone(w.Fields)
		w.Fields = slices.Delete(rest, at, at+1)
	}
	if len(want) == 0 {
		return updates, nil
	}
	book, err := s.client.standardBook(ctx)
	if err != nil {
		return nil, err
	}
	found, err := s.client.entries(ctx, products, book, nil)
	if err != nil {
		return nil, err
	}
	held := map[string]entry{}
	for _, e := range found {
		if have, twice := held[e.product]; !twice || e.active && !have.active {
			held[e.product] = e
		}
	}
	d, err := s.client.schema(ctx, entryObject)
	if err != nil {
		return nil, err
	}
	prices := &sender{client: s.client}
	var creates, changes []int
	var entryWrites []crm.Write
	for _, i := range updates {
		value, ok := want[i]
		if !ok {
			continue
		}
		w, place := entryWrite(held[longID(writes[i].ID)], longID(writes[i].ID), book, value)
		if w.Op == "" {
			continue // no price, and none wanted
		}
		w.Key = writes[i].Key
		entryWrites = append(entryWrites, w)
		if place {
			creates = append(creates, len(entryWrites)-1)
		} else {
			changes = append(changes, len(entryWrites)-1)
		}
	}
	prices.results, prices.settled = make([]crm.Result, len(entryWrites)), make([]bool, len(entryWrites))
	for i := range entryWrites {
		prices.results[i].Key = entryWrites[i].Key
	}
	// An entry that a lost answer has made is found by the next look: a second one
	// for the same book and product is refused.
	stop := prices.send(ctx, createLane(), prices.encodeAll(d, entryWrites, creates))
	if stop == nil {
		stop = prices.send(ctx, updateLane(), prices.encodeAll(d, entryWrites, changes))
	}
	failed := map[string]crm.Result{}
	for i, r := range prices.results {
		if !prices.settled[i] || r.Err != nil {
			failed[r.Key] = r
		}
	}
	return slices.DeleteFunc(slices.Clone(updates), func(i int) bool {
		r, bad := failed[writes[i].Key]
		if bad && r.Err != nil {
			s.settled[i], s.results[i] = true, r
			s.results[i].ID, s.results[i].Fields = longID(writes[i].ID), []string{StandardPrice}
		}
		return bad
	}), stop
}

// entryWrite is the write that makes a product's standard price what is wanted;
// a blank price ends the entry, which cannot be without one.
func entryWrite(held entry, product, book string, price crm.Value) (w crm.Write, creates bool) {
	value := func(name, text string) crm.FieldValue { return crm.FieldValue{Name: name, Value: crm.Text(text)} }
	switch {
	case held.id == "" && !price.IsPresent():
		return crm.Write{}, false
	case held.id == "":
		return crm.Write{Op: crm.Create, Object: entryObject, Fields: []crm.FieldValue{value("Pricebook2Id", book), value(productField, product),
			value("UnitPrice", price.Text), value("IsActive", "true")}}, true
	case !price.IsPresent():
		return crm.Write{Op: crm.Update, Object: entryObject, ID: held.id, Fields: []crm.FieldValue{value("IsActive", "false")}}, false
	}
	return crm.Write{Op: crm.Update, Object: entryObject, ID: held.id, Fields: []crm.FieldValue{value("UnitPrice", price.Text), value("IsActive", "true")}}, false
}

// nameEntries turns the products that new line items name into entries of the
// price book of their opportunity, or of the standard one where it has none. A
// line item without one has its result.
func (s *sender) nameEntries(ctx context.Context, writes []crm.Write, creates []int) ([]int, error) {
	var opportunities, products []string
	for _, i := range creates {
		if w := &writes[i]; w.Object == lineItemObject && fieldText(w, entryField) == "" && fieldText(w, productField) != "" {
			opportunities = append(opportunities, longID(fieldText(w, "OpportunityId")))
			products = append(products, longID(fieldText(w, productField)))
		}
	}
	if len(products) == 0 {
		return creates, nil
	}
	standard, err := s.client.standardBook(ctx)
	if err != nil {
		return nil, err
	}
	d, err := s.client.schema(ctx, "Opportunity")
	if err != nil {
		return nil, err
	}
	fields := []string{"Pricebook2Id"}
	if d.has(currencyField) {
		fields = append(fields, currencyField)
	}
	books, currencies := map[string]string{}, map[string]string{}
	q := query{layout: crm.NewLayout("Opportunity", fields), order: "Id"}
	err = s.client.queries(ctx, q.membership("Id", quoteAll(opportunities)), func(p *page) error {
		for i := range p.records {
			r := &p.records[i]
			books[r.ID], currencies[r.ID] = r.Value("Pricebook2Id").Text, r.Value(currencyField).Text
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	found, err := s.client.entries(ctx, products, "", nil)
	if err != nil {
		return nil, err
	}
	bookless := map[string][]int{}
	left := slices.DeleteFunc(slices.Clone(creates), func(i int) bool {
		w := &writes[i]
		product := longID(fieldText(w, productField))
		if w.Object != lineItemObject || fieldText(w, entryField) != "" || product == "" {
			return false
		}
		opportunity := longID(fieldText(w, "OpportunityId"))
		book := books[opportunity]
		if book == "" {
			book = standard
		}
		for _, e := range found {
			if e.active && e.product == product && e.book == book && (currencies[opportunity] == "" || e.currency == "" || e.currency == currencies[opportunity]) {
				rest := slices.DeleteFunc(slices.Clone(w.Fields), func(f crm.FieldValue) bool { return f.Name == productField })
				w.Fields = append(rest, crm.FieldValue{Name: entryField, Value: crm.Text(e.id)})
				if books[opportunity] == "" {
					bookless[opportunity] = append(bookless[opportunity], i)
				}
				return false
			}
		}
		e := fault.New(fault.Invalid, "the product %s has no active entry in price book %s, which its opportunity uses", product, book).
			WithMend("add the product to that price book in Salesforce, or give it a price in HubSpot where the price book is the standard one")
		e.Code = "NO_PRICEBOOK_ENTRY"
		s.fail(item{write: i}, e, "")
		s.results[i].Fields, s.results[i].Later = []string{productField}, true
		return true
	})
	return s.giveBooks(ctx, standard, bookless, left)
}

// giveBooks gives the standard price book to opportunities that have none: only
// then do they take a line item. Line items of one that does not take it have
// its refusal.
// https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_opportunitylineitem.htm
func (s *sender) giveBooks(ctx context.Context, standard string, bookless map[string][]int, creates []int) ([]int, error) {
	if len(bookless) == 0 {
		return creates, nil
	}
	d, err := s.client.schema(ctx, "Opportunity")
	if err != nil {
		return nil, err
	}
	var gifts []crm.Write
	var all []int
	for _, opportunity := range slices.Sorted(maps.Keys(bookless)) {
		all = append(all, len(gifts))
		gifts = append(gifts, crm.Write{Key: opportunity, Op: crm.Update, Object: "Opportunity", ID: opportunity,
			Fields: []crm.FieldValue{{Name: "Pricebook2Id", Value: crm.Text(standard)}}})
	}
	giver := &sender{client: s.client, results: make([]crm.Result, len(gifts)), settled: make([]bool, len(gifts))}
	stop := giver.send(ctx, updateLane(), giver.encodeAll(d, gifts, all))
	refused := map[int]bool{}
	for n, r := range giver.results {
		for _, i := range bookless[gifts[n].ID] {
			if r.Err != nil {
				s.settled[i] = true
				s.results[i] = crm.Result{Key: s.results[i].Key, Err: r.Err, Cause: r.Cause, RequestID: r.RequestID, Fields: []string{"OpportunityId"}}
			}
			refused[i] = r.Err != nil || !giver.settled[n]
		}
	}
	return slices.DeleteFunc(creates, func(i int) bool { return refused[i] }), stop
}

func fieldText(w *crm.Write, name string) string {
	for _, f := range w.Fields {
		if f.Name == name {
			return f.Value.Text
		}
	}
	return ""
}
