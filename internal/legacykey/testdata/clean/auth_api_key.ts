// Words that end in hApiKey are another product's.
import { Client } from '@hubspot/api-client'

const authApiKey = process.env.AUTH_API_KEY
export const AUTHAPIKEY = { authapikey: authApiKey, searchApiKey: process.env.SEARCHAPIKEY, withApiKey: (authApiKey: string) => authApiKey }
export const client = new Client({ accessToken: process.env.HUBSPOT_ACCESS_TOKEN })
