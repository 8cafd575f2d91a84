import * as hubspot from '@hubspot/api-client'

const hapikey = '00000000-fa4e-4000-8000-000000000001'

export const client = new hubspot.Client({ apiKey: hapikey, numberOfApiCallRetries: 3 })
export const developer = new hubspot.Client({ developerApiKey: process.env.HUBSPOT_DEVELOPER_API_KEY })
