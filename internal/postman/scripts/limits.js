pm.test('the call is answered', () => pm.response.to.have.status(200))
const header = (name) => pm.response.headers.get('X-HubSpot-RateLimit-' + name)
const max = Number(header('Max')), left = Number(header('Remaining')), seconds = Number(header('Interval-Milliseconds')) / 1000
pm.test(`${left} of ${max} calls are left in these ${seconds} seconds`, () => {
  pm.expect(max).to.be.above(0)
  pm.expect(left).to.be.within(0, max)
  pm.expect(seconds).to.be.above(0)
})
// OAuth apps have no share of the account's day, and no header about it.
const day = header('Daily')
if (day) pm.test(`${header('Daily-Remaining')} of ${day} calls are left today, for all private apps and keys together`, () => pm.expect(Number(header('Daily-Remaining'))).to.be.within(0, Number(day)))
