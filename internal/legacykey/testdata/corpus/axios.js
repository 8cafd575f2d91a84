// Contacts by page. The key came as ?hapikey= until 2022.
const axios = require('axios');

const base = process.env.HUBSPOT_BASE_URL || 'https://api.hubapi.com';
const HAPIKEY = process.env.HAPIKEY;

async function main() {
  const page = await axios.get(`${base}/crm/v3/objects/contacts?hapikey=${HAPIKEY}&limit=2`);
  const owners = await axios.get(base + '/crm/v3/owners', { params: { hapikey: HAPIKEY, limit: 1 } });
  const url = base + '/crm/v3/objects/companies?limit=1&hapikey=' + HAPIKEY;
  const companies = await axios.get(url, { timeout: 5000 });
  const found = await axios.post(`${base}/crm/v3/objects/contacts/search?hapikey=${HAPIKEY}`, {
    limit: 1, // the first is enough
  });
  console.log(page.data.results.length, owners.data.results.length, companies.data.results.length, found.data.results.length);
}

main().catch((error) => { console.error(error.message); process.exit(1); });
