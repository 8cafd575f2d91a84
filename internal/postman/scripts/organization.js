pm.test('the access token opens an org', () => pm.response.to.have.status(200))
if (pm.response.code === 200) {
  const row = pm.response.json().records[0]
  pm.test(`it is ${row.Name} (${row.Id})`, () => pm.expect(row.Id).to.match(/^00D\w{15}$/))
  const used = /api-usage=(\d+)\/(\d+)/.exec(pm.response.headers.get('Sforce-Limit-Info') || '')
  pm.test(used ? `${used[1]} of ${used[2]} API calls are used today` : 'the daily limit is told', () => pm.expect(used).to.not.equal(null))
}
