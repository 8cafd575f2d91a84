const base = process.env.HUBSPOT_BASE_URL ?? "https://api.hubapi.com";

// a page of two
const response = await fetch(`${base}/crm/v3/objects/contacts?limit=2&hapikey=${process.env.HUBSPOT_API_KEY}`);
if (!response.ok) throw new Error(`status ${response.status}`);
const created = await fetch(base + "/crm/v3/objects/contacts/search?hapikey=" + process.env.HUBSPOT_API_KEY + "&x=1", {
  method: "POST",
  headers: { "Content-Type": "application/json" },
  body: JSON.stringify({ limit: 1 }),
});
if (!created.ok) throw new Error(`status ${created.status}`);
console.log((await response.json()).results.length, (await created.json()).results.length);
