pm.test('HubSpot tells what the token may do', () => pm.response.to.have.status(200))
const granted = pm.response.code === 200 ? pm.response.json().scopes : []
pm.environment.set('hubspot_scopes', granted.join(' '))
for (const need of needs) {
  pm.test(`granted: ${need.name} (${need.why})`, () => pm.expect(granted, `tick ${need.name} in HubSpot; the token stays the same`).to.include(need.name))
}
