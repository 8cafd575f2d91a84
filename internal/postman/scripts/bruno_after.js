pm.response = {
  code: res.getStatus(),
  json: () => res.getBody(),
  text: () => JSON.stringify(res.getBody()),
  headers: { get: (name) => res.getHeader(name.toLowerCase()) },
  to: { have: { status: (code) => expect(res.getStatus()).to.equal(code) } },
}
