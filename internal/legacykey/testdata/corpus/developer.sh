# The developer key is alive: it manages the app's webhooks.
curl "https://api.hubapi.com/webhooks/v3/12345/settings?hapikey=$HUBSPOT_DEVELOPER_KEY"
