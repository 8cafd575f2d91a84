const sums = JSON.parse(pm.collectionVariables.get('sums') || '{"read":0,"excluded":0,"created":0,"updated":0,"unchanged":0,"left":0,"failed":0}')
const done = pm.environment.get('write') === 'yes'
pm.test('Salesforce counts', () => pm.response.to.have.status(200))
const parts = pm.response.code === 200 ? pm.response.json().compositeResponse : []
const count = parts.reduce((n, part) => n + (part.body.totalSize || 0), 0)
pm.test(`${rules.hubspot}: ${sums.read} read, ${sums.created} ${done ? 'created' : 'to create'}, ${sums.updated} ${done ? 'updated' : 'to update'}, ${sums.unchanged} as they should be, ${sums.excluded} excluded, ${sums.left} left out, ${sums.failed} refused`, () =>
  pm.expect(sums.created + sums.updated + sums.unchanged + sums.excluded + sums.left + sums.failed).to.equal(sums.read))
if (done && rules.externalId) {
  pm.test(`${count} records in Salesforce carry a HubSpot id`, () => pm.expect(count).to.be.at.least(sums.created + sums.updated))
}
for (const name of ['after', 'page', 'work', 'lookup', 'push', 'claimed', 'sums']) pm.collectionVariables.set(name, '')
