pm.test('a wrong token answers 401', () => pm.response.to.have.status(401))
// A text that is no token at all counts as one that ran out in 1970.
pm.test('and names it wrong or run out', () => pm.expect(pm.response.json().category).to.be.oneOf(['INVALID_AUTHENTICATION', 'EXPIRED_AUTHENTICATION']))
