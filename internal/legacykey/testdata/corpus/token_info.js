const r = await fetch('https://api.hubapi.com/oauth/v2/private-apps/get/access-token-info', { method: 'POST' })
