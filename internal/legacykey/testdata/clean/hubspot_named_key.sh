# The name is old, the value is a token.
curl -H "Authorization: Bearer $HUBSPOT_API_KEY" https://api.hubapi.com/crm/objects/2026-09/contacts
