pm.test('HubSpot gives lists', () => pm.response.to.have.status(200))
const lists = pm.response.code === 200 ? pm.response.json().lists : []
pm.test('at most five, each with an id, a name and the way in which it gets its members', () => {
  pm.expect(lists).to.be.an('array')
  pm.expect(lists.length).to.be.at.most(5)
  for (const list of lists) {
    pm.expect(list.listId).to.match(/^\d+$/)
    pm.expect(list.name).to.be.a('string')
    pm.expect(['MANUAL', 'SNAPSHOT', 'DYNAMIC']).to.include(list.processingType)
  }
})
