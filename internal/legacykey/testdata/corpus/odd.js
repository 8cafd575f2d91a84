// The key goes through a helper that this file does not hold: nothing can be rewritten.
import { get } from './http.js';

const query = new URLSearchParams({ hapikey: process.env.HAPIKEY, limit: '10' });

export const contacts = () => get('https://api.hubapi.com/crm/v3/objects/contacts?' + query);
