package salesforce

// How products, price books and the products of an opportunity hang together.
// https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_pricebookentry.htm

// priceIn is the live entry of a product in a price book.
func (s *Server) priceIn(book, product value) *row {
	o := s.object("PricebookEntry")
	if book.null() || product.null() {
		return nil
	}
	var found *row
	o.indexes[o.byName["product2id"].index].find(product, func(r *row) bool {
		if !r.deleted && r.get(o.byName["pricebook2id"]).equal(book) {
			found = r
		}
		return found == nil
	})
	return found
}

// standardBook is the id of the standard price book.
func (s *Server) standardBook() value {
	o := s.object("Pricebook2")
	for _, r := range o.rows {
		if r != nil && !r.deleted && r.get(o.byName["isstandard"]).isTrue() {
			return textOf(r.id)
		}
	}
	return value{}
}

// entryOf is the price of a product on an opportunity: in its price book.
func (s *Server) entryOf(opportunity *row, product value) *row {
	if opportunity == nil {
		return nil
	}
	return s.priceIn(opportunity.get(s.object("Opportunity").byName["pricebook2id"]), product)
}

// derivePrice gives an entry that uses the standard price that price.
func (s *Server) derivePrice(o *object, d *draft) {
	if !d.get(o.byName["usestandardprice"]).isTrue() {
		return
	}
	if standard := s.priceIn(s.standardBook(), d.get(o.byName["product2id"])); standard != nil {
		d.set(o.byName["unitprice"], standard.get(o.byName["unitprice"]))
	}
}

func integrity(message string, fields ...string) *failure {
	return refuse("FIELD_INTEGRITY_EXCEPTION", "field integrity exception: "+message, fields...)
}

// priceRules are those of a price book entry.
func (s *Server) priceRules(o *object, d *draft, before *row) *failure {
	book, product := d.get(o.byName["pricebook2id"]), d.get(o.byName["product2id"])
	standard := s.standardBook()
	if book.equal(standard) && d.get(o.byName["usestandardprice"]).isTrue() {
		return integrity("UseStandardPrice (cannot be set in the standard price book)", "UseStandardPrice")
	}
	if before != nil {
		return nil
	}
	if s.priceIn(book, product) != nil {
		return refuse("DUPLICATE_VALUE", "This price definition already exists in this price book")
	}
	if !book.equal(standard) && s.priceIn(standard, product) == nil {
		return refuse("STANDARD_PRICE_NOT_DEFINED", "Before creating a custom price, create a standard price.")
	}
	return nil
}

// lineItemRules are those of an opportunity's product; given are the fields sent.
func (s *Server) lineItemRules(o *object, d *draft, before *row, given map[*field]bool) *failure {
	unit, total := o.byName["unitprice"], o.byName["totalprice"]
	switch {
	case given[unit] && given[total]:
		return integrity("unknown (specify either UnitPrice or TotalPrice, not both)")
	case before == nil && !given[unit] && !given[total]:
		return integrity("unknown (must specify either UnitPrice or TotalPrice)")
	case before != nil:
		return nil
	}
	opportunity := s.parentRow(o, d, "OpportunityId")
	entry := s.parentRow(o, d, "PricebookEntryId")
	if entry == nil {
		if d.get(o.byName["product2id"]).null() {
			return requiredMissing([]string{"PricebookEntryId"})
		}
		return integrity("Product2Id (the product has no price in the opportunity's price book)", "Product2Id")
	}
	e := s.object("PricebookEntry")
	if !entry.get(e.byName["pricebook2id"]).equal(opportunity.get(s.object("Opportunity").byName["pricebook2id"])) {
		return integrity("PricebookEntryId (pricebook entry is in a different pricebook than the one assigned to the opportunity)", "PricebookEntryId")
	}
	if !entry.get(e.byName["isactive"]).isTrue() {
		return integrity("PricebookEntryId (pricebook entry has been inactivated)", "PricebookEntryId")
	}
	return nil
}

// keepSum takes back an amount that was sent for an opportunity with products:
// it is their sum, and the platform says nothing about it.
func keepSum(o *object, d *draft, before *row) {
	if o.name == "Opportunity" && before.get(o.byName["hasopportunitylineitem"]).isTrue() {
		d.set(o.byName["amount"], before.get(o.byName["amount"]))
	}
}

// followStandard changes the prices that use a standard price.
func (s *Server) followStandard(t *transaction, o *object, r *row) {
	if !r.get(o.byName["pricebook2id"]).equal(s.standardBook()) {
		return
	}
	for _, other := range o.match(o.byName["product2id"], r.get(o.byName["product2id"])) {
		if other == r || !other.get(o.byName["usestandardprice"]).isTrue() || other.get(o.byName["unitprice"]).equal(r.get(o.byName["unitprice"])) {
			continue
		}
		d := draftOf(other)
		d.set(o.byName["unitprice"], r.get(o.byName["unitprice"]))
		t.update(o, other, d.cells, true)
	}
}
