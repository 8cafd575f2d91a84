pm.test('it is taken now' + (cause ? `; then it was refused with ${cause}` : ''), () =>
  pm.expect(pm.response.code, pm.response.text()).to.be.within(200, 299))
