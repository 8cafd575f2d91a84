import { Client } from '@hubspot/api-client'

// Until 2022 this was ?hapikey=; since then a bearer token. See the migration notes.
export const client = new Client({ accessToken: process.env.HUBSPOT_ACCESS_TOKEN })
export const contacts = 'https://api.hubapi.com/crm/objects/2026-09/contacts'
