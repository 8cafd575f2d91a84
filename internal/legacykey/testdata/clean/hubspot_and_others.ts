import { Client } from '@hubspot/api-client'
import { createClient } from 'other-product'

export const hubspot = new Client({ accessToken: process.env.HUBSPOT_ACCESS_TOKEN })
export const other = createClient({ apiKey: process.env.OTHER_API_KEY, project: '9b09ab55-e607-4d79-8017-0d2bbf4e302c' })
