const sums = JSON.parse(pm.collectionVariables.get('sums'))
const order = JSON.parse(pm.collectionVariables.get('work'))
pm.test('Salesforce takes the page', () => pm.response.to.have.status(200))
if (pm.response.code !== 200) {
  pm.execution.setNextRequest(null)
} else {
  const refused = []
  for (const part of pm.response.json().compositeResponse) {
    const ids = order[part.referenceId], good = part.httpStatusCode === 200
    ids.forEach((id, i) => {
      const item = good ? part.body[i] : { success: false, errors: part.body }
      if (!item.success) refused.push(`${rules.hubspot} ${id}: ${item.errors.map((e) => `${e.statusCode || e.errorCode} ${e.message}`).join('; ')}`)
      else if (part.referenceId === 'update' || item.created === false) sums.updated++
      else sums.created++
    })
  }
  sums.failed += refused.length
  pm.test('and refuses none of its records', () => pm.expect(refused.join('\n')).to.equal(''))
  pm.collectionVariables.set('sums', JSON.stringify(sums))
  pm.execution.setNextRequest(pm.collectionVariables.get('after') ? here.pull : here.sum)
}
