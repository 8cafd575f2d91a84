pm.test('the token opens a HubSpot account', () => pm.expect(pm.response.code, mend()).to.equal(200))
if (pm.response.code === 200) {
  const account = pm.response.json()
  pm.test(`it is account ${account.portalId}, ${account.accountType}, at ${account.uiDomain}`, () => {
    pm.expect(account.portalId).to.be.a('number')
    pm.expect(account.uiDomain).to.be.a('string')
  })
  pm.environment.set('hubspot_account', String(account.portalId))
}
function mend() {
  if (pm.response.code === 401) return 'HubSpot does not know the token: copy it again, whole, without spaces and without the word Bearer, and look whether it was rotated'
  return 'HubSpot answered ' + pm.response.code
}
