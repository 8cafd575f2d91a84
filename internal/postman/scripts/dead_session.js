pm.test('a session that is no more answers 401', () => pm.response.to.have.status(401))
pm.test('and says INVALID_SESSION_ID', () => pm.expect(pm.response.json()[0].errorCode).to.equal('INVALID_SESSION_ID'))
