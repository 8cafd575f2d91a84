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
		{method: "POST", pattern: "/services/Soap/u/{v}", purpose: forSOAP, handle: (*call).soap},
		{method: "POST", pattern: "/services/Soap/c/{v}", purpose: forSOAP, handle: (*call).soap},
		{method: "POST", pattern: "/services/Soap/u/{v}/{org}", purpose: forSOAP, handle: (*call).soap},
		{method: "POST", pattern: "/services/Soap/c/{v}/{org}", purpose: forSOAP, handle: (*call).soap},

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
		{method: "GET", pattern: "/login", purpose: forPages, show: (*Server).loginPage},
		{method: "POST", pattern: "/login", purpose: forPages, show: (*Server).login},
		{method: "POST", pattern: "/logout", purpose: forPages, show: (*Server).logout},
		{method: "GET", pattern: authorizePath, purpose: forPages, show: (*Server).authorizePage},
		{method: "POST", pattern: authorizePath, purpose: forPages, show: (*Server).authorizePage},

		{method: "GET", pattern: "/setup", purpose: forPages, show: forAdministrators((*Server).setupPage)},
		{method: "GET", pattern: "/setup/external-client-apps", purpose: forPages, show: forAdministrators((*Server).appsPage)},
		{method: "GET", pattern: "/setup/external-client-apps/new", purpose: forPages, show: forAdministrators((*Server).newAppPage)},
		{method: "POST", pattern: "/setup/external-client-apps/new", purpose: forPages, show: forAdministrators((*Server).createAppByHand)},
		{method: "GET", pattern: "/setup/external-client-apps/{app}", purpose: forPages, show: forAdministrators((*Server).appPage)},
		{method: "POST", pattern: "/setup/external-client-apps/{app}", purpose: forPages, show: forAdministrators((*Server).editApp)},
		{method: "GET", pattern: "/setup/external-client-apps/{app}/consumer", purpose: forPages, show: forAdministrators((*Server).consumerPage)},
		{method: "POST", pattern: "/setup/external-client-apps/{app}/rotate", purpose: forPages, show: forAdministrators((*Server).rotateByHand)},
		{method: "POST", pattern: "/setup/external-client-apps/{app}/delete", purpose: forPages, show: forAdministrators((*Server).deleteApp)},
		{method: "GET", pattern: "/setup/connected-apps", purpose: forPages, show: forAdministrators((*Server).connectedAppsPage)},
		{method: "POST", pattern: "/setup/connected-apps", purpose: forPages, show: forAdministrators((*Server).refuseConnectedApp)},
		{method: "GET", pattern: "/setup/permission-sets", purpose: forPages, show: forAdministrators((*Server).permissionSetsPage)},
		{method: "POST", pattern: "/setup/permission-sets", purpose: forPages, show: forAdministrators((*Server).createPermissionSet)},
		{method: "POST", pattern: "/setup/deploy-permission-set", purpose: forPages, show: forAdministrators((*Server).deployByHand)},
		{method: "GET", pattern: "/setup/permission-sets/{set}", purpose: forPages, show: forAdministrators((*Server).permissionSetPage)},
		{method: "POST", pattern: "/setup/permission-sets/{set}", purpose: forPages, show: forAdministrators((*Server).editObjectPermissions)},
		{method: "POST", pattern: "/setup/permission-sets/{set}/assign", purpose: forPages, show: forAdministrators((*Server).assignByHand)},
		{method: "POST", pattern: "/setup/permission-sets/{set}/delete", purpose: forPages, show: forAdministrators((*Server).deleteSetByHand)},
		{method: "GET", pattern: "/setup/permission-sets/{set}/{object}", purpose: forPages, show: forAdministrators((*Server).fieldPermissionsPage)},
		{method: "POST", pattern: "/setup/permission-sets/{set}/{object}", purpose: forPages, show: forAdministrators((*Server).editFieldPermissions)},
		{method: "GET", pattern: "/setup/users", purpose: forPages, show: forAdministrators((*Server).usersPage)},
		{method: "POST", pattern: "/setup/users", purpose: forPages, show: forAdministrators((*Server).editUser)},
		{method: "GET", pattern: "/setup/sessions", purpose: forPages, show: (*Server).sessionsPage},
		{method: "POST", pattern: "/setup/sessions", purpose: forPages, show: (*Server).revokeByHand},
		{method: "POST", pattern: "/setup/sessions/timeout", purpose: forPages, show: forAdministrators((*Server).setTimeoutByHand)},
		{method: "GET", pattern: "/objects/{object}", purpose: forPages, show: (*Server).objectPage},
		{method: "GET", pattern: "/objects/{object}/{id}", purpose: forPages, show: (*Server).recordPage},
		{method: "GET", pattern: "/lightning/r/{object}/{id}/view", purpose: forPages, show: (*Server).redirectToRecord},
		{method: "GET", pattern: "/lightning/r/{id}/view", purpose: forPages, show: (*Server).redirectToRecord},
		{method: "GET", pattern: "/{id}", purpose: forPages, show: (*Server).redirectToRecord},
	}
}
