const api = 'https://api.hubapi.com';

export const lists = `${api}/contacts/v1/lists`;
export const stages = `${api}/crm-pipelines/v1/pipelines/deals`;
export const token = `${api}/oauth/v1/token`;
export const links = `${api}/crm/v4/associations/contacts/companies/batch/read`;
export const contacts = `${api}/crm/v3/objects/contacts`;
export const today = `${api}/crm/objects/2026-09/contacts`;
export const app = process.env.HUBSPOT_PRIVATE_APP_TOKEN;
