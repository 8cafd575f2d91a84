// A person's way through HubSpot's settings, in a real browser: the API key is
// gone, a private app or a service key takes its place, and an app is installed
// by OAuth into two accounts.
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { createHash, randomBytes } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { launch, need } from './browser.mjs'

const today = { address: need('SANDBOX_HUBSPOT'), manage: need('SANDBOX_MANAGE') }
const of2025 = { address: need('SANDBOX_2025_HUBSPOT'), manage: need('SANDBOX_2025_MANAGE') }

let browser
before(async () => { browser = await launch() })
after(() => browser?.close())

// open signs in as one of the two people and returns the page.
async function open(sandbox, who = 'Sam Admin') {
  const context = await browser.newContext({ permissions: ['clipboard-read', 'clipboard-write'] })
  const page = await context.newPage()
  const complaints = []
  page.on('console', (m) => { if (m.type() === 'error' && !m.text().includes('403')) complaints.push(m.text()) })
  page.on('pageerror', (problem) => complaints.push(String(problem)))
  page.complaints = complaints
  await page.goto(sandbox.address)
  await page.getByRole('link', { name: 'Sign in' }).click()
  await page.getByRole('button', { name: who }).click()
  return page
}

const call = (sandbox, token, path) => fetch(sandbox.address + path, { headers: { authorization: `Bearer ${token}` } })

// copied presses Copy and returns what is then in the clipboard.
async function copied(page) {
  await page.getByRole('button', { name: 'Copy' }).click()
  await page.getByRole('button', { name: 'Copied' }).waitFor()
  return page.evaluate(() => navigator.clipboard.readText())
}

test('the API key is gone, and the page says how to move on', async () => {
  for (const [sandbox, successor] of [[of2025, 'private app'], [today, 'service key']]) {
    const page = await open(sandbox)
    await page.getByRole('link', { name: 'API key' }).click()
    const main = page.getByRole('main')
    await main.getByText('API keys are gone.').waitFor()
    assert.equal(await main.getByRole('button').count(), 0)
    await main.getByRole('link', { name: successor, exact: true }).click()
    assert.match(page.url(), successor === 'private app' ? /private-apps/ : /service-keys/)
    const refused = await fetch(`${sandbox.address}/crm/v3/objects/contacts?hapikey=00000000-fa4e-4000-8000-000000000000`)
    assert.equal(refused.status, 401)
    assert.match((await refused.json()).message, /^The API key provided is invalid/)
    assert.deepEqual(page.complaints, [])
    await page.context().close()
  }
})

describe('a private app of 2025', () => {
  let page, token
  before(async () => { page = await open(of2025) })
  after(() => page.context().close())

  test('is made with chosen scopes, found by search', async () => {
    await page.getByRole('link', { name: 'Private Apps' }).click()
    await page.getByRole('link', { name: 'Create a private app' }).click()
    await page.getByLabel('Name').fill('Newsletter')
    await page.getByLabel('Search for a scope').fill('contacts')
    await page.getByRole('button', { name: 'Search' }).click()
    await page.getByRole('checkbox', { name: '(crm.objects.contacts.read)' }).check()
    await page.getByLabel('Search for a scope').fill('deals')
    await page.keyboard.press('Enter')
    await page.getByText('1 ticked.').waitFor()
    await page.getByRole('checkbox', { name: '(crm.objects.deals.read)' }).check()
    await page.getByRole('button', { name: 'Create private app' }).click()
    const dialog = page.getByRole('dialog', { name: 'Create Newsletter?' })
    await dialog.getByText('Read contacts').waitFor()
    await dialog.getByText('Read deals').waitFor()
    await page.keyboard.press('Enter') // the button has the focus
    await page.getByText('It is ready.').waitFor()
  })

  test('shows its token, which is copied', async () => {
    token = await copied(page)
    assert.match(token, /^pat-na1-/)
    await page.getByRole('link', { name: 'Hide token' }).click()
    assert.ok(!(await page.content()).includes(token))
    await page.getByRole('link', { name: 'Show token' }).click()
    assert.equal(await copied(page), token)
  })

  test('gets 200 for what was ticked and 403 for what was not', async () => {
    const contacts = await call(of2025, token, '/crm/v3/objects/contacts')
    assert.equal(contacts.status, 200)
    assert.ok((await contacts.json()).results.length > 0)
    const companies = await call(of2025, token, '/crm/v3/objects/companies')
    assert.equal(companies.status, 403)
    assert.deepEqual((await companies.json()).errors[0].context.requiredGranularScopes, ['crm.objects.companies.read'])
  })

  test('has a log of its calls', async () => {
    await page.getByRole('link', { name: 'Logs' }).click()
    await page.getByRole('cell', { name: '/crm/v3/objects/companies' }).waitFor()
    await page.getByRole('cell', { name: '403' }).waitFor()
    await page.getByRole('link', { name: 'Auth' }).click()
  })

  test('is rotated: the old token gets 401 and the new one 200', async () => {
    await page.getByRole('button', { name: 'Rotate and expire this token now' }).click()
    const fresh = await copied(page)
    assert.notEqual(fresh, token)
    const old = await call(of2025, token, '/crm/v3/objects/contacts')
    assert.equal(old.status, 401)
    assert.equal((await old.json()).category, 'EXPIRED_AUTHENTICATION')
    assert.equal((await call(of2025, fresh, '/crm/v3/objects/contacts')).status, 200)
    assert.deepEqual(page.complaints, [])
  })
})

test('an ordinary user is told who can', async () => {
  const page = await open(of2025, 'Uma User')
  await page.getByRole('link', { name: 'Private Apps' }).click()
  await page.getByText('Ask Sam Admin').waitFor()
  assert.equal(await page.getByRole('main').getByRole('button').count(), 0)
  await page.context().close()
})

test('today a private app can no longer be made, and a service key takes its place', async () => {
  const page = await open(today)
  await page.getByRole('link', { name: 'Legacy apps' }).click()
  await page.getByText('Private apps can no longer be created').waitFor()
  await page.getByRole('main').getByRole('link', { name: 'service key', exact: true }).click()
  await page.getByRole('link', { name: 'Create a service key' }).click()
  await page.getByLabel('Name').fill('Nightly report')
  await page.getByRole('checkbox', { name: '(crm.objects.companies.read)' }).check()
  await page.getByRole('button', { name: 'Create service key' }).click()
  await page.getByRole('button', { name: 'Continue creating' }).click()
  const token = await copied(page)
  assert.equal((await call(today, token, '/crm/objects/2026-09/companies')).status, 200)
  assert.equal((await call(today, token, '/crm/objects/2026-09/contacts')).status, 403)
  assert.deepEqual(page.complaints, [])
  await page.context().close()
})

test('an app is installed by OAuth into two accounts', async () => {
  const landed = []
  const callback = createServer((request, response) => {
    if (request.url.startsWith('/callback')) landed.push(new URL(request.url, 'http://localhost').searchParams)
    response.end('You can close this window.')
  })
  await new Promise((done) => callback.listen(0, 'localhost', done))
  const redirect = `http://localhost:${callback.address().port}/callback`
  const file = { uid: 'browser_walk', type: 'app', config: { name: 'Browser walk', description: '', distribution: 'private',
    auth: { type: 'oauth', redirectUrls: [redirect], requiredScopes: ['oauth', 'crm.objects.contacts.read'], optionalScopes: ['tickets'] } } }
  const app = await (await fetch(`${today.manage}/hubspot/apps`, { method: 'POST', body: JSON.stringify(file) })).json()
  const { accounts } = await (await fetch(`${today.manage}/hubspot/accounts`)).json()
  assert.ok(accounts.length >= 2)

  const page = await open(today)
  for (const account of accounts.slice(0, 2)) {
    const verifier = randomBytes(32).toString('base64url')
    const state = randomBytes(8).toString('hex')
    const query = new URLSearchParams({ client_id: app.clientId, redirect_uri: redirect, scope: 'oauth crm.objects.contacts.read', state,
      code_challenge: createHash('sha256').update(verifier).digest('base64url'), code_challenge_method: 'S256' })
    await page.goto(`${today.address}/oauth/authorize?${query}`)
    await page.getByText('Read contacts').waitFor()
    await page.getByRole('radio', { name: `Account ${account.portalId}` }).check()
    await page.getByRole('button', { name: 'Connect app' }).click()
    await page.getByText('You can close this window.').waitFor()
    const back = landed.at(-1)
    assert.equal(back.get('state'), state)

    const exchange = await fetch(`${today.address}/oauth/2026-09/token`, { method: 'POST', body: new URLSearchParams({ grant_type: 'authorization_code',
      code: back.get('code'), redirect_uri: redirect, client_id: app.clientId, client_secret: app.clientSecret, code_verifier: verifier }) })
    const tokens = await exchange.json()
    assert.equal(exchange.status, 200, JSON.stringify(tokens))
    assert.equal(tokens.hub_id, account.portalId)
    const details = await (await call(today, tokens.access_token, '/account-info/v3/details')).json()
    assert.equal(details.portalId, account.portalId)
    const contacts = await (await call(today, tokens.access_token, '/crm/v3/objects/contacts?limit=100')).json()
    assert.equal(contacts.results.length, account.contacts)
  }
  await page.goto(`${today.address}/connected-apps/${accounts[1].portalId}`)
  await page.getByRole('button', { name: 'Uninstall Browser walk' }).click()
  await page.getByText('The app is uninstalled.').waitFor()
  assert.deepEqual(page.complaints, [])
  await page.context().close()
  callback.closeAllConnections()
  await new Promise((done) => callback.close(done))
})
