const sums = () => Object.assign({ read: 0, excluded: 0, created: 0, updated: 0, unchanged: 0, left: 0, failed: 0 }, JSON.parse(pm.collectionVariables.get('sums') || '{}'))
pm.test(`HubSpot gives a page of ${rules.hubspot}`, () => pm.response.to.have.status(200))
if (pm.response.code !== 200) {
  pm.execution.setNextRequest(null)
} else {
  const answer = pm.response.json()
  const page = prepare(rules, answer.results)
  pm.collectionVariables.set('after', answer.paging && answer.paging.next ? answer.paging.next.after : '')
  pm.collectionVariables.set('page', JSON.stringify(page))
  const total = sums()
  total.read += page.read
  total.excluded += page.excluded
  total.left += page.left.length
  pm.collectionVariables.set('sums', JSON.stringify(total))
  tellLeft(page.left)
  pm.test(`${page.records.length} of ${page.read} are to be in Salesforce`, () => pm.expect(page.records.length + page.excluded + page.left.length).to.equal(page.read))
  const ask = questions(rules, page, pm.environment.get('salesforce_version'))
  pm.collectionVariables.set('lookup', JSON.stringify(ask))
  if (!ask.compositeRequest.length) pm.execution.setNextRequest(pm.collectionVariables.get('after') ? here.pull : here.sum)
}
