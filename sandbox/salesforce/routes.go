package salesforce

// routeTable is every route of the server, the most exact first among those of
// one length. {v} is a version like v68.0.
func routeTable() []route {
	const (
		data       = "/services/data/{v}"
		sobjects   = data + "/sobjects"
		composite  = data + "/composite"
		collection = composite + "/sobjects"
	)
	return []route{
		{method: "POST", pattern: "/services/oauth2/token", purpose: forSignIn, handle: (*call).token},
		{method: "POST", pattern: "/services/oauth2/revoke", purpose: forAnyone, handle: (*call).revokeToken},
		{method: "GET", pattern: "/services/oauth2/revoke", purpose: forAnyone, handle: (*call).revokeToken},
		{method: "POST", pattern: "/services/oauth2/introspect", purpose: forAnyone, handle: (*call).introspect},
		{method: "GET", pattern: "/services/oauth2/userinfo", purpose: forIdentity, handle: (*call).userInfo},
		{method: "POST", pattern: "/services/oauth2/userinfo", purpose: forIdentity, handle: (*call).userInfo},
		{method: "GET", pattern: "/id/{org}/{user}", purpose: forIdentity, handle: (*call).identity},
		{method: "POST", pattern: "/services/Soap/u/{v}", purpose: forSignIn, handle: (*call).soap},
		{method: "POST", pattern: "/services/Soap/c/{v}", purpose: forSignIn, handle: (*call).soap},
		{method: "POST", pattern: "/services/Soap/u/{v}/{org}", purpose: forSignIn, handle: (*call).soap},
		{method: "POST", pattern: "/services/Soap/c/{v}/{org}", purpose: forSignIn, handle: (*call).soap},

		{method: "GET", pattern: "/services/data", purpose: forAnyone, handle: (*call).versions},
		{method: "GET", pattern: data, purpose: forSchema, handle: (*call).resources},
		{method: "GET", pattern: data + "/limits", purpose: forReading, handle: (*call).limits},
		{method: "GET", pattern: data + "/limits/recordCount", purpose: forReading, handle: (*call).recordCount},
		{method: "GET", pattern: data + "/recent", purpose: forReading, handle: (*call).recentItems},

		{method: "GET", pattern: sobjects, purpose: forSchema, handle: (*call).describeGlobal},
		{method: "GET", pattern: sobjects + "/{object}", purpose: forSchema, handle: (*call).basicInformation},
		{method: "POST", pattern: sobjects + "/{object}", purpose: forWriting, handle: (*call).createOne},
		{method: "GET", pattern: sobjects + "/{object}/describe", purpose: forSchema, handle: (*call).describeObject},
		{method: "GET", pattern: sobjects + "/{object}/updated", purpose: forQuery, handle: (*call).updatedIDs},
		{method: "GET", pattern: sobjects + "/{object}/deleted", purpose: forQuery, handle: (*call).deletedIDs},
		{method: "POST", pattern: sobjects + "/{object}/Id", purpose: forWriting, handle: (*call).createOne},
		{method: "GET", pattern: sobjects + "/{object}/{id}", purpose: forReading, handle: (*call).readOne},
		{method: "PATCH", pattern: sobjects + "/{object}/{id}", purpose: forWriting, handle: (*call).updateOne},
		{method: "DELETE", pattern: sobjects + "/{object}/{id}", purpose: forWriting, handle: (*call).deleteOne},
		{method: "GET", pattern: sobjects + "/{object}/{field}/{value}", purpose: forReading, handle: (*call).readByKey},
		{method: "PATCH", pattern: sobjects + "/{object}/{field}/{value}", purpose: forWriting, handle: (*call).upsertOne},
		{method: "DELETE", pattern: sobjects + "/{object}/{field}/{value}", purpose: forWriting, handle: (*call).deleteByKey},

		{method: "GET", pattern: data + "/query", purpose: forQuery, handle: (*call).runQuery},
		{method: "GET", pattern: data + "/queryAll", purpose: forQuery, handle: (*call).runQueryAll},
		{method: "GET", pattern: data + "/query/{locator}", purpose: forQuery, handle: (*call).nextPage},
		{method: "GET", pattern: data + "/queryAll/{locator}", purpose: forQuery, handle: (*call).nextPage},
		{method: "GET", pattern: data + "/search", purpose: forQuery, handle: (*call).searchText},
		{method: "GET", pattern: data + "/parameterizedSearch", purpose: forQuery, handle: (*call).parameterizedSearch},
		{method: "POST", pattern: data + "/parameterizedSearch", purpose: forQuery, handle: (*call).parameterizedSearch},

		{method: "POST", pattern: composite, purpose: forComposite, handle: (*call).composite},
		{method: "POST", pattern: composite + "/batch", purpose: forComposite, handle: (*call).compositeBatch},
		{method: "POST", pattern: composite + "/tree/{object}", purpose: forWriting, handle: (*call).compositeTree},
		{method: "POST", pattern: composite + "/graph", purpose: forComposite, handle: (*call).compositeGraph},
		{method: "POST", pattern: collection, purpose: forWriting, handle: (*call).createMany},
		{method: "PATCH", pattern: collection, purpose: forWriting, handle: (*call).updateMany},
		{method: "DELETE", pattern: collection, purpose: forWriting, handle: (*call).deleteMany},
		{method: "GET", pattern: collection + "/{object}", purpose: forReading, handle: (*call).readMany},
		{method: "POST", pattern: collection + "/{object}", purpose: forReading, handle: (*call).readMany},
		{method: "PATCH", pattern: collection + "/{object}/{field}", purpose: forWriting, handle: (*call).upsertMany},
	}
}

// pageTable is every page for a browser.
func pageTable() []route {
	return []route{
		{method: "GET", pattern: "/", purpose: forPages, show: (*Server).homePage},
		{method: "GET", pattern: "/objects/{object}", purpose: forPages, show: (*Server).objectPage},
		{method: "GET", pattern: "/objects/{object}/{id}", purpose: forPages, show: (*Server).recordPage},
		{method: "GET", pattern: "/lightning/r/{object}/{id}/view", purpose: forPages, show: (*Server).redirectToRecord},
		{method: "GET", pattern: "/lightning/r/{id}/view", purpose: forPages, show: (*Server).redirectToRecord},
		{method: "GET", pattern: "/{id}", purpose: forPages, show: (*Server).redirectToRecord},
	}
}
