pm.test('a scope that the token lacks answers 403', () => pm.response.to.have.status(403))
const problem = pm.response.json()
const named = [].concat(...(problem.errors || []).map((e) => [].concat(...Object.values(e.context || {}))))
pm.test(`HubSpot says what is missing: ${named.join(' or ') || problem.message}`, () => {
  pm.expect(problem.category).to.be.oneOf(['MISSING_SCOPES', 'MISSING_PERMISSIONS'])
  pm.expect(String(problem.message)).to.not.equal('')
})
