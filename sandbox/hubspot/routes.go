package hubspot

// routeTable lists every call the server answers. A pattern is what follows the
// family's prefix: "objects/{type}" is /crm/v3/objects/{type} in v3 and
// /crm/objects/2026-03/{type} in dated form. A trailing slash makes no difference.
func (s *Server) routeTable() []*route {
	get := func(in family, pattern string, scope func(*call) *problem, h handler) *route {
		return &route{families: in, method: "GET", pattern: pattern, scope: scope, handle: h}
	}
	ask := func(in family, pattern string, scope func(*call) *problem, h handler) *route { // a POST that only reads
		return &route{families: in, method: "POST", pattern: pattern, scope: scope, handle: h}
	}
	write := func(method string, in family, pattern string, scope func(*call) *problem, h handler) *route {
		return &route{families: in, method: method, pattern: pattern, scope: scope, handle: h, write: true}
	}
	search := func(r *route) *route { r.policy = searching; return r }
	free := func(r *route) *route { r.policy = uncounted; return r }
	develop := func(r *route) *route { r.policy = developing; return r }
	pull := func(r *route) *route { r.policy = exempt; return r }
	const objects, links, all = v3 | dated, v4 | dated, v3 | v4 | dated
	return []*route{
		// Records.
		get(objects, "objects/{type}", readRecords, listObjects),
		write("POST", objects, "objects/{type}", writeRecords, createObject),
		get(objects, "objects/{type}/{id}", readRecords, readObject),
		write("PATCH", objects, "objects/{type}/{id}", writeRecords, updateObject),
		write("DELETE", objects, "objects/{type}/{id}", writeRecords, archiveObject),
		ask(objects, "objects/{type}/batch/read", readRecords, batchRead),
		write("POST", objects, "objects/{type}/batch/create", writeRecords, batchCreate),
		write("POST", objects, "objects/{type}/batch/update", writeRecords, batchUpdate),
		write("POST", objects, "objects/{type}/batch/upsert", writeRecords, batchUpsert),
		write("POST", objects, "objects/{type}/batch/archive", writeRecords, batchArchive),
		search(ask(objects, "objects/{type}/search", readRecords, searchObjects)),
		write("POST", objects, "objects/{type}/merge", writeRecords, mergeObjects),
		write("POST", objects, "objects/{type}/gdpr-delete", writeRecords, eraseContact),

		// Associations of one record.
		get(links, "objects/{from}/{id}/associations/{to}", readEnds, listLinks),
		write("PUT", links, "objects/{from}/{id}/associations/{to}/{toId}", writeEnds, setLink),
		write("PUT", links, "objects/{from}/{id}/associations/default/{to}/{toId}", writeEnds, setDefaultLink),
		write("DELETE", links, "objects/{from}/{id}/associations/{to}/{toId}", writeEnds, deleteLink),
		get(v3, "objects/{from}/{id}/associations/{to}", readEnds, listLinksV3),
		write("PUT", v3, "objects/{from}/{id}/associations/{to}/{toId}/{kind}", writeEnds, setLinkV3),
		write("DELETE", v3, "objects/{from}/{id}/associations/{to}/{toId}/{kind}", writeEnds, deleteLinkV3),

		// Associations in batches, and their labels.
		write("POST", links, "associations/{from}/{to}/batch/create", writeEnds, batchSetLinks),
		write("POST", links, "associations/{from}/{to}/batch/associate/default", writeEnds, batchDefaultLinks),
		ask(links, "associations/{from}/{to}/batch/read", readEnds, batchReadLinks),
		write("POST", links, "associations/{from}/{to}/batch/archive", writeEnds, batchDeleteLinks),
		write("POST", links, "associations/{from}/{to}/batch/labels/archive", writeEnds, batchDeleteLabels),
		get(links, "associations/{from}/{to}/labels", readLabels, listLabels),
		write("POST", links, "associations/{from}/{to}/labels", writeEnds, createLabel),
		write("PUT", links, "associations/{from}/{to}/labels", writeEnds, updateLabel),
		write("DELETE", links, "associations/{from}/{to}/labels/{typeId}", writeEnds, deleteLabel),
		write("POST", v3, "associations/{from}/{to}/batch/create", writeEnds, batchSetLinksV3),
		ask(v3, "associations/{from}/{to}/batch/read", readEnds, batchReadLinksV3),
		write("POST", v3, "associations/{from}/{to}/batch/archive", writeEnds, batchDeleteLinksV3),
		get(v3, "associations/{from}/{to}/types", readLabels, listTypesV3),

		// Properties and their groups.
		get(objects, "properties/{type}", readSchema, listProperties),
		write("POST", objects, "properties/{type}", writeSchema, createProperty),
		get(objects, "properties/{type}/{name}", readSchema, readProperty),
		write("PATCH", objects, "properties/{type}/{name}", writeSchema, updateProperty),
		write("DELETE", objects, "properties/{type}/{name}", writeSchema, archiveProperty),
		ask(objects, "properties/{type}/batch/read", readSchema, batchReadProperties),
		write("POST", objects, "properties/{type}/batch/create", writeSchema, batchCreateProperties),
		write("POST", objects, "properties/{type}/batch/archive", writeSchema, batchArchiveProperties),
		get(objects, "properties/{type}/groups", readSchema, listGroups),
		write("POST", objects, "properties/{type}/groups", writeSchema, createGroup),
		get(objects, "properties/{type}/groups/{name}", readSchema, readGroup),
		write("PATCH", objects, "properties/{type}/groups/{name}", writeSchema, updateGroup),
		write("DELETE", objects, "properties/{type}/groups/{name}", writeSchema, archiveGroup),

		// Pipelines.
		get(objects, "pipelines/{type}", readPipelines, listPipelines),
		write("POST", objects, "pipelines/{type}", writeSchema, createPipeline),
		get(objects, "pipelines/{type}/{id}", readPipelines, readPipeline),
		write("PATCH", objects, "pipelines/{type}/{id}", writeSchema, updatePipeline),
		write("PUT", objects, "pipelines/{type}/{id}", writeSchema, updatePipeline),
		write("DELETE", objects, "pipelines/{type}/{id}", writeSchema, deletePipeline),
		get(objects, "pipelines/{type}/{id}/stages", readPipelines, listStages),
		write("POST", objects, "pipelines/{type}/{id}/stages", writeSchema, createStage),
		get(objects, "pipelines/{type}/{id}/stages/{stageId}", readPipelines, readStage),
		write("PATCH", objects, "pipelines/{type}/{id}/stages/{stageId}", writeSchema, updateStage),
		write("PUT", objects, "pipelines/{type}/{id}/stages/{stageId}", writeSchema, updateStage),
		write("DELETE", objects, "pipelines/{type}/{id}/stages/{stageId}", writeSchema, deleteStage),

		// Owners.
		get(objects, "owners", readOwners, listOwners),
		get(objects, "owners/{id}", readOwners, readOwner),

		// Custom object types: /crm-object-schemas/v3/schemas, /crm-object-schemas/2026-03/schemas.
		get(objects, "schemas", readSchemas, listSchemas),
		write("POST", objects, "schemas", writeSchemas, createSchema),
		get(objects, "schemas/{name}", readSchemas, readOneSchema),
		write("PATCH", objects, "schemas/{name}", writeSchemas, updateSchema),
		write("DELETE", objects, "schemas/{name}", writeSchemas, deleteSchema),
		ask(objects, "schemas/batch/read", readSchemas, batchReadSchemas),
		write("POST", objects, "schemas/{name}/associations", writeSchemas, createSchemaAssociation),
		write("DELETE", objects, "schemas/{name}/associations/{id}", writeSchemas, deleteSchemaAssociation),

		// Lists, which HubSpot's pages call segments.
		get(objects, "lists", readLists, readManyLists),
		write("POST", objects, "lists", writeLists, createList),
		ask(objects, "lists/search", readLists, searchLists),
		get(objects, "lists/object-type-id/{type}/name/{name}", readLists, readListByName),
		get(objects, "lists/{id}", readLists, readList),
		write("DELETE", objects, "lists/{id}", writeLists, deleteList),
		write("PUT", objects, "lists/{id}/restore", writeLists, restoreList),
		write("PUT", objects, "lists/{id}/update-list-name", writeLists, renameList),
		write("PUT", objects, "lists/{id}/update-list-filters", writeLists, refilterList),
		get(objects, "lists/{id}/memberships", readLists, readMembers),
		write("DELETE", objects, "lists/{id}/memberships", writeLists, clearMembers),
		get(objects, "lists/{id}/memberships/join-order", readLists, readMembersByJoining),
		write("PUT", objects, "lists/{id}/memberships/add", writeLists, addMembers),
		write("PUT", objects, "lists/{id}/memberships/remove", writeLists, removeMembers),
		write("PUT", objects, "lists/{id}/memberships/add-and-remove", writeLists, addAndRemoveMembers),
		write("PUT", objects, "lists/{id}/memberships/add-from/{source}", writeLists, addMembersFrom),
		get(objects, "lists/records/{type}/{record}/memberships", readLists, listsOfRecord),

		// Webhooks of apps: /webhooks/v3/{appId}/…, /webhooks/2026-03/…, /app-webhooks/2026-09/….
		develop(get(objects, "webhooks/{appId}/settings", nil, readWebhookSettings)),
		develop(write("PUT", objects, "webhooks/{appId}/settings", nil, writeWebhookSettings)),
		develop(write("DELETE", objects, "webhooks/{appId}/settings", nil, deleteWebhookSettings)),
		develop(get(objects, "webhooks/{appId}/subscriptions", nil, listSubscriptions)),
		develop(write("POST", objects, "webhooks/{appId}/subscriptions", nil, createSubscription)),
		develop(write("POST", objects, "webhooks/{appId}/subscriptions/batch/update", nil, batchUpdateSubscriptions)),
		develop(get(objects, "webhooks/{appId}/subscriptions/{id}", nil, readSubscription)),
		develop(write("PATCH", objects, "webhooks/{appId}/subscriptions/{id}", nil, updateSubscription)),
		develop(write("DELETE", objects, "webhooks/{appId}/subscriptions/{id}", nil, deleteSubscription)),

		// The webhooks journal: /webhooks-journal/journal/2026-03/…, for all accounts or
		// for one (local), and its subscriptions.
		pull(get(dated, "webhooks-journal/journal/{which}", readJournal, readJournalEnd)),
		pull(get(dated, "webhooks-journal/journal-local/{which}", readJournal, readJournalEnd)),
		pull(get(dated, "webhooks-journal/journal/offset/{offset}/next", readJournal, readJournalNext)),
		pull(get(dated, "webhooks-journal/journal-local/offset/{offset}/next", readJournal, readJournalNext)),
		pull(get(dated, "webhooks-journal/journal/batch/{which}/{count}", readJournal, readJournalEnds)),
		pull(get(dated, "webhooks-journal/journal-local/batch/{which}/{count}", readJournal, readJournalEnds)),
		pull(get(dated, "webhooks-journal/journal/batch/{offset}/next/{count}", readJournal, readJournalNexts)),
		pull(get(dated, "webhooks-journal/journal-local/batch/{offset}/next/{count}", readJournal, readJournalNexts)),
		pull(ask(dated, "webhooks-journal/journal/batch/read", readJournal, readJournalOffsets)),
		pull(ask(dated, "webhooks-journal/journal-local/batch/read", readJournal, readJournalOffsets)),
		free(get(other, "webhooks-journal-files/{app}/{portal}/{offset}", nil, downloadJournal)),
		pull(get(dated, "webhooks-journal/subscriptions", readJournalSubscriptions, listJournalSubscriptions)),
		pull(write("POST", dated, "webhooks-journal/subscriptions", writeJournalSubscriptions, upsertJournalSubscription)),
		pull(get(dated, "webhooks-journal/subscriptions/{id}", readJournalSubscriptions, readJournalSubscription)),
		pull(write("DELETE", dated, "webhooks-journal/subscriptions/{id}", writeJournalSubscriptions, deleteJournalSubscription)),
		pull(write("DELETE", dated, "webhooks-journal/subscriptions/portals/{portal}", writeJournalSubscriptions, deleteJournalSubscriptions)),
		pull(write("POST", dated, "webhooks-journal/subscriptions/filters", writeJournalSubscriptions, createJournalFilter)),
		pull(get(dated, "webhooks-journal/subscriptions/filters/{id}", readJournalSubscriptions, readJournalFilter)),
		pull(write("DELETE", dated, "webhooks-journal/subscriptions/filters/{id}", writeJournalSubscriptions, deleteJournalFilter)),
		pull(get(dated, "webhooks-journal/subscriptions/filters/subscription/{id}", readJournalSubscriptions, listJournalFilters)),

		// The account and its tokens.
		get(all, "account-info/details", basic, accountDetails),
		get(all, "account-info/api-usage/daily/private-apps", basic, dailyUsage),
		get(other, "integrations/v1/me", nil, whoAmI),
		free(ask(other, "oauth/v2/private-apps/get/access-token-info", nil, tokenInfo)),

		// OAuth. The version v1 has no family: its forms differ.
		free(ask(other, "oauth/v1/token", nil, issueToken)),
		free(ask(objects, "oauth/token", nil, issueToken)),
		free(ask(objects, "oauth/token/introspect", nil, introspect)),
		free(ask(objects, "oauth/token/revoke", nil, revokeToken)),
		free(get(other, "oauth/v1/access-tokens/{token}", nil, accessTokenMetadata)),
		free(get(other, "oauth/v1/refresh-tokens/{token}", nil, refreshTokenMetadata)),
		free(write("DELETE", other, "oauth/v1/refresh-tokens/{token}", nil, deleteRefreshToken)),
		write("DELETE", objects, "appinstalls/external-install", nil, uninstallApp),
	}
}
