// HubSpot's first page is asked for without a place to go on from.
if (!pm.collectionVariables.get('after')) pm.request.url.query.remove('after')
