pm.test('Salesforce lists its API versions', () => pm.response.to.have.status(200))
const versions = pm.response.code === 200 ? pm.response.json().map((v) => v.version).filter((v) => Number(v) <= newest) : []
pm.test('one of them is new enough', () => pm.expect(Math.max(0, ...versions.map(Number))).to.be.at.least(oldest))
if (!pm.environment.get('salesforce_version') && versions.length) pm.environment.set('salesforce_version', versions.reduce((a, b) => Number(b) > Number(a) ? b : a))
for (const name of ['after', 'page', 'work', 'lookup', 'push', 'claimed', 'sums']) pm.collectionVariables.set(name, '')
console.log(pm.environment.get('write') === 'yes' ? 'write is yes: records are written to Salesforce' : 'write is not yes: nothing is written, you only see what would be')
