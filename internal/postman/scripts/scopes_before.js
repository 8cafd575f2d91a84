// Only tokens of private apps, service keys and static-auth apps can be asked
// this way; an OAuth token cannot.
if (!String(pm.environment.get('hubspot_token') || '').startsWith('pat-')) {
  console.log('Skipped: an OAuth token does not tell its scopes here')
  pm.execution.skipRequest()
}
