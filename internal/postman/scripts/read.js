pm.test('HubSpot gives records', () => pm.response.to.have.status(200))
const results = pm.response.code === 200 ? pm.response.json().results : []
pm.test('at most five, each with an id', () => {
  pm.expect(results).to.be.an('array')
  pm.expect(results.length).to.be.at.most(5)
  for (const record of results) pm.expect(record.id).to.match(/^\d+$/)
})
// HubSpot leaves a property that does not exist out without a word; one without
// a value comes as null.
for (const record of results.slice(0, 1)) {
  pm.test('every mapped property is there', () => pm.expect(Object.keys(record.properties)).to.include.members(properties))
}
