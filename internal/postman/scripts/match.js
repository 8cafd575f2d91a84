const sums = JSON.parse(pm.collectionVariables.get('sums'))
const answers = pm.response.code === 200 ? pm.response.json().compositeResponse : []
pm.test('Salesforce answers which of them it has', () => {
  pm.response.to.have.status(200)
  for (const part of answers) pm.expect(part.httpStatusCode, JSON.stringify(part.body)).to.equal(200)
})
const whole = answers.length > 0 && answers.every((part) => part.httpStatusCode === 200 && part.body.done)
pm.test('and answers in full', () => pm.expect(whole, 'set page_size lower').to.equal(true))
if (!whole) {
  pm.execution.setNextRequest(null)
} else {
  const page = JSON.parse(pm.collectionVariables.get('page'))
  page.claimed = JSON.parse(pm.collectionVariables.get('claimed') || '[]')
  const work = decide(rules, page, answers, { existing: pm.environment.get('existing'), createWithoutId: pm.environment.get('create_without_external_id') })
  const creates = Object.values(work.create).reduce((n, list) => n + list.length, 0)
  tellLeft(work.left)
  sums.left += work.left.length
  sums.excluded += work.excluded || 0
  sums.unchanged += work.unchanged
  pm.test(`${creates} to create, ${work.update.length} to update, ${work.unchanged} as they should be, ${work.left.length} left out`, () =>
    pm.expect(creates + work.update.length + work.unchanged + work.left.length + (work.excluded || 0)).to.equal(page.records.length))
  // A record that carries its HubSpot id needs no remembering.
  const stamped = rules.externalId && pm.environment.get('write') === 'yes'
  pm.collectionVariables.set('claimed', stamped ? '' : JSON.stringify(page.claimed.concat(work.taken)))
  const { request, order } = envelope(rules, work, pm.environment.get('salesforce_version'))
  const writes = creates + work.update.length
  if (pm.environment.get('write') === 'yes' && writes > 0) {
    pm.collectionVariables.set('push', JSON.stringify(request))
    pm.collectionVariables.set('work', JSON.stringify(order))
  } else {
    sums.created += creates
    sums.updated += work.update.length
    pm.execution.setNextRequest(pm.collectionVariables.get('after') ? here.pull : here.sum)
  }
  pm.collectionVariables.set('sums', JSON.stringify(sums))
}
