const answer = pm.response.json()
const mends = {
  invalid_client_id: 'the consumer key is wrong, or the app is younger than ten minutes',
  invalid_client: 'the consumer secret is wrong',
  unsupported_grant_type: 'switch this flow on in the app',
  invalid_grant: 'client credentials need your My Domain address and a Run As user in the app; a refresh token may have been used or revoked',
}
pm.test('Salesforce gives an access token', () => pm.expect(pm.response.code, `${answer.error}: ${answer.error_description}; ${mends[answer.error] || 'see the app\'s OAuth settings'}`).to.equal(200))
if (pm.response.code === 200) {
  pm.test(`it is a bearer token for ${answer.instance_url}`, () => {
    pm.expect(answer.token_type).to.equal('Bearer')
    pm.expect(answer.instance_url).to.match(/^https?:\/\/[^/]+$/)
  })
  pm.environment.set('access_token', answer.access_token)
  pm.environment.set('instance_url', answer.instance_url)
  // An app that rotates refresh tokens gives the next one; the old one is dead now.
  if (answer.refresh_token) pm.environment.set('salesforce_refresh_token', answer.refresh_token)
}
