pm.test('without a token HubSpot answers 401', () => pm.response.to.have.status(401))
pm.test('and says that it found no credentials', () => pm.expect(pm.response.json().category).to.equal('INVALID_AUTHENTICATION'))
